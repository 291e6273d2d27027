//! Time and peak memory of `audit -f` of a folder of 100 MB: a thousand ConfigMaps of 100 KiB, every eighth with an ID, and 500 Pods of
//! sixty variables, every tenth with an ID.
//!
//! `cargo bench --bench files`

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

const CONFIG_MAPS: usize = 1_000;
const PODS: usize = 500;
const CONFIG_MAP_BYTES: usize = 100 * 1024;
const VARIABLES: usize = 60;
const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// How often the peak is read from `/proc`. The kernel keeps the maximum, so only the last milliseconds may be missed.
const INTERVAL: Duration = Duration::from_millis(2);

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bytes = write_files(folder.path())?;
    println!("{:.1} MB in {} files", bytes / 1e6, CONFIG_MAPS + PODS);
    let (duration, peak, findings) = audit(folder.path())?;
    println!(
        "audit -f: {:.1} s, peak memory {:.1} MiB, {findings} findings",
        duration.as_secs_f64(),
        peak / 1024.0
    );
    let expected = CONFIG_MAPS.div_ceil(8) + PODS.div_ceil(10);
    ensure!(findings == expected, "expected {expected} findings");
    Ok(())
}

/// Writes the files, and returns their size.
fn write_files(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    let mut write = |name: String, text: &str| {
        bytes += text.len();
        fs::write(folder.join(name), text)
    };
    for number in 0..CONFIG_MAPS {
        let text = config_map(number);
        write(format!("config-map-{number:04}.yaml"), &text)?;
    }
    for number in 0..PODS {
        write(format!("pod-{number:04}.yaml"), &pod(number))?;
    }
    Ok(f64::from(u32::try_from(bytes)?))
}

/// A ConfigMap with one YAML file of short lines. The ID, if any, is in the middle.
fn config_map(number: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{number}}}\ndata:\n  application.yaml: |\n    aws_region: eu-west-1\n"
    );
    let mut line = 0;
    let mut has_id = !number.is_multiple_of(8);
    while text.len() < CONFIG_MAP_BYTES {
        if !has_id && text.len() > CONFIG_MAP_BYTES / 2 {
            let _ = writeln!(text, "    bedrock:\n      model: {ID}");
            has_id = true;
        }
        let _ = writeln!(
            text,
            "    setting_{line}: some value of a setting, number {line}"
        );
        line += 1;
    }
    text
}

fn pod(number: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: worker-{number}}}\nspec:\n  containers:\n  - name: app\n    image: example.com/app:1\n    env:\n    - {{name: AWS_REGION, value: eu-west-1}}\n"
    );
    for variable in 0..VARIABLES {
        let value = if variable == 0 && number.is_multiple_of(10) {
            ID
        } else {
            "some value of a setting"
        };
        let _ = writeln!(
            text,
            "    - {{name: SETTING_{variable}, value: \"{value}\"}}"
        );
    }
    text
}

/// Audits the folder, and returns the time, the peak memory in KiB and the number of findings.
fn audit(folder: &Path) -> Result<(Duration, f64, usize)> {
    let started = Instant::now();
    let output = folder.with_extension("json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["audit", "--fail-on", "never", "-o", "json", "-f"])
        .arg(folder)
        .stdout(fs::File::create(&output)?)
        .stderr(Stdio::inherit())
        .spawn()?;
    let status = Path::new("/proc")
        .join(child.id().to_string())
        .join("status");
    let mut peak = 0;
    let ended = loop {
        peak = peak.max(peak_of(&status).unwrap_or_default());
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        std::thread::sleep(INTERVAL);
    };
    ensure!(ended.success(), "the audit ended with {ended}");
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&output)?)?;
    fs::remove_file(&output)?;
    let findings = report["findings"].as_array().context("no findings")?;
    Ok((started.elapsed(), f64::from(peak), findings.len()))
}

fn peak_of(status: &Path) -> Option<u32> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
