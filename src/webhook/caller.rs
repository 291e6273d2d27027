//! Which callers may send reviews, where that is limited: those whose client certificate has an allowed common name.
//!
//! The TLS handshake has verified the certificate by the configured CAs. The common name is checked besides, since a CA may issue other
//! certificates too: that of a cluster issues one to each kubelet. A request is refused before its body is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::runtime::http::PeerCertificate;

use super::body::{BodyReader, RequestRejected};

/// Limits who may send reviews.
#[derive(Clone, Debug)]
pub struct CallerGate {
    common_names: BTreeSet<Box<str>>,
    reader: BodyReader,
}

impl CallerGate {
    /// A gate for callers whose client certificate has one of these common names. `reader` counts refusals.
    pub fn new(common_names: impl IntoIterator<Item = String>, reader: BodyReader) -> Self {
        Self {
            common_names: common_names.into_iter().map(Into::into).collect(),
            reader,
        }
    }

    /// The routes for allowed callers only.
    pub fn limit(self, router: Router) -> Router {
        router.route_layer(from_fn_with_state(Arc::new(self), admit))
    }

    fn check(&self, certificate: Option<&[u8]>) -> Result<(), RequestRejected> {
        let certificate = certificate.ok_or(RequestRejected::Unauthenticated)?;
        let name = common_name(certificate).ok_or(RequestRejected::NotAllowed)?;
        if self.common_names.contains(name.as_str()) {
            Ok(())
        } else {
            Err(RequestRejected::NotAllowed)
        }
    }
}

/// Passes the requests of allowed callers on.
async fn admit(
    State(gate): State<Arc<CallerGate>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let certificate = request.extensions().get::<PeerCertificate>();
    match gate.check(certificate.map(PeerCertificate::der)) {
        Ok(()) => next.run(request).await,
        Err(reason) => {
            gate.reader.count(reason);
            reason.into_response()
        }
    }
}

/// The common name of the subject; `None` for none or several, of which other programs choose another.
fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next().filter(|_| names.next().is_none())?;
    name.as_str().ok().map(str::to_owned)
}
