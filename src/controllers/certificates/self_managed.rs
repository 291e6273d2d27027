//! CAs that the controller creates itself and keeps in a Secret: connects the decisions of [`CaRotation`] to the API server. The
//! controller gets, lists, watches and updates that one Secret, and no other object.

use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;

use super::context::CertificateContext;
use super::keyring::{Ca, KeyPem, Keyring, Lifetimes};
use super::metrics::Certificate;
use super::rotation::{CaRotation, NewCa, Now, ServedLeaf, Task, WriteReason};
use super::secret::{self, CERTIFICATES_KEY, KEYRING_KEY, SecretContent};
use crate::controllers::reconcile::{self, Next, Reconciler};
use crate::tls::TlsError;
use crate::tls::authority::{Authority, CHECK_INTERVAL, Names};

/// How many tasks are done without a pause: to initialize a Secret takes three. The limit bounds a conflict with a program that
/// reverts each of them.
const MAX_TASKS: u32 = 8;

/// The pause after [`MAX_TASKS`].
const PAUSE: Duration = Duration::from_secs(1);

/// The names that a [`CaController`] uses.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespace of the Secret.
    pub namespace: String,
    /// Name of the Secret.
    pub secret: String,
    /// Annotation of the Secret that requests a rotation: each new value requests another one.
    pub rotate_annotation: String,
    /// Field manager of writes.
    pub field_manager: String,
    /// The name that the common names of all CAs begin with.
    pub ca_name: String,
    /// Subject and names of the leaf certificates.
    pub server: Names,
    /// Lifetimes and waiting times.
    pub lifetimes: Lifetimes,
}

/// Keeps the CAs of a Secret, and serves certificates of them.
pub struct CaController {
    /// For reads past all caches, and for writes.
    api: Api<Secret>,
    /// The watch of the Secret.
    secrets: BoxStream<'static, Option<Secret>>,
    settings: Settings,
    context: CertificateContext,
    rotation: CaRotation,
    /// The Secret as last observed: writes carry its resource version.
    object: Option<Secret>,
    logged: LoggedConditions,
}

/// Conditions that were logged, each once until it changes.
#[derive(Default, PartialEq, Eq)]
struct LoggedConditions {
    secret: Option<String>,
    delayed_request: bool,
}

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The API server refused a request, or did not respond.
    #[error("a request to the API server failed: {0}")]
    Api(#[from] kube::Error),
    /// A certificate could not be loaded or created.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A new leaf certificate does not verify.
    #[error("clients would reject the new leaf certificate: {0}")]
    Rejected(#[from] rustls::Error),
    /// The CAs could not be encoded.
    #[error("cannot encode the CAs: {0}")]
    Encode(#[from] secret::EncodeError),
}

impl CaController {
    /// A controller of the Secret that `settings` names. `secrets` is a watch of it: each state of the Secret, `None` while it does
    /// not exist. `client` must not retry requests.
    pub fn new(
        client: kube::Client,
        secrets: BoxStream<'static, Option<Secret>>,
        settings: Settings,
        context: CertificateContext,
    ) -> Self {
        Self {
            api: Api::namespaced(client, &settings.namespace),
            secrets,
            rotation: CaRotation::new(&settings.ca_name, settings.lifetimes),
            settings,
            context,
            object: None,
            logged: LoggedConditions::default(),
        }
    }

    /// Runs forever. Failures are logged and retried.
    pub async fn run(self) {
        reconcile::run(self).await;
    }

    // --- observations

    fn observe(&mut self, object: Option<Secret>) {
        let (content, request) = self.read(object);
        self.rotation.observe_secret(content, request, now());
    }

    /// The content of the Secret, and the rotation request on it.
    fn read(&mut self, object: Option<Secret>) -> (SecretContent, Option<String>) {
        let annotation = &self.settings.rotate_annotation;
        let (content, request) = parse(object.as_ref(), annotation);
        self.log_content(&content);
        self.object = object;
        (content, request)
    }

    // --- tasks

    /// Does all tasks that are due. Returns how long to wait for the next one.
    async fn tasks(&mut self) -> Result<Duration, CaError> {
        for _ in 0..MAX_TASKS {
            if let Some(wait) = self.task().await? {
                return Ok(wait.min(CHECK_INTERVAL));
            }
        }
        Ok(PAUSE)
    }

    /// Does one task. Returns a waiting time if none is due.
    async fn task(&mut self) -> Result<Option<Duration>, CaError> {
        let (now, is_leader) = (now(), self.context.is_leader());
        if !is_leader {
            self.rotation.observe_no_leadership();
        }
        if let Some(observed) = self.context.observed() {
            self.rotation.observe_trust(observed, now);
        }
        self.serve(now.wall)?;
        self.publish(is_leader, now.wall);
        match self.rotation.task(is_leader, now) {
            Task::Confirm => self.confirm().await?,
            Task::Create(new) => {
                let reason = new.reason;
                let keyring = create(new, &self.settings.ca_name, now.wall)?;
                self.write(&keyring, reason).await?;
            }
            Task::Write(keyring, reason) => self.write(&keyring, reason).await?,
            Task::Wait(wait) => return Ok(Some(wait.unwrap_or(CHECK_INTERVAL))),
        }
        Ok(None)
    }

    /// Serves a new leaf certificate, if one is needed.
    fn serve(&mut self, now: SystemTime) -> Result<(), CaError> {
        let Some(ca) = self.rotation.issuer(now) else {
            return Ok(());
        };
        let Settings {
            server, lifetimes, ..
        } = &self.settings;
        let authority = Authority::load(&ca.anchor.pem(), ca.key.reveal())?;
        let leaf = authority.issue_for(lifetimes.leaf, server, now)?;
        let (issuer, validity) = (ca.fingerprint(), leaf.validity);
        let bundle = self.rotation.known().bundle(now, lifetimes);
        for name in &server.dns {
            bundle.verify(&leaf.pair, name, now)?;
        }
        self.context.resolver.replace(leaf.pair);
        self.rotation.record_served(ServedLeaf { issuer, validity });
        let metrics = &self.context.metrics;
        metrics.count_issued();
        metrics.set_expiration(Certificate::Served, Some(validity.not_after));
        tracing::info!(ca = issuer.short(), "serving a new certificate");
        Ok(())
    }

    /// Publishes what clients shall trust, readiness and metrics.
    fn publish(&mut self, is_leader: bool, now: SystemTime) {
        self.context
            .publish(self.rotation.desired_trust(is_leader, now));
        let ready = self.rotation.ready(now);
        if self.context.readiness.set(ready.is_ok())
            && let Err(reason) = ready
        {
            tracing::error!(%reason, "not ready");
        }
        let metrics = &self.context.metrics;
        metrics.set_keyring(self.rotation.known(), now);
        let stored = self.rotation.secret().keyring();
        let newest = stored.and_then(|keyring| keyring.cas().last());
        metrics.set_expiration(Certificate::Stored, newest.map(|ca| ca.anchor.not_after));
        let delayed = self.rotation.delays_request();
        if delayed && !self.logged.delayed_request {
            tracing::warn!(
                secret = self.settings.secret,
                "a rotation is requested, but the maximum number of CAs is trusted: the new CA is created when one of them has expired"
            );
        }
        self.logged.delayed_request = delayed;
    }

    /// Reads the Secret past all caches.
    async fn confirm(&mut self) -> Result<(), CaError> {
        let object = self.api.get_opt(&self.settings.secret).await?;
        let (content, request) = self.read(object);
        self.rotation.confirm(content, request, now());
        Ok(())
    }

    /// Writes the Secret as last observed, with another keyring. On a conflict, the Secret is read again.
    async fn write(&mut self, keyring: &Keyring, reason: WriteReason) -> Result<(), CaError> {
        let Some(mut object) = self.object.clone() else {
            return Ok(());
        };
        let document = ByteString(secret::encode(keyring)?);
        let certificates = ByteString(secret::certificates_pem(keyring).into_bytes());
        let data = object.data.get_or_insert_default();
        data.insert(KEYRING_KEY.to_owned(), document);
        data.insert(CERTIFICATES_KEY.to_owned(), certificates);
        let params = PostParams {
            field_manager: Some(self.settings.field_manager.clone()),
            ..PostParams::default()
        };
        let name = &self.settings.secret;
        match self.api.replace(name, &params, &object).await {
            Ok(object) => {
                self.context.metrics.count_write(reason);
                log_write(name, keyring, reason);
                self.observe(Some(object));
                Ok(())
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                tracing::debug!(secret = name, "the Secret was written by another client");
                let object = self.api.get_opt(name).await?;
                self.observe(object);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    // --- log

    fn log_content(&mut self, content: &SecretContent) {
        let problem = match content {
            SecretContent::Unread | SecretContent::Empty | SecretContent::Keyring(_) => None,
            SecretContent::Missing => {
                Some("the Secret is missing; reinstall or upgrade the release".to_owned())
            }
            SecretContent::Invalid(cause) => Some(format!("the content is invalid: {cause}")),
            SecretContent::NewerVersion(version) => Some(format!(
                "the content has version {version} of a later release; upgrade this release"
            )),
        };
        if let Some(problem) = problem.as_ref().filter(|_| problem != self.logged.secret) {
            let secret = &self.settings.secret;
            if matches!(content, SecretContent::Missing) {
                // An uninstallation deletes the Secret before this process ends.
                tracing::warn!(secret, "cannot use the CAs: {problem}");
            } else {
                tracing::error!(secret, "cannot use the CAs: {problem}");
            }
        }
        self.logged.secret = problem;
    }
}

impl Reconciler for CaController {
    type Error = CaError;
    const NAME: &'static str = "certificates";

    async fn changed(&mut self) {
        tokio::select! {
            Some(object) = self.secrets.next() => self.observe(object),
            () = self.context.changed() => {}
        }
    }

    async fn step(&mut self) -> Result<Next, CaError> {
        match self.tasks().await {
            Ok(wait) => Ok(Next::Within(wait)),
            Err(error) => {
                self.context.metrics.count_failure();
                Err(error)
            }
        }
    }
}

fn now() -> Now {
    Now {
        wall: SystemTime::now(),
        monotonic: Instant::now(),
    }
}

fn parse(object: Option<&Secret>, annotation: &str) -> (SecretContent, Option<String>) {
    let Some(object) = object else {
        return (SecretContent::Missing, None);
    };
    let document = object.data.as_ref().and_then(|data| data.get(KEYRING_KEY));
    let annotations = object.metadata.annotations.as_ref();
    let request = annotations.and_then(|annotations| annotations.get(annotation));
    (
        SecretContent::parse(document.map(|document| document.0.as_slice())),
        request.cloned(),
    )
}

/// Creates a CA, beside the others.
fn create(new: NewCa, name: &str, now: SystemTime) -> Result<Keyring, TlsError> {
    let authority = Authority::valid_until(new.not_after, name, now)?;
    let key = KeyPem::new(&authority.key_pem());
    let ca = Ca::new(authority.anchor().clone(), key, new.signs.then_some(now));
    Ok(new.beside.with_ca(ca, new.request))
}

fn log_write(secret: &str, keyring: &Keyring, reason: WriteReason) {
    let newest = keyring.cas().last();
    let ca = newest.map(|ca| ca.fingerprint().short());
    let ca = ca.unwrap_or_default();
    match reason {
        WriteReason::Initial | WriteReason::Scheduled | WriteReason::Requested => {
            tracing::info!(secret, ca, reason = reason.as_str(), "created a CA");
        }
        WriteReason::Activated => tracing::info!(secret, ca, "the CA signs from now on"),
        WriteReason::Restored => tracing::warn!(
            secret,
            "restored CAs that were missing from the Secret; check whether another tool replaces it"
        ),
    }
}
