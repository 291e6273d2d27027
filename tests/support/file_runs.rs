//! Runs the program over a folder of files, as a person does, and tells what it found and what the files are afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;

/// By what is judged.
#[derive(Default)]
pub(crate) struct FileRun {
    /// An `InferenceProfilePolicy`; without one the default counts.
    pub(crate) policy: Option<String>,
    /// An `InferenceProfileMapping` in the place of the shipped catalog.
    pub(crate) mapping: Option<String>,
}

/// What became of every file, by its name.
pub(crate) struct Results {
    pub(crate) files: BTreeMap<String, FileResult>,
}

/// What became of one file.
#[derive(Default)]
pub(crate) struct FileResult {
    /// What an audit finds.
    pub(crate) found: Vec<ReportedFinding>,
    /// What could not be read.
    pub(crate) errors: Vec<String>,
    /// The text after `fix`.
    pub(crate) once: String,
    /// The text after `fix` a second time.
    pub(crate) twice: String,
}

/// A finding as the report has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportedFinding {
    pub(crate) source: Source,
    pub(crate) pointer: String,
    pub(crate) inner_pointer: Option<String>,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) model_id: String,
    pub(crate) before: String,
    pub(crate) after: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) region_source: Option<String>,
}

/// Where a finding stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Source {
    file: String,
    pub(crate) line: usize,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<ReportedFinding>,
}

impl ReportedFinding {
    /// What becomes of it in one word: the reason, or the answer with its note.
    pub(crate) fn verdict(&self) -> String {
        let note = self.note.as_ref().map(|note| format!(" ({note})"));
        match (&self.reason, &self.after) {
            (Some(reason), _) => reason.clone(),
            (None, Some(after)) => format!("{after}{}", note.unwrap_or_default()),
            (None, None) => self.outcome.clone(),
        }
    }

    /// Pointer and inner pointer, as tables write them; the line where there is neither.
    pub(crate) fn place(&self) -> String {
        match &self.inner_pointer {
            None if self.pointer.is_empty() => format!("line:{}", self.source.line),
            Some(inner) => format!("{}:{inner}", self.pointer),
            None => self.pointer.clone(),
        }
    }
}

impl FileRun {
    /// Audits the files, then fixes copies of them, and fixes the copies again.
    pub(crate) fn run(&self, files: &[(String, String)]) -> Results {
        let given = tempfile::tempdir().unwrap();
        let evaluated = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(evaluated.path().join(name), text).unwrap();
        }
        let audit = self.command(
            given.path(),
            evaluated.path(),
            &["audit", "-o", "json", "--fail-on", "never"],
        );
        let mut ran = read_report(&audit, files);
        for once in [true, false] {
            self.command(given.path(), evaluated.path(), &["fix"]);
            for (name, one) in &mut ran {
                let text = fs::read_to_string(evaluated.path().join(name)).unwrap();
                *(if once { &mut one.once } else { &mut one.twice }) = text;
            }
        }
        Results { files: ran }
    }

    fn command(&self, given: &Path, evaluated: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        command.args(args).arg("-f").arg(evaluated);
        command.args(["--today", "2026-11-22"]);
        if let Some(policy) = &self.policy {
            let path = given.join("policy.yaml");
            fs::write(&path, policy).unwrap();
            command.arg("--policy").arg(path);
        }
        if let Some(mapping) = &self.mapping {
            let path = given.join("mapping.yaml");
            fs::write(&path, mapping).unwrap();
            command.arg("--no-builtin").arg("--mapping").arg(path);
        }
        command.output().unwrap()
    }
}

fn read_report(audit: &Output, files: &[(String, String)]) -> BTreeMap<String, FileResult> {
    let errors = String::from_utf8_lossy(&audit.stderr);
    let report: Report =
        serde_json::from_slice(&audit.stdout).unwrap_or_else(|error| panic!("{error}\n{errors}"));
    let mut ran: BTreeMap<String, FileResult> = files
        .iter()
        .map(|(name, _)| (name.clone(), FileResult::default()))
        .collect();
    for found in report.findings {
        let name = found.source.file.rsplit('/').next().unwrap_or_default();
        ran.get_mut(name).unwrap().found.push(found);
    }
    // A document that is no YAML is evaluated too: real files have a line of prose before the first one.
    let is_failure = |line: &&str| line.starts_with("error") && !line.ends_with("line by line");
    for error in errors.lines().filter(is_failure) {
        for (name, one) in &mut ran {
            if error.contains(name.as_str()) {
                one.errors.push(error.to_owned());
            }
        }
    }
    ran
}
