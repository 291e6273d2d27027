//! Parses a scrape of `/metrics` with promtool, and counts its series.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::pinned::PROMTOOL;

/// The number of series in an exposition in the `OpenMetrics` format, after checking that it is valid: Prometheus' parser of
/// that format reads the same number of different series as there are lines, and `promtool check metrics`, which fails on a
/// family that occurs twice and warns of a family without help, finds nothing.
pub(crate) fn check(exposition: &str) -> Result<usize> {
    let lines = exposition.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.count();
    let folder = tempfile::tempdir()?;
    assert_eq!(open_metrics_series(exposition, folder.path())?, lines);
    let printed = run(
        &["check", "metrics", "--extended"],
        &text_format(exposition),
        folder.path(),
    )?;
    let total = printed.lines().find_map(|line| line.strip_prefix("Total "));
    let total = total.and_then(|rest| rest.split_whitespace().next());
    assert_eq!(total, Some(&*lines.to_string()), "{printed}");
    Ok(lines)
}

/// The series that Prometheus stores of the exposition. Only samples with a time can be imported.
fn open_metrics_series(exposition: &str, folder: &Path) -> Result<usize> {
    let mut dated = String::new();
    for line in exposition.lines() {
        dated.push_str(line);
        if !line.starts_with('#') {
            dated.push_str(" 1700000000");
        }
        dated.push('\n');
    }
    std::fs::write(folder.join("exposition.txt"), dated)?;
    let printed = run(
        &[
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "exposition.txt",
            "blocks",
        ],
        "",
        folder,
    )?;
    // A header, and a row of: block, minimum and maximum time, duration, samples, chunks, series, size.
    let columns = printed
        .lines()
        .last()
        .unwrap_or_default()
        .split_whitespace();
    let series = columns.clone().nth(6).filter(|_| columns.count() == 8);
    let series = series.with_context(|| format!("no number of series in {printed}"))?;
    Ok(series.parse()?)
}

/// The same exposition in the older text format, as client libraries write it: there a counter is named as its sample is, and
/// an info is a gauge.
fn text_format(exposition: &str) -> String {
    let words = |line: &str| {
        let (keyword, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (family, rest) = rest.split_once(' ')?;
        Some((keyword.to_owned(), family.to_owned(), rest.to_owned()))
    };
    let types: BTreeMap<_, _> = exposition
        .lines()
        .filter_map(words)
        .filter(|(keyword, ..)| keyword == "TYPE")
        .map(|(_, family, kind)| (family, kind))
        .collect();
    let mut text = String::new();
    for line in exposition.lines().filter(|line| *line != "# EOF") {
        let Some((keyword, family, rest)) = words(line) else {
            text.extend([line, "\n"]);
            continue;
        };
        let kind = types.get(&family).map_or("", String::as_str);
        let (suffix, rest) = match (kind, &*keyword) {
            ("counter", _) => ("_total", rest),
            ("info", "TYPE") => ("_info", "gauge".to_owned()),
            ("info", _) => ("_info", rest),
            _ => ("", rest),
        };
        text.extend(["# ", &keyword, " ", &family, suffix, " ", &rest, "\n"]);
    }
    text
}

fn run(arguments: &[&str], input: &str, folder: &Path) -> Result<String> {
    let mut promtool: Command = PROMTOOL.command()?;
    let mut child = promtool
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("promtool reads its input")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output()?;
    let printed = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    ensure!(status.success(), "promtool {arguments:?}: {printed:?}");
    ensure!(printed[1].is_empty(), "promtool {arguments:?}: {printed:?}");
    let [stdout, _] = printed;
    Ok(stdout)
}
