//! CAs of our own, in the Secret that the chart ships empty: the edge to the API server around a [`Replica`]'s mind. Only
//! that one Secret is touched, by get, list, watch and update.

use std::time::{Duration, Instant, SystemTime};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::keyring::{Ca, KeyPem, Keyring, Lives};
use super::metrics::Certificate;
use super::replica::{Mint, Now, Reason, Replica, Served, Task};
use super::stored::{self, CERTIFICATES_KEY, KEY, Stored};
use super::ties::Ties;
use crate::controllers::client::Clients;
use crate::controllers::installation::{GROUP, Installation, Manager};
use crate::controllers::watch::{self, Change, Sort};
use crate::tls::TlsError;
use crate::tls::authority::{Authority, CHECK_EVERY, Names};

/// How long to wait until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How many steps follow each other at once: to fill a Secret takes three. Who undoes each of them is not answered in kind.
const MOST_STEPS: u32 = 8;

/// Keeps the CAs, and serves by them.
pub struct Keeper {
    /// For reading what no cache answers, and for writing.
    api: Api<Secret>,
    /// For following.
    reading: Api<Secret>,
    name: String,
    names: Names,
    lives: Lives,
    ties: Ties,
    watches: watch::Metrics,
    replica: Replica,
    /// The Secret as it was last seen: what is written rests on its version.
    object: Option<Secret>,
    said: Said,
}

/// What the log was told, so that it is told once.
#[derive(Default, PartialEq, Eq)]
struct Said {
    secret: Option<String>,
    trouble: bool,
    postponed: bool,
}

/// Why a step could not be taken.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the API server refused: {0}")]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("a leaf was made that clients would not take: {0}")]
    Untaken(#[from] rustls::Error),
    #[error("the CAs cannot be written as text: {0}")]
    Text(String),
}

impl Keeper {
    /// A keeper of the installation's Secret, with leaves for its Service.
    pub fn new(
        clients: &Clients,
        installation: &Installation,
        lives: Lives,
        ties: Ties,
        watches: watch::Metrics,
    ) -> Self {
        let api = |client: &kube::Client| Api::namespaced(client.clone(), &installation.namespace);
        Self {
            api: api(&clients.writing),
            reading: api(&clients.reading),
            name: installation.ca_secret(),
            names: Names {
                dns: installation.service_names(),
                ips: Vec::new(),
            },
            lives,
            ties,
            watches,
            replica: Replica::new(lives),
            object: None,
            said: Said::default(),
        }
    }

    /// Runs for ever. What fails is logged and tried again.
    pub async fn run(mut self) {
        let (taker, mut mail) = mpsc::channel(8);
        let following = watch::follow(
            self.reading.clone(),
            watch::config_of_one(&self.name),
            Sort::Authorities,
            self.watches.clone(),
            taker,
            Result::ok,
        );
        let _following = AbortOnDropHandle::new(tokio::spawn(following));
        let mut listed = None;
        loop {
            let wait = self.steps().await;
            tokio::select! {
                Some(change) = mail.recv() => self.hear(change, &mut listed),
                () = self.ties.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    // --- what is seen

    fn hear(&mut self, change: Change<Secret>, listed: &mut Option<Secret>) {
        match change {
            Change::Restarted => *listed = None,
            Change::Listed(object) => *listed = Some(object),
            Change::Complete => self.see(listed.take()),
            Change::Applied(object) => self.see(Some(object)),
            Change::Deleted(_) => self.see(None),
        }
    }

    fn see(&mut self, object: Option<Secret>) {
        let (stored, wish) = read(object.as_ref());
        self.say_secret(&stored);
        self.object = object;
        self.replica.see_secret(stored, wish, now());
    }

    // --- what is done

    /// Does all that is due, and says how long to wait for more.
    async fn steps(&mut self) -> Duration {
        for _ in 0..MOST_STEPS {
            match self.step().await {
                Ok(None) => self.said.trouble = false,
                Ok(Some(wait)) => {
                    self.said.trouble = false;
                    return wait.min(CHECK_EVERY);
                }
                Err(trouble) => {
                    self.ties.metrics.failed();
                    if !std::mem::replace(&mut self.said.trouble, true) {
                        tracing::error!(secret = self.name, error = %trouble, "the CAs cannot be kept; tried again");
                    }
                    return AGAIN;
                }
            }
        }
        AGAIN
    }

    /// Does one thing; a wait where nothing is due.
    async fn step(&mut self) -> Result<Option<Duration>, Trouble> {
        let (now, leads) = (now(), self.ties.leads());
        if !leads {
            self.replica.see_no_leadership();
        }
        if let Some(read_back) = self.ties.read_back() {
            self.replica.see_configurations(read_back, now);
        }
        self.serve(now.wall)?;
        self.tell(leads, now.wall);
        match self.replica.task(leads, now) {
            Task::Confirm => self.confirm().await?,
            Task::Mint(mint) => {
                let reason = mint.reason;
                let keyring = make(mint, now.wall)?;
                self.write(&keyring, reason).await?;
            }
            Task::Write(keyring, reason) => self.write(&keyring, reason).await?,
            Task::Wait(wait) => return Ok(Some(wait.unwrap_or(CHECK_EVERY))),
        }
        Ok(None)
    }

    /// Serves a new leaf, where one is needed.
    fn serve(&mut self, now: SystemTime) -> Result<(), Trouble> {
        let Some(ca) = self.replica.issuer(now) else {
            return Ok(());
        };
        let authority = Authority::load(&ca.anchor.pem(), ca.key.reveal())?;
        let leaf = authority.issue_for(self.lives.leaf, &self.names, now)?;
        let issuer = ca.fingerprint();
        let bundle = self.replica.held().bundle(now, &self.lives);
        for name in &self.names.dns {
            bundle.verify(&leaf.pair, name, now)?;
        }
        self.ties.resolver.replace(leaf.pair);
        let life = leaf.life;
        self.replica.see_served(Served { issuer, life });
        self.ties.metrics.issued();
        self.ties
            .metrics
            .end(Certificate::Served, Some(life.not_after));
        tracing::info!(authority = issuer.short(), "serving a new certificate");
        Ok(())
    }

    /// Tells everybody what is so.
    fn tell(&mut self, leads: bool, now: SystemTime) {
        self.ties.aim(self.replica.target(leads, now));
        let ready = self.replica.ready(now);
        if self.ties.readiness.set(ready.is_ok())
            && let Err(why) = ready
        {
            tracing::error!(%why, "not ready");
        }
        self.ties.metrics.keyring(self.replica.held(), now);
        let stored = self.replica.stored().keyring();
        let newest = stored.and_then(|keyring| keyring.cas().last());
        self.ties
            .metrics
            .end(Certificate::Stored, newest.map(|ca| ca.anchor.not_after));
        let postponed = self.replica.postpones();
        if postponed && !self.said.postponed {
            tracing::warn!(
                secret = self.name,
                "a new CA is asked for, and there are as many as can be trusted at once: it is made when one of them has ended"
            );
        }
        self.said.postponed = postponed;
    }

    /// Asks the API server itself, past all caches.
    async fn confirm(&mut self) -> Result<(), Trouble> {
        let object = self.api.get_opt(&self.name).await?;
        let (stored, wish) = read(object.as_ref());
        self.say_secret(&stored);
        self.object = object;
        self.replica.confirm(stored, wish, now());
        Ok(())
    }

    /// Writes the Secret as it was last seen, with other CAs. Where somebody wrote it since, it is read again.
    async fn write(&mut self, keyring: &Keyring, reason: Reason) -> Result<(), Trouble> {
        let Some(mut object) = self.object.clone() else {
            return Ok(());
        };
        let text = stored::write(keyring).map_err(Trouble::Text)?;
        let data = object.data.get_or_insert_default();
        data.insert(KEY.to_owned(), ByteString(text));
        let certificates = ByteString(stored::certificates(keyring).into_bytes());
        data.insert(CERTIFICATES_KEY.to_owned(), certificates);
        let params = PostParams {
            field_manager: Some(Manager::Certificates.as_str().to_owned()),
            ..PostParams::default()
        };
        match self.api.replace(&self.name, &params, &object).await {
            Ok(object) => {
                self.ties.metrics.written(reason);
                say_written(&self.name, keyring, reason);
                self.see(Some(object));
                Ok(())
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                tracing::debug!(secret = self.name, "somebody else was first");
                let object = self.api.get_opt(&self.name).await?;
                self.see(object);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    // --- what is said

    fn say_secret(&mut self, stored: &Stored) {
        let said = match stored {
            Stored::Unknown | Stored::Empty | Stored::Keyring(_) => None,
            Stored::Missing => Some(
                "it is not there; it comes with the chart, so `helm upgrade` brings it back"
                    .to_owned(),
            ),
            Stored::Damaged(why) => Some(format!("what it holds is of no use: {why}")),
            Stored::Newer(version) => Some(format!(
                "it was written by a later release (its version is {version}): upgrade this one"
            )),
        };
        if let Some(said) = said.as_ref().filter(|_| said != self.said.secret) {
            tracing::error!(secret = self.name, "the CAs cannot be read: {said}");
        }
        self.said.secret = said;
    }
}

fn now() -> Now {
    Now {
        wall: SystemTime::now(),
        steady: Instant::now(),
    }
}

/// What a Secret holds, and the wish that stands on it.
fn read(object: Option<&Secret>) -> (Stored, Option<String>) {
    let Some(object) = object else {
        return (Stored::Missing, None);
    };
    let data = object.data.as_ref();
    let text = data.and_then(|data| data.get(KEY));
    let annotations = object.metadata.annotations.as_ref();
    let wish = annotations.and_then(|all| all.get(&format!("{GROUP}/rotate")));
    (
        Stored::read(text.map(|text| text.0.as_slice())),
        wish.cloned(),
    )
}

/// Makes a CA, beside the others.
fn make(mint: Mint, now: SystemTime) -> Result<Keyring, TlsError> {
    let authority = Authority::until(mint.end, now)?;
    let key = KeyPem::new(&authority.key_pem());
    let ca = Ca::new(authority.anchor().clone(), key, mint.signs.then_some(now));
    Ok(mint.beside.with(ca, mint.wish))
}

fn say_written(name: &str, keyring: &Keyring, reason: Reason) {
    let newest = keyring.cas().last();
    let newest = newest.map(|ca| ca.fingerprint().short());
    let newest = newest.unwrap_or_default();
    match reason {
        Reason::Filled | Reason::Due | Reason::Asked => {
            tracing::info!(
                secret = name,
                authority = newest,
                reason = reason.as_str(),
                "a CA was made"
            );
        }
        Reason::Signs => {
            tracing::info!(secret = name, authority = newest, "a CA signs from now on");
        }
        Reason::PutBack => {
            tracing::warn!(
                secret = name,
                "the Secret had lost CAs, which were put back; is it replaced by a tool?"
            );
        }
    }
}
