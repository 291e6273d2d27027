//! Why there is no connection, in words for a user: the causes that `kube` reports are chains of types.

use std::error::Error;
use std::io;
use std::time::Duration;

use kube::client::AuthError;

/// Failures of connections, in words.
const NETWORK_FAILURES: [(io::ErrorKind, &str); 5] = [
    (io::ErrorKind::ConnectionRefused, "connection refused"),
    (io::ErrorKind::ConnectionReset, "connection reset"),
    (io::ErrorKind::TimedOut, "timeout"),
    (io::ErrorKind::NetworkUnreachable, "no route to the host"),
    (io::ErrorKind::HostUnreachable, "no route to the host"),
];

/// The cause of a request without a response.
pub(super) fn connection_failure(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| cause_of(error));
    for cause in causes.clone() {
        if let Some(error) = cause.downcast_ref::<kube::Error>()
            && let Some(failure) = credential_failure(error)
        {
            return failure;
        }
        if let Some(certificate) = cause.downcast_ref::<rustls::Error>() {
            return tls_failure(certificate);
        }
        if let Some(failure) = cause.downcast_ref::<io::Error>().and_then(network_failure) {
            return failure;
        }
        if matches!(
            cause.downcast_ref::<kube::Error>(),
            Some(kube::Error::SerdeError(_))
        ) {
            return "its response is not that of an API server".to_owned();
        }
    }
    causes.last().unwrap_or(error).to_string()
}

/// The cause of an error; of an [`io::Error`] that wraps another error, that one.
fn cause_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn network_failure(error: &io::Error) -> Option<String> {
    // What the resolver of the standard library reports has no kind of its own.
    if error.to_string().contains("failed to lookup address") {
        return Some("the name of the host is not found".to_owned());
    }
    let mut known = NETWORK_FAILURES.iter();
    let found = known.find(|(kind, _)| *kind == error.kind());
    found.map(|(_, text)| (*text).to_owned())
}

fn tls_failure(error: &rustls::Error) -> String {
    if let rustls::Error::InvalidCertificate(reason) = error {
        return format!(
            "its certificate is not trusted ({reason:?}); the cluster in the kubeconfig needs its certificate-authority-data"
        );
    }
    format!("no TLS connection: {error}")
}

/// No response for this long.
pub(super) fn silence(time: Duration) -> String {
    format!("no response within {} seconds", time.as_secs())
}

/// How the credential plugin of the kubeconfig failed, if that is the error. Its arguments, its variables and its standard output
/// are not shown: they may be secrets.
pub(super) fn credential_failure(error: &kube::Error) -> Option<String> {
    let kube::Error::Auth(error) = error else {
        return None;
    };
    let AuthError::AuthExecRun { out, .. } = error else {
        return Some(error.to_string());
    };
    let printed = String::from_utf8_lossy(&out.stderr);
    let last = printed
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    let last = last.map(|line| format!(": {line}")).unwrap_or_default();
    Some(format!(
        "the credential plugin ended with {}{last}",
        out.status
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Wrapped(#[source] io::Error);

    fn cause(error: io::Error) -> String {
        connection_failure(&kube::Error::Service(Box::new(Wrapped(error))))
    }

    #[test]
    fn the_innermost_known_cause_is_named() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(cause(refused()), "connection refused");
        assert_eq!(
            cause(io::Error::other(Wrapped(refused()))),
            "connection refused"
        );
        let timeout = io::Error::new(io::ErrorKind::TimedOut, "deadline has elapsed");
        assert_eq!(cause(timeout), "timeout");
        let name =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(cause(name), "the name of the host is not found");
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let certificate = cause(io::Error::other(unknown));
        assert!(
            certificate.contains("not trusted (UnknownIssuer)"),
            "{certificate}"
        );
        assert_eq!(cause(io::Error::other("another")), "another");
    }

    #[test]
    fn a_failed_credential_plugin_is_named_without_its_standard_output() {
        let out = Output {
            status: ExitStatus::from_raw(255 << 8),
            stdout: b"a-token".to_vec(),
            stderr: b"Warning: x\nThe SSO session has expired\n\n".to_vec(),
        };
        let failed = AuthError::AuthExecRun {
            cmd: "aws --secret".to_owned(),
            out: Box::new(out),
        };
        let text = credential_failure(&kube::Error::Auth(failed)).unwrap();
        assert_eq!(
            text,
            "the credential plugin ended with exit status: 255: The SSO session has expired"
        );
    }
}
