//! Limits of connections, and the reasons for the defaults.

use std::time::Duration;

/// Limits of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. A further one takes the place of the one that waits longest for its client; it is closed at
    /// once if all have a whole request in flight.
    pub connections: usize,
    /// Maximum time from the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// Maximum time from the handshake to the end of the first request's header.
    pub first_request: Duration,
    /// Maximum time from a response to the end of the next request's header.
    pub idle: Duration,
    /// Maximum time without progress while a response is written.
    pub write: Duration,
    /// Maximum size of a request's header, and of one read, in bytes.
    pub header: usize,
    /// How long a draining server continues to accept, with `Connection: close` on each response.
    pub lame_duck: Duration,
    /// Maximum time from the end of the lame duck period, or from the handshake if it is later, to the end of the header of a request
    /// on a connection that has had none.
    pub last_request: Duration,
    /// How long a draining server then waits for requests in flight.
    pub in_flight: Duration,
}

impl ConnectionLimits {
    /// API servers do not limit connections to a webhook, but run at most 200 mutating requests at once
    /// (`--max-mutating-requests-inflight`); five API servers make 1,000.
    pub const CONNECTIONS: usize = 1024;
    /// The TLS handshake timeout of the API server's client.
    pub const HANDSHAKE: Duration = Duration::from_secs(10);
    /// As long as the handshake: a client connects to send a request.
    pub const FIRST_REQUEST: Duration = Duration::from_secs(10);
    /// The API server closes a connection that is idle for 90 s. The server must wait longer, or it could close a connection just
    /// as a request arrives, which fails the review: a third longer.
    pub const IDLE: Duration = Duration::from_mins(2);
    /// As long as an API server waits for a response by default: after that it reads none.
    pub const WRITE: Duration = Duration::from_secs(10);
    /// A request of an API server has about 1 KiB of header. One read is at most as large as a TLS record, so that all
    /// connections together buffer at most 16 MiB.
    pub const HEADER: usize = 16 * 1024;
    /// Endpoint changes reach kube-proxy and the API server within a second or two. Three seconds lost no request in trials;
    /// five leave a margin.
    pub const LAME_DUCK: Duration = Duration::from_secs(5);
    /// A client that connects sends its request at once.
    pub const LAST_REQUEST: Duration = Duration::from_secs(1);
    /// The default `timeoutSeconds` of a webhook configuration. Together with the lame duck period this is half of a Pod's default
    /// termination grace period of 30 s.
    pub const IN_FLIGHT: Duration = Duration::from_secs(10);
}

impl ConnectionLimits {
    /// Limits of a port for probes and metrics. The kubelet connects for each probe and sends its request at once, and a scraper keeps
    /// one connection, so that a few dozen connections suffice.
    pub fn of_probes() -> Self {
        Self {
            connections: 64,
            header: 8 * 1024,
            ..Self::default()
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: Self::CONNECTIONS,
            handshake: Self::HANDSHAKE,
            first_request: Self::FIRST_REQUEST,
            idle: Self::IDLE,
            write: Self::WRITE,
            header: Self::HEADER,
            lame_duck: Self::LAME_DUCK,
            last_request: Self::LAST_REQUEST,
            in_flight: Self::IN_FLIGHT,
        }
    }
}
