//! The programs that lint and render the chart, and the comparison of generated files.

use std::path::{Path, PathBuf};

use crate::pinned::{Module, Tool};

/// Generates the README of the chart.
pub(crate) const HELM_DOCS: Tool = Tool {
    name: "helm-docs",
    module: &Module {
        name: "helm-docs",
        packages: &[("helm-docs", "github.com/norwoodj/helm-docs/cmd/helm-docs")],
        tags: "",
        takes: "20 seconds",
    },
};

/// Validates objects against the `OpenAPI` schemas of Kubernetes.
pub(crate) const KUBECONFORM: Tool = Tool {
    name: "kubeconform",
    module: &Module {
        name: "kubeconform",
        packages: &[(
            "kubeconform",
            "github.com/yannh/kubeconform/cmd/kubeconform",
        )],
        tags: "",
        takes: "seconds",
    },
};

/// Checks objects against good practice.
pub(crate) const KUBE_SCORE: Tool = Tool {
    name: "kube-score",
    module: &Module {
        name: "kube-score",
        packages: &[("kube-score", "github.com/zegl/kube-score/cmd/kube-score")],
        tags: "",
        takes: "half a minute",
    },
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
