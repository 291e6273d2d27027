//! Faults of the world, which replicas must survive, and faults of replicas, which the invariant must find.

/// A fault or a request from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::controllers::certificates::tests) enum Fault {
    /// A user requests a rotation.
    RequestRotation,
    /// The Secret is emptied.
    EmptySecret,
    /// A client's configuration is reset, so that it calls no webhook.
    ResetConfiguration(usize),
    /// A replica dies.
    Kill(usize),
    /// A replica observes nothing for so many seconds.
    Stall(usize, u64),
    /// The clock of a replica is set forward or back by so many seconds.
    SetClock(usize, i64),
    /// Another replica is elected, while the leader believes for so many seconds that it still leads.
    Overlap(u64),
}

/// A fault that is planted into every replica, which the invariant has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::controllers::certificates::tests) enum Flaw {
    /// A CA signs as soon as it is created, before any client trusts it.
    SignsUnpublished,
    /// The leader removes every CA but the signing one from the clients, while replicas serve leaves of others.
    RemovesRetiring,
}
