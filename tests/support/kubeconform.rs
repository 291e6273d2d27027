//! kubeconform, which a test of the chart and a benchmark run.

use crate::pinned::{Module, Tool};

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
