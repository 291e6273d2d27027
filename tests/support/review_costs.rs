//! What the evaluation of a review costs in memory, counted by the allocator: the same on every machine.
#![allow(clippy::unwrap_used, reason = "a violation is a panic")]

use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bytes::Bytes;

/// The maximum memory of a review above that of an idle process, its body included, in bytes.
pub(crate) const MOST_MEMORY: usize = 64 << 20;

/// The maximum of all allocations of a review, in bytes. A copy that is made again for each ID, name or item exceeds it long before
/// it takes that much memory at once.
pub(crate) const MOST_ALLOCATED: usize = 512 << 20;

/// What a review costs, in bytes.
#[derive(Debug)]
pub(crate) struct Costs {
    /// The most memory at once, the body included.
    pub(crate) peak: usize,
    /// All allocations.
    pub(crate) allocated: usize,
    response: Bytes,
}

/// What a review costs, with its response.
pub(crate) fn costs(handler: &AdmissionHandler, body: &[u8]) -> Costs {
    let mut response = None;
    let counted = allocation_counter::measure(|| {
        response = Some(handler.handle(Endpoint::Mutate, body, ConfigMapWait::Exhausted));
    });
    let bytes = |count: u64| usize::try_from(count).unwrap();
    Costs {
        peak: bytes(counted.bytes_max) + body.len(),
        allocated: bytes(counted.bytes_total),
        response: response.unwrap().unwrap(),
    }
}

/// The response to a review, whose memory is held, its body included.
pub(crate) fn response_within(handler: &AdmissionHandler, body: &[u8], what: &str) -> Bytes {
    let Costs {
        peak,
        allocated,
        response,
    } = costs(handler, body);
    println!(
        "{:>6} KiB of {:>7} KiB, body {:>6} KiB: {what}",
        peak >> 10,
        allocated >> 10,
        body.len() >> 10
    );
    assert!(peak <= MOST_MEMORY, "{what}: {peak} bytes at once");
    assert!(allocated <= MOST_ALLOCATED, "{what}: {allocated} bytes");
    response
}
