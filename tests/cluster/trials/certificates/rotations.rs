//! Whole replicas that change their certificates while Pods are created without pause: every Pod is created and rewritten.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use bedrock_profiles::tls::files::Paths;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::runtime::Runtime;

use super::{ROTATE, replicas::SECRET, signing};
use crate::{
    certificates::{Authority, Subject},
    counters::created_pods,
    hosted::Hosted,
    prober::{Prober, wait_until_rewritten},
    process::wait_for,
    release::{Chart, LEADER, NAME, Release},
    tls_client,
    trials::product::{SONNET, asking},
    world::World,
};

pub(super) fn a_ca_is_rotated_twice(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let replicas = start(world, &release, &["one", "two", "three"], None)?;
    let probe = Probe::start(world, &release)?;
    let mut known = signing(world)?;
    for rotation in 1..=2 {
        let request = format!("{ROTATE}={rotation}");
        world
            .kubectl(
                &["annotate", "--overwrite", "secret", SECRET, &request],
                None,
            )?
            .success("kubectl annotate")?;
        let newest = wait_for(&format!("rotation {rotation}"), || {
            Ok(signing(world)?.difference(&known).next().cloned())
        })?;
        for replica in &replicas {
            wait_for("a leaf of the new CA", || {
                Ok(served(replica, world, &newest).is_ok().then_some(()))
            })?;
        }
        probe.wait_for_more()?;
        known.insert(newest);
        one_leads(&replicas)?;
    }
    probe.end("two rotations of the CA", 110)
}

pub(super) fn certificate_files_are_followed(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let folder = world.folder().join("mounted");
    fs::create_dir(&folder)?;
    let first = Authority::new("theirs")?;
    let leaf = mount(&folder, &release, &first)?;
    let replicas = start(world, &release, &["one", "two"], Some(&folder))?;
    let probe = Probe::start(world, &release)?;
    for replica in &replicas {
        ensure!(served(replica, world, first.certificate())? == leaf);
    }

    // First another leaf, then another CA with its leaf.
    for authority in [first, Authority::new("their next")?] {
        let leaf = mount(&folder, &release, &authority)?;
        for replica in &replicas {
            wait_for("the leaf that was mounted last", || {
                let served = served(replica, world, authority.certificate());
                Ok(served.is_ok_and(|served| served == leaf).then_some(()))
            })?;
        }
        probe.wait_for_more()?;
    }
    probe.end("two changes of mounted files", 110)
}

fn start(
    world: &World,
    release: &Release<'_>,
    names: &[&str],
    mounted: Option<&Path>,
) -> Result<Vec<Hosted>> {
    let paths = |folder: &Path| Paths {
        certificate: folder.join("..data/tls.crt"),
        key: folder.join("..data/tls.key"),
        authorities: Some(folder.join("..data/ca.crt")),
    };
    let start = |name: &&str| Hosted::start(world, release, name, mounted.map(paths));
    names.iter().map(start).collect()
}

/// A prober and its namespace, in which nothing else is created.
struct Probe<'w> {
    world: &'w World,
    namespace: String,
    prober: Prober,
}

impl<'w> Probe<'w> {
    /// Starts to create Pods as soon as they are rewritten.
    fn start(world: &'w World, release: &Release<'_>) -> Result<Self> {
        release.wait_until_active()?;
        let namespace = world.neighbour("apps")?;
        let pod = asking("probe", SONNET, "eu-west-1");
        wait_until_rewritten(world, &namespace, &pod, &rewritten())?;
        let prober = Prober::start(&world.plane().kubeconfig(), &namespace, &pod)?;
        prober.wait_for(10)?;
        Ok(Self {
            world,
            namespace,
            prober,
        })
    }

    fn wait_for_more(&self) -> Result<()> {
        self.prober.wait_for(50)
    }

    /// Stops. Every create succeeded, the API server has as many, and every Pod was rewritten.
    fn end(self, changes: &str, at_least: u32) -> Result<()> {
        let observed = self.prober.stop()?;
        observed.has_only(&[rewritten()])?;
        let count = observed.created();
        let created = created_pods(self.world, &[&self.namespace], count, 0)?;
        println!("{}", observed.row(changes));
        ensure!(
            count >= at_least && created == count && observed.attempts == count,
            "{created} by the log of the API server: {observed:?}"
        );
        Ok(())
    }
}

fn rewritten() -> String {
    format!("eu.{SONNET}")
}

fn one_leads(replicas: &[Hosted]) -> Result<()> {
    let mut leaders = 0;
    for replica in replicas {
        leaders += u32::from(replica.metric(LEADER)? == Some(1.0));
    }
    ensure!(leaders == 1, "{leaders} lead");
    Ok(())
}

/// Mounts a new leaf as the kubelet does: it swaps a symbolic link, which changes all files at once.
fn mount(folder: &Path, release: &Release<'_>, authority: &Authority) -> Result<Vec<u8>> {
    let hosts = release.installation().service_names();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let leaf = authority.issue(&Subject {
        name: NAME,
        hosts: &hosts,
        ..Subject::default()
    })?;
    let version: PathBuf = tempfile::tempdir_in(folder)?.keep();
    fs::write(version.join("tls.crt"), &leaf.certificate)?;
    fs::write(version.join("tls.key"), &leaf.key)?;
    fs::write(version.join("ca.crt"), authority.certificate())?;
    let next = folder.join("..data_tmp");
    symlink(&version, &next)?;
    fs::rename(&next, folder.join("..data"))?;
    let leaf = CertificateDer::from_pem_slice(leaf.certificate.as_bytes())?;
    Ok(leaf.to_vec())
}

/// The leaf that a replica presents to a client that trusts this CA only.
///
/// # Errors
/// If the leaf does not verify.
fn served(replica: &Hosted, world: &World, authority: &str) -> Result<Vec<u8>> {
    let name = format!("{NAME}.{}.svc", world.namespace());
    Runtime::new()?.block_on(async {
        let stream = tls_client::connect(replica.address(), &name, authority.as_bytes(), &[]).await;
        let stream = stream.map_err(anyhow::Error::from_boxed)?;
        let shown = stream.get_ref().1.peer_certificates();
        let leaf = shown.and_then(<[_]>::first).context("no certificate")?;
        Ok(leaf.to_vec())
    })
}
