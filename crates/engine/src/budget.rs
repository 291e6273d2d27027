//! The budget of one evaluation: how much memory, work and output it may take, whatever the object holds.
//!
//! The readers of `text` and the evaluation in `domain` spend from one budget where they do the work. A budget that is exhausted
//! stays so: its users stop early, and the evaluation as a whole is discarded, so that no object is changed in part. What is spent
//! depends on bytes and counts alone, so that every replica gives the same answer to the same object.

use std::cell::Cell;
use std::fmt;

/// The budget of one evaluation.
///
/// The methods return whether the budget sufficed. Users may ignore that where they do no further work; the owner of the budget
/// asks [`Budget::exhausted`] at the end.
#[derive(Debug)]
pub struct Budget {
    bytes: Cell<usize>,
    steps: Cell<usize>,
    findings: Cell<usize>,
    exhausted: Cell<Option<Limit>>,
}

/// What an evaluation has exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The memory of trees and copies.
    Bytes,
    /// The work.
    Steps,
    /// The number of model IDs.
    Findings,
}

/// What there is too much of.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "memory",
            Self::Steps => "work",
            Self::Findings => "model IDs",
        })
    }
}

/// The amounts of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of trees and copies of texts.
    pub bytes: usize,
    /// Steps: each about the work of one comparison of a name, or of [`BYTES_PER_STEP`] bytes of text.
    pub steps: usize,
    /// Model IDs, each counted once for each policy that evaluates it.
    pub findings: usize,
}

/// Bytes of text that a parser reads for one step.
pub const BYTES_PER_STEP: usize = 8;

impl Limits {
    /// The limits of a review: at most about 48 MiB, and a quarter of a second of one core.
    pub const REVIEW: Self = Self {
        bytes: 32 << 20,
        steps: 1 << 20,
        findings: 4096,
    };

    /// The limits of one document of a file that is no Kubernetes object of admission: 64 times those of a review.
    pub const FILE: Self = Self {
        bytes: Self::REVIEW.bytes * 64,
        steps: Self::REVIEW.steps * 64,
        findings: Self::REVIEW.findings * 64,
    };

    /// No limits: for texts of the product itself, and for tests.
    pub const NONE: Self = Self {
        bytes: usize::MAX,
        steps: usize::MAX,
        findings: usize::MAX,
    };
}

impl Budget {
    /// A budget of these amounts.
    pub const fn new(limits: Limits) -> Self {
        Self {
            bytes: Cell::new(limits.bytes),
            steps: Cell::new(limits.steps),
            findings: Cell::new(limits.findings),
            exhausted: Cell::new(None),
        }
    }

    /// Spends bytes of memory.
    pub fn spend_bytes(&self, bytes: usize) -> bool {
        self.spend(&self.bytes, bytes, Limit::Bytes)
    }

    /// Spends steps of work.
    pub fn spend_steps(&self, steps: usize) -> bool {
        self.spend(&self.steps, steps, Limit::Steps)
    }

    /// Spends the steps of reading a text once.
    pub fn spend_text(&self, text: &str) -> bool {
        self.spend_steps(text.len() / BYTES_PER_STEP)
    }

    /// Spends findings.
    pub fn spend_findings(&self, findings: usize) -> bool {
        self.spend(&self.findings, findings, Limit::Findings)
    }

    /// Marks the budget as exhausted: a tree would need more memory.
    pub fn exhaust_bytes(&self) {
        self.spend_bytes(usize::MAX);
    }

    /// The bytes that may still be spent.
    pub fn bytes_left(&self) -> usize {
        if self.exhausted.get().is_some() {
            return 0;
        }
        self.bytes.get()
    }

    /// The limit that was exceeded first, if one was.
    pub fn exhausted(&self) -> Option<Limit> {
        self.exhausted.get()
    }

    /// Subtracts an amount from the rest, or marks the budget as exhausted, which it stays.
    fn spend(&self, left: &Cell<usize>, amount: usize, limit: Limit) -> bool {
        if self.exhausted.get().is_some() {
            return false;
        }
        let rest = left.get().checked_sub(amount);
        left.set(rest.unwrap_or_default());
        if rest.is_none() {
            self.exhausted.set(Some(limit));
        }
        rest.is_some()
    }
}
