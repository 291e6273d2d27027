//! Manifests with anchors, merge keys and keys that occur twice, read by the front end of YAML and by the library of kubectl and Helm.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use bedrock_profiles::text::Tree;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    pinned::{Module, Tool},
    tree_value::value,
    trial,
};

/// Reads manifests with `sigs.k8s.io/yaml`; its source is in the module.
const READER: Tool = Tool {
    name: "manifests",
    module: &Module {
        name: "manifests",
        packages: &[(
            "manifests",
            "bedrock-profiles.dev/tests/chart/assets/manifests",
        )],
        tags: "",
        takes: "3 seconds",
    },
};

/// How many manifests are generated.
const MANIFESTS: usize = 20_000;

/// The seed, unless `SEED` names another one.
const SEED: u64 = 20_261_130;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "manifests_have_the_values_that_kubectl_reads",
        || {
            let seed = std::env::var("SEED")
                .ok()
                .and_then(|text| text.parse().ok());
            compare(seed.unwrap_or(SEED));
        },
    )]
}

fn compare(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let manifests: Vec<String> = (0..MANIFESTS)
        .map(|_| Generator::new(&mut random).manifest())
        .collect();
    let (mut accepted, mut overridden) = (0, 0);
    for (manifest, expected) in manifests.iter().zip(read_by_kubectl(&manifests)) {
        let trees: Result<Vec<_>, _> = Tree::yaml(manifest).collect();
        let Ok([tree]) = trees.as_deref() else {
            assert_eq!(expected, Value::Null, "SEED={seed}: refused\n{manifest}");
            continue;
        };
        assert_eq!(
            value(tree, tree.root()),
            expected,
            "SEED={seed}\n{manifest}"
        );
        accepted += 1;
        overridden += usize::from(!tree.overridden_keys().is_empty());
    }
    assert!(accepted > MANIFESTS * 9 / 10, "{accepted} accepted");
    assert!(
        overridden > MANIFESTS / 2,
        "{overridden} with overridden keys"
    );
}

/// Each manifest as JSON; null where it is refused.
fn read_by_kubectl(manifests: &[String]) -> Vec<Value> {
    let mut child = Command::new(READER.path().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = manifests
        .iter()
        .map(|manifest| Value::from(manifest.as_str()).to_string() + "\n")
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let values: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(values.len(), manifests.len());
    values
}

/// Writes one manifest.
struct Generator<'r> {
    random: &'r mut fastrand::Rng,
    text: String,
    /// The names of the anchors of mappings, and of other values, that have ended.
    mappings: Vec<String>,
    others: Vec<String>,
    anchors: usize,
}

impl<'r> Generator<'r> {
    fn new(random: &'r mut fastrand::Rng) -> Self {
        Self {
            random,
            text: String::from("apiVersion: v1\nkind: Pod\n"),
            mappings: Vec::new(),
            others: Vec::new(),
            anchors: 0,
        }
    }

    fn manifest(mut self) -> String {
        for at in 0..self.random.usize(2..6) {
            write!(self.text, "p{at}:").unwrap();
            self.value(1);
        }
        self.text
    }

    /// Writes a value behind a colon or a dash, to the end of its line.
    fn value(&mut self, level: usize) {
        let is_mapping = level == 1 || self.random.usize(..3) == 0;
        if level > 1 && self.random.usize(..5) == 0 {
            let all = [&*self.mappings, &*self.others].concat();
            if let Some(anchor) = self.random.choice(all) {
                writeln!(self.text, " *{anchor}").unwrap();
                return;
            }
        }
        let anchor = (self.random.bool()).then(|| self.anchor());
        if level < 4 && is_mapping {
            self.mapping(level);
            self.mappings.extend(anchor);
        } else if level < 4 && self.random.usize(..4) == 0 {
            self.text.push('\n');
            for _ in 0..self.random.usize(1..4) {
                self.indent(level);
                self.text.push('-');
                self.value(level + 1);
            }
            self.others.extend(anchor);
        } else {
            let scalars = ["x", "y z", "1", "true", "~", "'2'", "\"a\\tb\"", "1.5", ""];
            let scalar = *self.random.choice(&scalars).unwrap();
            writeln!(self.text, " {scalar}").unwrap();
            self.others.extend(anchor);
        }
    }

    fn mapping(&mut self, level: usize) {
        if self.random.usize(..3) == 0 {
            let entries: Vec<_> = (0..self.random.usize(1..5))
                .map(|_| self.flow_entry())
                .collect();
            writeln!(self.text, " {{{}}}", entries.join(", ")).unwrap();
            return;
        }
        self.text.push('\n');
        for _ in 0..self.random.usize(1..6) {
            self.indent(level);
            if let Some(merged) = self.merged() {
                writeln!(self.text, "<<: {merged}").unwrap();
            } else {
                let key = self.key();
                write!(self.text, "{key}:").unwrap();
                self.value(level + 1);
            }
        }
    }

    fn flow_entry(&mut self) -> String {
        if let Some(merged) = self.merged() {
            return format!("<<: {merged}");
        }
        let key = self.key();
        let value = self.random.u8(..10);
        format!("{key}: {value}")
    }

    /// The value of a merge key, in one of three cases.
    fn merged(&mut self) -> Option<String> {
        if self.random.usize(..3) > 0 {
            return None;
        }
        let one = format!("*{}", self.random.choice(&self.mappings)?);
        let other = format!("*{}", self.random.choice(&self.mappings)?);
        let key = self.key();
        Some(match self.random.u8(..4) {
            0 => format!("[{one}, {other}]"),
            1 => format!("[{one}, {{{key}: 7}}]"),
            2 => format!("{{{key}: 8, <<: {one}}}"),
            _ => one,
        })
    }

    fn key(&mut self) -> &'static str {
        let keys = ["a", "b", "c", "'a'", "\"\\u0062\"", "'<<'"];
        self.random.choice(&keys).copied().unwrap()
    }

    /// Writes an anchor.
    fn anchor(&mut self) -> String {
        self.anchors += 1;
        let name = format!("n{}", self.anchors);
        write!(self.text, " &{name}").unwrap();
        name
    }

    fn indent(&mut self, level: usize) {
        self.text.push_str(&"  ".repeat(level));
    }
}
