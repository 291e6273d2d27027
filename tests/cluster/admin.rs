//! The admin port of the product: whether it is ready, and its metrics.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// How long a port may take to answer.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The address of `/livez`, `/readyz` and `/metrics`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin(pub(crate) SocketAddr);

impl Admin {
    /// The answer, with its head.
    pub(crate) fn get(self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.0, MAX_WAIT)?;
        stream.set_read_timeout(Some(MAX_WAIT))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.0
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Whether it says that it is ready; not where nobody answers.
    pub(crate) fn is_ready(self) -> bool {
        self.get("/readyz")
            .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The value of a metric, with its labels as they are printed.
    pub(crate) fn metric(self, series: &str) -> Result<Option<f64>> {
        let text = self.get("/metrics")?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().context("a metric is a number"))
            .transpose()
    }
}
