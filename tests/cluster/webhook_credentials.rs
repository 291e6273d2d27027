//! The client certificate that the API server of a plane presents to webhooks, by the samples of the docs.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::certificates::{Authority, Subject};

/// The common name of the certificate.
pub(crate) const WEBHOOK_CALLER: &str = "kube-apiserver-webhooks";

/// The file for `--admission-control-config-file`, in the folder of the plane.
pub(crate) const CONFIGURATION: &str = "admission.yaml";

/// The folder that the samples name.
const SAMPLE_FOLDER: &str = "/etc/kubernetes/webhooks";

/// Writes the certificate, and the configuration by which the API server presents it to every webhook that requests one.
pub(crate) fn write(folder: &Path, authority: &Authority) -> Result<()> {
    let caller = authority.issue(&Subject {
        name: WEBHOOK_CALLER,
        ..Subject::default()
    })?;
    let here = folder.to_str().context("a path that is no text")?;
    let configuration = include_str!("../../docs/samples/admission-configuration.yaml");
    let kubeconfig = include_str!("../../docs/samples/webhook-kubeconfig.yaml")
        .replace("bedrock-profiles.bedrock-profiles.svc", r#""*""#)
        .replace("/tls.", "/webhooks.");
    for (name, content) in [
        ("webhooks.crt", caller.certificate.as_str()),
        ("webhooks.key", caller.key.as_str()),
        ("kubeconfig.yaml", &kubeconfig.replace(SAMPLE_FOLDER, here)),
        (CONFIGURATION, &configuration.replace(SAMPLE_FOLDER, here)),
    ] {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}
