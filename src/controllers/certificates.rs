//! The serving certificate in a cluster: publish, then serve, then retire. A CA is told to whoever trusts, before anybody
//! serves by it, and is trusted until its end.
//!
//! [`own::Keeper`] keeps CAs of ours in a Secret; its decisions are [`replica::Replica`]'s, over a [`keyring::Keyring`].
//! [`mounted::Follower`] serves what the user or cert-manager gives in files.
//! Nobody here writes configurations: [`published::Target`] says what they are to trust, and what they do trust is read back.

pub mod keyring;
pub mod metrics;
pub mod mounted;
pub mod own;
pub mod published;
pub mod replica;
pub mod stored;
pub mod ties;

#[cfg(test)]
mod tests;
