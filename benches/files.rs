//! Time and peak memory of `audit` of many files, and of one file of many documents, on one core and on all, beside kubeconform, which reads
//! the same files without a schema.
//!
//! `cargo bench --bench files`; the first run builds kubeconform, which needs Go and the network.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use kubeconform::KUBECONFORM;

#[path = "../tests/support/go.rs"]
mod go;
#[path = "../tests/support/kubeconform.rs"]
mod kubeconform;
#[path = "../tests/support/tools.rs"]
#[allow(dead_code, reason = "this benchmark runs one of the programs")]
mod pinned;

const FILES: usize = 10_000;
const FILE_BYTES: usize = 11_800;
const VARIABLES: usize = 60;
const DOCUMENTS: usize = 200_000;
/// One of this many files, or documents, has an ID.
const WITH_ID: usize = 10;
const DOCUMENTS_WITH_ID: usize = 1_000;
const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Every program runs so often on the same files, in turn.
const ROUNDS: usize = 5;

/// How often the peak is read from `/proc`. The kernel keeps the maximum, so only the last milliseconds may be missed.
const INTERVAL: Duration = Duration::from_millis(2);

/// What is read, and the number of IDs in it.
struct Input {
    what: &'static str,
    path: PathBuf,
    bytes: usize,
    ids: usize,
}

/// A run of a program.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// The most resident memory, in KiB.
    peak: f64,
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let kubeconform = KUBECONFORM.path()?;
    let cores = std::thread::available_parallelism()?;
    for input in [
        write_files(&folder.path().join("files"))?,
        write_documents(&folder.path().join("documents.yaml"))?,
    ] {
        let megabytes = number(input.bytes) / 1e6;
        println!("{}, {megabytes:.0} MB, {ROUNDS} rounds", input.what);
        let mut runs = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            runs[0].push(audit(&input, true, folder.path())?);
            runs[1].push(audit(&input, false, folder.path())?);
            runs[2].push(conform(&kubeconform, &input)?);
        }
        let programs = [
            "audit, one core".to_owned(),
            format!("audit, {cores} cores"),
            format!("kubeconform, {cores} cores"),
        ];
        for (program, runs) in programs.iter().zip(&runs) {
            let seconds = median(runs.iter().map(|run| run.seconds));
            let peak = runs.iter().map(|run| run.peak).fold(0.0, f64::max);
            println!(
                "  {program}: {seconds:.2} s, peak memory {:.1} MiB",
                peak / 1024.0
            );
        }
        let ratio = |one: &[Run], other: &[Run]| {
            let pairs = one.iter().zip(other);
            median(pairs.map(|(one, other)| one.seconds / other.seconds))
        };
        println!(
            "  one core to {cores}: {:.2}, kubeconform to {cores} cores: {:.2}",
            ratio(&runs[0], &runs[1]),
            ratio(&runs[2], &runs[1])
        );
    }
    Ok(())
}

/// A folder of files with a Deployment of sixty variables and a ConfigMap each.
fn write_files(folder: &Path) -> Result<Input> {
    fs::create_dir(folder)?;
    let mut bytes = 0;
    for file in 0..FILES {
        let text = file_text(file);
        fs::write(folder.join(format!("file-{file:05}.yaml")), &text)?;
        bytes += text.len();
    }
    Ok(Input {
        what: "10,000 files",
        path: folder.to_owned(),
        bytes,
        ids: FILES / WITH_ID,
    })
}

fn file_text(file: usize) -> String {
    let team = file % 50;
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: worker-{file}, namespace: team-{team}}}\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        image: example.com/app:1\n        env:\n        - {{name: AWS_REGION, value: eu-west-1}}\n"
    );
    for variable in 0..VARIABLES {
        let has_id = variable == VARIABLES / 2 && file.is_multiple_of(WITH_ID);
        let value = if has_id {
            ID
        } else {
            "some value of a setting"
        };
        let _ = writeln!(
            text,
            "        - name: SETTING_{variable}\n          value: \"{value}\""
        );
    }
    let _ = writeln!(
        text,
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{file}, namespace: team-{team}}}\ndata:"
    );
    let mut setting = 0;
    while text.len() < FILE_BYTES {
        let _ = writeln!(
            text,
            "  setting_{setting}: some value of a setting, number {setting}"
        );
        setting += 1;
    }
    text
}

/// A file of four kinds of objects.
fn write_documents(path: &Path) -> Result<Input> {
    let mut file = BufWriter::new(File::create(path)?);
    for document in 0..DOCUMENTS {
        file.write_all(document_text(document).as_bytes())?;
    }
    file.flush()?;
    Ok(Input {
        what: "200,000 documents in a file",
        path: path.to_owned(),
        bytes: usize::try_from(path.metadata()?.len())?,
        ids: DOCUMENTS / DOCUMENTS_WITH_ID,
    })
}

fn document_text(document: usize) -> String {
    let team = document % 50;
    match document % 4 {
        0 => format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{document}\n  namespace: team-{team}\n  labels: {{app: web}}\ndata:\n  log_level: info\n  region: eu-west-1\n  endpoint: https://example.com/api/v1/settings\n  color: blue\n"
        ),
        1 => {
            let has_id = document % DOCUMENTS_WITH_ID == 1;
            let value = if has_id {
                ID
            } else {
                "some value of a setting"
            };
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: worker-{document}, namespace: team-{team}}}\nspec:\n  containers:\n  - name: app\n    image: example.com/app:1\n    env:\n    - {{name: AWS_REGION, value: eu-west-1}}\n    - {{name: MODEL, value: \"{value}\"}}\n"
            )
        }
        2 => format!(
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: worker-{document}\n  namespace: team-{team}\n  labels: {{app: web}}\nspec:\n  selector: {{app: web}}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n"
        ),
        _ => format!(
            "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: worker-{document}\n  namespace: team-{team}\n  labels: {{app: web, tier: backend}}\n  annotations:\n    example.com/owner: team-{team}\n    example.com/about: the account of a worker that serves requests\n"
        ),
    }
}

/// Audits the input, and compares the number of findings with that of the IDs.
fn audit(input: &Input, on_one_core: bool, folder: &Path) -> Result<Run> {
    let program = env!("CARGO_BIN_EXE_bedrock-profiles");
    let mut command = Command::new(if on_one_core { "taskset" } else { program });
    if on_one_core {
        command.args(["--cpu-list", "0", program]);
    }
    command
        .args(["audit", "--no-config", "--quiet", "--fail-on", "never"])
        .args(["-o", "json"])
        .arg(&input.path);
    let output = folder.join("report.json");
    let run = measured(command.stdout(File::create(&output)?))?;
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&output)?)?;
    let findings = report["findings"].as_array().context("no findings")?.len();
    ensure!(findings == input.ids, "{findings} findings");
    Ok(run)
}

/// Parses every document with kubeconform. It skips the kinds, so that it looks for no schema.
fn conform(kubeconform: &Path, input: &Input) -> Result<Run> {
    let mut command = Command::new(kubeconform);
    command.args(["-skip", "ConfigMap,Deployment,Pod,Service,ServiceAccount"]);
    measured(command.arg(&input.path))
}

fn measured(command: &mut Command) -> Result<Run> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let process = Path::new("/proc").join(child.id().to_string());
    let mut peak = 0.0;
    let ended = loop {
        peak = f64::max(peak, peak_of(&process).unwrap_or_default());
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(INTERVAL);
    };
    ensure!(ended.success(), "{command:?} ended with {ended}");
    Ok(Run {
        seconds: started.elapsed().as_secs_f64(),
        peak,
    })
}

fn peak_of(process: &Path) -> Option<f64> {
    let text = fs::read_to_string(process.join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn number(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from)
}
