//! The programs that lint and render the chart, and the comparison of generated files.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::pinned::{Module, Tool, builds};

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

/// Lints workflows of GitHub.
pub(crate) const ACTIONLINT: Tool = Tool {
    name: "actionlint",
    module: &Module {
        name: "actionlint",
        packages: &[("actionlint", "github.com/rhysd/actionlint/cmd/actionlint")],
        tags: "",
        takes: "20 seconds",
    },
};

/// Validates manifests of krew.
pub(crate) const KREW: Tool = Tool {
    name: "validate-krew-manifest",
    module: &Module {
        name: "krew",
        packages: &[(
            "validate-krew-manifest",
            "sigs.k8s.io/krew/cmd/validate-krew-manifest",
        )],
        tags: "",
        takes: "half a minute",
    },
};

/// Trials run side by side, and only the first one installs.
static INSTALLATION: Mutex<()> = Mutex::new(());

/// Python with pre-commit and check-jsonschema, which are installed once into `target/chart/`.
pub(crate) fn python() -> Command {
    let requirements = repository("tests/chart/assets/python/requirements.txt");
    let mut key = DefaultHasher::new();
    std::fs::read(&requirements).unwrap().hash(&mut key);
    let parent = builds();
    let folder = parent.join(format!("python-{:016x}", key.finish()));
    let _once = INSTALLATION.lock().unwrap();
    if !folder.is_dir() {
        std::fs::create_dir_all(&parent).unwrap();
        let draft = tempfile::tempdir_in(&parent).unwrap();
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
        ])
        .args(["--no-deps", "--only-binary", ":all:", "--require-hashes"])
        .arg("--target")
        .arg(draft.path())
        .arg("--requirement")
        .arg(requirements);
        assert!(pip.status().unwrap().success(), "pip cannot install");
        // Another process may have installed it meanwhile.
        let _ = std::fs::rename(draft.keep(), &folder);
    }
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", folder);
    command
}

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
