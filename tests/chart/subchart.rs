//! The chart below another one.

use std::fs;
use std::os::unix::fs::symlink;

use libtest_mimic::Trial;
use serde_json::json;

use crate::helm::{CHART, Release, Rendered};
use crate::pinned::{HELM_3, HELM_4};
use crate::tools::repository;
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("renders_below_another_chart", below)]
}

fn below() {
    let parent = tempfile::tempdir().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let chart = json!({"apiVersion": "v2", "name": "platform", "version": "1.0.0",
        "dependencies": [{"name": "bedrock-profiles", "version": version, "condition": "bedrock-profiles.enabled"}]});
    fs::write(parent.path().join("Chart.yaml"), chart.to_string()).unwrap();
    fs::create_dir(parent.path().join("charts")).unwrap();
    symlink(
        repository(CHART),
        parent.path().join("charts/bedrock-profiles"),
    )
    .unwrap();
    for helm in [HELM_4, HELM_3] {
        let release = Release {
            helm,
            chart: parent.path().to_str().unwrap(),
            name: "platform",
            namespace: "platform",
        };
        let render = |enabled: bool| {
            let values = json!({"global": {"cluster": "a"},
                "bedrock-profiles": {"enabled": enabled, "policy": {"mode": "Rewrite"}}});
            Rendered::read(&release.text(&values.to_string()))
        };
        let rendered = render(true);
        let deployment = rendered.only("Deployment");
        assert_eq!(deployment["metadata"]["name"], "platform-bedrock-profiles");
        assert!(rendered.has_argument("--name=platform-bedrock-profiles"));
        let bootstrap = rendered.get("ConfigMap", "platform-bedrock-profiles-bootstrap");
        let bootstrap = bootstrap["data"]["bootstrap.yaml"].as_str().unwrap();
        assert!(bootstrap.contains("mode: Rewrite"), "{bootstrap}");
        assert!(render(false).0.is_empty());
    }
}
