//! The programs that judge and render the chart, and files that are held against what they should be.

use std::path::{Path, PathBuf};

use crate::pinned::Tool;

/// Makes the README of the values.
pub(crate) const HELM_DOCS: Tool = Tool {
    name: "helm-docs",
    package: "github.com/norwoodj/helm-docs/cmd/helm-docs",
    takes: "a minute",
};

/// Validates objects.
pub(crate) const KUBECONFORM: Tool = Tool {
    name: "kubeconform",
    package: "github.com/yannh/kubeconform/cmd/kubeconform",
    takes: "seconds",
};

/// Holds objects against good practice.
pub(crate) const KUBE_SCORE: Tool = Tool {
    name: "kube-score",
    package: "github.com/zegl/kube-score/cmd/kube-score",
    takes: "half a minute",
};

/// Tries alerts.
pub(crate) const PROMTOOL: Tool = Tool {
    name: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    takes: "3 minutes",
};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds a file against what it should be; writes it instead where `UPDATE` is set.
pub(crate) fn assert_generated(file: &str, expected: &str) {
    let path = repository(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != expected {
        let difference = similar::TextDiff::from_lines(committed.as_str(), expected);
        let difference = difference
            .unified_diff()
            .header(file, "expected")
            .to_string();
        panic!("{difference}\nif that is meant: UPDATE=1 cargo test --test chart");
    }
}
