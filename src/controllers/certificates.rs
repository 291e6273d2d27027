//! Serving certificates for an admission webhook, with rotation that never fails a call.
//!
//! # Promise
//!
//! Every certificate that a replica serves is accepted by every API server, at all times: while CAs rotate, while replicas and
//! leaders restart in the middle of a rotation, while watches are minutes late, while the Secret or a webhook configuration is
//! reset, and while clocks differ. After an outage in which all certificates expired, the replicas recover without help.
//!
//! One case is outside of the promise: a process that starts after another program has replaced the CA of mounted files, and before
//! the leader has published that CA, serves a leaf that clients reject. It has no older leaf. The time between the two is that of the kubelet,
//! which updates the leader's files within about a minute, and [`tls::files::RELOAD_INTERVAL`](crate::tls::files::RELOAD_INTERVAL).
//!
//! # States
//!
//! A CA passes through these states, and never back:
//!
//! | state | the CA is | it begins when |
//! |---|---|---|
//! | publish | in the Secret, and in the CA bundle of every client | the leader created it |
//! | serve | also the issuer of all new leaf certificates | every client has trusted it for [`Lifetimes::publication`] |
//! | retire | still trusted, and issues nothing | a newer CA serves |
//! | (gone) | removed from the Secret and from all bundles | it expired by every clock |
//!
//! The order is kept without comparing clocks of two machines: a CA issues leaves once the Secret says that it does
//! ([`keyring::Ca::signs_from`]), and the leader writes that only after it read the CA back from every client's bundle.
//!
//! # Parts
//!
//! - [`self_managed::CaController`] keeps the CAs in a Secret. Its decisions are those of [`rotation::CaRotation`], a pure state
//!   machine over a [`keyring::Keyring`].
//! - [`from_files::FileCertificates`] serves certificates that cert-manager or the user provides as files, and applies the same
//!   order to them.
//! - Neither writes to clients. [`trust::DesiredTrust`] is what every client shall trust, and [`trust::ObservedTrust`] is what
//!   they do trust; the embedding program applies the one and reports the other ([`context::CertificateContext`]).
//!
//! The names of the Secret, its annotation, the field manager, the CAs and the server are arguments ([`self_managed::Settings`]).
//!
//! # Assumptions
//!
//! - The Secret exists, possibly empty; the controller gets, watches and updates it, and creates nothing.
//! - At most one replica leads at a time ([`Leadership`]). A second one for an hour does no harm: writes carry the resource version
//!   that they are based on, and a new leader reads the Secret past all caches before it acts.
//! - Wall clocks differ by at most [`CLOCK_SKEW`]. Waiting times use the monotonic clock of the process.
//!
//! # Simulation
//!
//! `tests/simulation.rs` runs these state machines with three replicas for months and years of virtual time, over many seeds: with
//! watches up to ten minutes late, stale API servers, clocks up to an hour apart, replicas that stall for days, emptied Secrets, reset
//! configurations, a leader that dies after each of its writes, and two replicas that lead at once. One world is for CAs in the Secret, with numbers instead of
//! certificates and with real ones; the other for mounted files, with real ones. After every event each leaf that is served must be accepted by each API server. Faults
//! that are planted into the replicas must be found: a CA that signs or a leaf that is served before clients trust it, and a CA that is removed while it is
//! in use. `tests/rotation.rs` covers single decisions.
//!
//! The simulation runs the code itself. A model checker would check a model of it instead, whose finite states have no clocks that
//! differ and no certificates that expire.
//!
//! [`CLOCK_SKEW`]: crate::tls::trust::CLOCK_SKEW
//! [`Lifetimes::publication`]: keyring::Lifetimes::publication
//! [`Leadership`]: crate::cluster::leader_election::Leadership

pub mod context;
pub mod from_files;
pub mod keyring;
pub mod metrics;
pub mod rotation;
pub mod secret;
pub mod self_managed;
pub mod trust;

#[cfg(test)]
mod tests;
