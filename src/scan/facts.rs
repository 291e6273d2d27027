//! First pass: what a text defines for others and takes from them, and the counts of one that has no findings.

use std::collections::HashSet;

use crate::text::SyntaxError;

use super::config_maps::{self, ConfigMapDigest};
use super::files::SourceFile;
use super::namespaces::{self, NamespaceFacts};
use super::parts::FilePart;
use super::prefilter::{may_define_namespaces, may_have_findings, may_refer};
use super::{OverriddenKeyPosition, ParsedFile, Scan, ScanResult};

/// The marks of Helm's, Jinja's and other templates, which are valid only once they are rendered.
const TEMPLATE_MARKS: [&str; 2] = ["{{", "{%"];

/// What is wrong with the texts of a file.
#[derive(Debug, Default)]
pub struct SyntaxProblems {
    /// The documents that cannot be parsed, and were read line by line.
    pub unread: Vec<SyntaxError>,
    /// Whether the file is a template, which is valid only once it is rendered.
    pub is_template: bool,
    /// The first key whose value a later one overrides.
    pub overridden: Option<OverriddenKeyPosition>,
}

/// What is known of a file, or of a part of it, after the first pass.
pub(super) struct TextFacts {
    /// Whether there is nothing but white space.
    pub(super) is_blank: bool,
    /// The number of documents.
    pub(super) documents: usize,
    pub(super) written_by_tool: bool,
    /// See [`ParsedFile::has_separate_documents`].
    pub(super) has_separate_documents: bool,
    pub(super) namespaces: Vec<NamespaceFacts>,
    /// The fingerprints of the names of ConfigMaps that the objects refer to.
    pub(super) references: HashSet<u64>,
    pub(super) later: LaterPasses,
    /// What is wrong; nothing if the text was not parsed.
    pub(super) problems: SyntaxProblems,
    /// The counts of a text that has no findings.
    pub(super) counts: ScanResult,
}

/// What later passes read a text for.
#[derive(Debug)]
pub(super) struct LaterPasses {
    /// The last pass evaluates it.
    pub(super) may_have_findings: bool,
    /// The second pass reads its ConfigMaps, which edits may change.
    pub(super) may_edit_config_maps: bool,
    /// The ConfigMaps that no edit changes. The second pass reads them if objects refer to one.
    pub(super) config_maps: Box<[ConfigMapDigest]>,
}

impl SyntaxProblems {
    /// What is wrong with a file that was parsed.
    pub(super) fn of(parsed: ParsedFile<'_>) -> Self {
        Self {
            is_template: TEMPLATE_MARKS.iter().any(|mark| parsed.text.contains(mark)),
            overridden: parsed.overridden_key(),
            unread: parsed.unread,
        }
    }

    /// Adds those of the next part of the file.
    pub(super) fn add(&mut self, other: Self) {
        self.unread.extend(other.unread);
        self.is_template |= other.is_template;
        self.overridden = match (self.overridden, other.overridden) {
            (Some(first), Some(more)) => Some(OverriddenKeyPosition {
                others: first.others + 1 + more.others,
                ..first
            }),
            (first, more) => first.or(more),
        };
    }
}

impl TextFacts {
    /// The facts of a file. What cannot be read again is evaluated in the last pass in any case: `fix` prints it.
    pub(super) fn of_file(scan: &Scan<'_>, file: &SourceFile) -> Self {
        let has_findings =
            file.path.is_none() || may_have_findings(&scan.view.snapshot, &file.text);
        let is_parsed_later =
            has_findings && !may_define_namespaces(&file.text) && !may_refer(&file.text);
        if is_parsed_later {
            return Self::unparsed(&file.text);
        }
        Self::of(scan, file.parse(), has_findings)
    }

    /// The facts of a part of a file.
    pub(super) fn of_part(scan: &Scan<'_>, name: &str, part: &FilePart) -> Self {
        let has_findings = may_have_findings(&scan.view.snapshot, &part.text);
        Self::of(scan, ParsedFile::parse_part(name, part), has_findings)
    }

    /// Those of a text that says nothing about other files but, perhaps, ConfigMaps.
    fn unparsed(text: &str) -> Self {
        Self {
            is_blank: text.trim().is_empty(),
            documents: 0,
            written_by_tool: false,
            has_separate_documents: false,
            namespaces: Vec::new(),
            references: HashSet::new(),
            later: LaterPasses {
                may_have_findings: true,
                may_edit_config_maps: config_maps::may_define(text),
                config_maps: Box::default(),
            },
            problems: SyntaxProblems::default(),
            counts: ScanResult::default(),
        }
    }

    fn of(scan: &Scan<'_>, parsed: ParsedFile<'_>, may_have_findings: bool) -> Self {
        let mut facts = Self {
            documents: parsed.trees.len(),
            written_by_tool: parsed.written_by_tool,
            has_separate_documents: parsed.has_separate_documents(),
            namespaces: namespaces::facts(&parsed),
            ..Self::unparsed(parsed.text)
        };
        if may_have_findings {
            if may_refer(parsed.text) {
                let trees = parsed.trees.iter();
                facts.references = trees.flat_map(config_maps::referenced_names).collect();
            }
        } else {
            facts.later = LaterPasses {
                may_have_findings,
                may_edit_config_maps: false,
                config_maps: config_maps::digests(scan, &parsed),
            };
            facts.counts = scan.counts(&parsed);
        }
        facts.problems = SyntaxProblems::of(parsed);
        facts
    }
}
