//! What connections may cost, and why these figures.

use std::time::Duration;

/// What connections may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; one more is closed at once.
    pub connections: usize,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the handshake to the end of the first request's header.
    pub first_request: Duration,
    /// From an answer to the end of the next request's header.
    pub idle: Duration,
    /// Bytes of a request's header, and of one read.
    pub header: usize,
    /// From the begin of a drain to the end of accepting, with `Connection: close` on each answer.
    pub lame_duck: Duration,
    /// From the end of accepting to the end of what is still in flight.
    pub in_flight: Duration,
}

impl Limits {
    /// API servers have no bound of their own on connections to one webhook, but run at most 200 changing requests
    /// at once (`--max-mutating-requests-inflight`); five of them make 1,000.
    pub const CONNECTIONS: usize = 1024;
    /// The TLS handshake timeout of the API server's client; who needs longer has given up already.
    pub const HANDSHAKE: Duration = Duration::from_secs(10);
    /// As long as the handshake: a client that connects has something to say.
    pub const FIRST_REQUEST: Duration = Duration::from_secs(10);
    /// The API server drops a connection that idles for 90 s. Ours must last longer, else we close it just as a
    /// request is under way, which is a failed review: a third longer.
    pub const IDLE: Duration = Duration::from_mins(2);
    /// A request of an API server has about 1 KiB of header; 64 KiB also bound one read, so that all connections
    /// together buffer at most 64 MiB.
    pub const HEADER: usize = 64 * 1024;
    /// Endpoints reach kube-proxy and the API server's resolver within a second or two; three seconds lost nothing
    /// in trials, five leave room.
    pub const LAME_DUCK: Duration = Duration::from_secs(5);
    /// The longest that a webhook's `timeoutSeconds` can be is 30 s, ours is at most 10. Together with the lame duck
    /// this is half of a Pod's default grace period of 30 s.
    pub const IN_FLIGHT: Duration = Duration::from_secs(10);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Self::CONNECTIONS,
            handshake: Self::HANDSHAKE,
            first_request: Self::FIRST_REQUEST,
            idle: Self::IDLE,
            header: Self::HEADER,
            lame_duck: Self::LAME_DUCK,
            in_flight: Self::IN_FLIGHT,
        }
    }
}
