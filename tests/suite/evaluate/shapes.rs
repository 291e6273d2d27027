//! The shapes of `tests/fixtures/shapes`: manifests and configuration files in which a rule of detection, of the context or
//! of the region is easily wrong. `tests/data/shapes.txt` lists the accepted results of each place.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

const FOLDER: &str = "tests/fixtures/shapes";

/// A file with its policy and the places that the table lists.
struct Shape {
    file: &'static str,
    policy: Option<&'static str>,
    places: Vec<Place>,
}

/// A line of a file with the accepted results.
struct Place {
    line: usize,
    accepted: Vec<&'static str>,
    description: &'static str,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    source: Source,
    outcome: String,
    reason: Option<String>,
    profile: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    line: usize,
}

impl Place {
    /// Whether a finding is an accepted result.
    fn accepts(&self, finding: &Finding) -> bool {
        self.accepted.iter().any(|one| match *one {
            "Leave" | "Report" => finding.outcome != "Rewrite",
            one => finding.result() == one,
        })
    }

    /// Whether the absence of a finding is accepted.
    fn accepts_nothing(&self) -> bool {
        self.accepted.contains(&"Leave") || self.accepted.contains(&"Nothing")
    }

    /// Whether both a rewrite and no rewrite are accepted.
    fn accepts_both(&self) -> bool {
        self.accepted.contains(&"Leave") && self.accepted.iter().any(|one| one.ends_with('.'))
    }
}

impl Finding {
    /// The geography of the profile, with a period, or the reason.
    fn result(&self) -> String {
        match (&self.reason, &self.profile) {
            (Some(reason), _) => reason.clone(),
            (None, Some(profile)) => format!("{}.", profile.split('.').next().unwrap()),
            (None, None) => self.outcome.clone(),
        }
    }
}

/// Reads the table.
fn shapes() -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    let table = include_str!("../../data/shapes.txt");
    for line in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with(' ') {
            let columns: Vec<_> = line.splitn(3, " | ").map(str::trim).collect();
            let [number, accepted, description] = columns[..] else {
                panic!("not three columns: {line}");
            };
            shapes.last_mut().unwrap().places.push(Place {
                line: number.parse().unwrap(),
                accepted: accepted.split(' ').collect(),
                description,
            });
        } else {
            let (file, policy) = match line.split_once(" + ") {
                Some((file, policy)) => (file, Some(policy)),
                None => (line, None),
            };
            shapes.push(Shape {
                file,
                policy,
                places: Vec::new(),
            });
        }
    }
    shapes
}

fn audit(shape: &Shape) -> Vec<Finding> {
    let folder = Path::new(FOLDER);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["audit", "-o", "json", "--fail-on", "never"]);
    command.args(["--today", "2026-11-29", "-f"]);
    command.arg(folder.join(shape.file));
    if let Some(policy) = shape.policy {
        command.arg("--policy").arg(folder.join(policy));
    }
    let done = command.output().unwrap();
    let report: Report = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}", shape.file));
    report.findings
}

#[test]
fn every_place_of_the_shapes_has_an_accepted_result() {
    let (mut wrong, mut both, mut rewritten) = (String::new(), 0, 0);
    for shape in shapes() {
        let findings = audit(&shape);
        for place in &shape.places {
            let here: Vec<_> = findings
                .iter()
                .filter(|finding| finding.source.line == place.line)
                .collect();
            let accepted = here.iter().all(|finding| place.accepts(finding))
                && (!here.is_empty() || place.accepts_nothing());
            if !accepted {
                let results: Vec<_> = here.iter().map(|finding| finding.result()).collect();
                let (file, line) = (shape.file, place.line);
                let (accepted, what) = (place.accepted.join(" or "), place.description);
                writeln!(wrong, "{file}:{line}: {what}: {results:?}, not {accepted}").unwrap();
            }
            if place.accepts_both() {
                both += 1;
                let is_rewrite = |finding: &&Finding| finding.outcome == "Rewrite";
                rewritten += usize::from(accepted && here.iter().any(is_rewrite));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    println!("{rewritten} of {both} places that accept both are rewritten");
    assert!(
        rewritten * 4 >= both * 3,
        "{rewritten} of {both} places that accept both are rewritten; three quarters are required"
    );
}
