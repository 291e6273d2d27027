//! Serving certificates for an admission webhook, with rotation that never fails a call.
//!
//! # Promise
//!
//! Every certificate that a replica serves is accepted by every API server, at all times: while CAs rotate, while replicas and
//! leaders restart in the middle of a rotation, while watches are minutes late, while the Secret or a webhook configuration is
//! reset, and while clocks differ. After an outage in which all certificates expired, the replicas recover without help.
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
//! - At most one replica leads at a time ([`Leadership`]). A leader that is late does no harm: writes carry the resource version
//!   that they are based on, and a new leader reads the Secret past all caches before it acts.
//! - Wall clocks differ by at most [`CLOCK_SKEW`]. Waiting times use the monotonic clock of the process.
//!
//! # Simulation
//!
//! `tests/simulation.rs` runs these state machines for two years of virtual time, over many seeds: with watches up to ten minutes
//! late, stale API servers, clocks up to an hour apart, replicas that stall for days, emptied Secrets, reset configurations, and a
//! leader that dies after each of its writes. After every event it checks that each served leaf is accepted by each API server. `tests/rotation.rs` covers single
//! decisions.
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
