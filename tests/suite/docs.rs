//! The documentation: its links lead somewhere, its commands run, its glossary explains each word once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bedrock_profiles::domain::region::Region;
use bedrock_profiles::health::Check;

use crate::facts;

const GLOSSARY: &str = "docs/glossary.md";

/// Every page that is written for readers.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ]
    .iter()
    .map(PathBuf::from)
    .collect();
    let docs = fs::read_dir("docs")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
    pages.push("charts/bedrock-profiles/README.md".into());
    pages.sort();
    pages
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A page without its blocks of code, in which brackets and number signs mean something else.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of the links of a page.
fn links(text: &str) -> Vec<String> {
    let rest = text.split("](").skip(1);
    rest.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The anchors of a page, as GitHub makes them from headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let kept = line
                .trim_start_matches('#')
                .trim()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect()
}

#[test]
fn every_link_of_the_docs_leads_to_a_file_and_a_heading() {
    let mut count = 0;
    for page in pages() {
        let text = prose(&read(&page));
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let anchors = anchors(&prose(&read(&target)));
                assert!(anchors.contains(anchor), "{}: {link}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 40, "{count} links");
}

#[test]
fn every_page_links_to_the_glossary() {
    for page in pages().iter().filter(|page| page.starts_with("docs")) {
        let linked = links(&read(page))
            .iter()
            .any(|link| link.starts_with("glossary.md"));
        assert!(
            linked || page.ends_with("glossary.md"),
            "{}",
            page.display()
        );
    }
    assert!(read(Path::new("README.md")).contains(&format!("({GLOSSARY})")));
}

#[test]
fn every_check_has_a_section_of_its_page() {
    let anchors = anchors(&prose(&read(Path::new("docs/check.md"))));
    for check in Check::ALL {
        let page = check.page();
        let (file, anchor) = page.split_once('#').unwrap();
        assert_eq!(file, "docs/check.md");
        assert!(anchors.contains(anchor), "{page}");
    }
}

#[test]
fn the_glossary_explains_each_term_once_and_in_order() {
    let page = read(Path::new(GLOSSARY));
    let mut known = BTreeSet::new();
    for section in page.split("\n## ").skip(1) {
        let terms: Vec<_> = section
            .lines()
            .skip_while(|line| !line.starts_with("|---"))
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
            .map(|(term, _)| term.trim_matches('`').to_lowercase())
            .collect();
        assert!(terms.is_sorted(), "{terms:?}");
        for term in terms {
            assert!(known.insert(term.clone()), "{term} is explained twice");
        }
    }
    assert!(known.len() > 30, "{} terms", known.len());
}

#[test]
fn the_commands_of_the_readme_run() {
    let page = read(Path::new("README.md"));
    let commands: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("bedrock-profiles ")?.split_once(" # "))
        .map(|(command, _)| command)
        .collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(command.split_whitespace())
            .output()
            .unwrap();
        // `audit` finds a change, and `fix --diff` prints one.
        let expected = i32::from(!command.starts_with("resolve"));
        assert_eq!(output.status.code(), Some(expected), "{command}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            printed.contains("eu.anthropic.claude-sonnet-4-6"),
            "{command}: {printed}"
        );
    }
}

#[test]
fn the_trials_of_the_faults_exist() {
    let page = read(Path::new("docs/reliability.md"));
    let trials = [
        "applied_again.rs",
        "certificates.rs",
        "faults.rs",
        "network.rs",
        "starts.rs",
    ]
    .map(|file| read(&Path::new("tests/cluster/trials").join(file)))
    .concat();
    let (_, table) = page.split_once("| trial |\n").unwrap();
    let rows: Vec<_> = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 8, "{} rows", rows.len());
    for row in rows {
        let name = row.rsplit('`').nth(1).unwrap();
        assert!(trials.contains(&format!("\"{name}\"")), "{row}");
    }
}

#[test]
fn the_change_that_the_readme_shows_is_that_of_the_sample() {
    let page = read(Path::new("README.md"));
    let (_, rest) = page.split_once("```diff\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let before: Vec<_> = shown
        .lines()
        .filter(|line| !line.starts_with('+'))
        .map(|line| line[1..].trim())
        .collect();
    let sample = read(Path::new("docs/samples/chat.yaml"));
    let sample: Vec<_> = sample.lines().map(str::trim).collect();
    assert!(sample.windows(before.len()).any(|window| window == before));
}

#[test]
fn the_files_that_the_docs_name_exist() {
    const FOLDERS: [&str; 9] = [
        "src/",
        "crates/",
        "tests/",
        "docs/",
        "catalog/",
        "charts/",
        "manifests/",
        "image/",
        "benches/",
    ];
    let mut count = 0;
    for page in pages() {
        let text = prose(&read(&page));
        let names = text.split('`').skip(1).step_by(2);
        let paths = names.filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)));
        for path in paths.filter(|path| !path.contains([' ', '*', '$'])) {
            assert!(Path::new(path).exists(), "{}: {path}", page.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count} paths");
}

/// A row of the table of crossings: source regions, geography, jurisdictions.
fn crossings_of_the_page() -> Vec<(String, String, String)> {
    let page = read(Path::new("docs/residency.md"));
    let (_, rest) = page.split_once("## Crossings").unwrap();
    let rows = rest.lines().skip_while(|line| !line.starts_with("|---"));
    rows.skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let geography = cells[2].trim_matches(['`', '.']);
            (
                cells[1].to_owned(),
                geography.to_owned(),
                cells[3].to_owned(),
            )
        })
        .collect()
}

#[test]
fn the_table_of_crossings_agrees_with_the_recorded_facts() {
    let rows = crossings_of_the_page();
    let mut used = BTreeSet::new();
    for served in facts::matrix() {
        let source = Region::parse(&served.region).unwrap().jurisdiction();
        let Some((geography, _)) = served.geo_profile.split_once('.') else {
            continue;
        };
        for destination in served.geo_destinations.split_whitespace() {
            let there = Region::parse(destination).unwrap().jurisdiction();
            if there == source {
                continue;
            }
            let row = rows.iter().position(|(regions, of, jurisdictions)| {
                let code = format!("`{}`", served.region);
                let asia = regions.starts_with("Asia-Pacific") && code.starts_with("`ap-");
                (regions.contains(&code) || asia)
                    && of == geography
                    && jurisdictions.contains(there.name())
            });
            let (model, region) = (&served.model_id, &served.region);
            let missing = || {
                panic!(
                    "{model} from {region}: {geography} reaches {}",
                    there.name()
                )
            };
            used.insert(row.unwrap_or_else(missing));
        }
    }
    assert_eq!(
        used.len(),
        rows.len(),
        "a row of the page is not in the facts"
    );
}

/// Every source below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn every_registered_metric_family_is_in_the_table_of_metrics() {
    let mut registered = BTreeSet::new();
    for path in sources(Path::new("src")) {
        let text = read(&path);
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for call in code.split(".register(").skip(1) {
            if let Some((name, _)) = call
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split_once('"'))
            {
                registered.insert(name.to_owned());
            }
        }
    }
    let page = read(Path::new("docs/cluster.md"));
    let (_, table) = page.split_once("\n| families |").unwrap();
    let documented: BTreeSet<_> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
        .flat_map(|(names, _)| {
            names
                .split(", ")
                .map(|name| name.trim_matches('`').to_owned())
        })
        .collect();
    assert!(registered.len() > 30);
    assert_eq!(documented, registered);
}

#[test]
fn the_make_targets_that_the_docs_name_exist() {
    let makefile = read(Path::new("Makefile"));
    let targets: BTreeSet<_> = makefile
        .lines()
        .filter(|line| line.contains("## "))
        .filter_map(|line| Some(line.split_once(':')?.0))
        .collect();
    let mut count = 0;
    for page in pages() {
        let text = read(&page);
        let commands = text
            .split("`make ")
            .skip(1)
            .chain(text.split("\nmake ").skip(1));
        for command in commands {
            let end = command.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let target = &command[..end.unwrap_or(command.len())];
            assert!(
                targets.contains(target),
                "{}: make {target}",
                page.display()
            );
            count += 1;
        }
    }
    assert!(count > 15, "{count} commands");
}

/// The page that lists the scripts of `findings/`.
const TOOLS: &str = "docs/tools.md";

#[test]
fn each_script_about_another_tool_is_in_the_table_of_tools_and_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let listed: BTreeSet<_> = links(&read(Path::new(TOOLS)))
        .into_iter()
        .filter_map(|link| Some(link.strip_prefix("../findings/")?.to_owned()))
        .collect();
    let mut scripts = BTreeSet::new();
    for entry in fs::read_dir("findings").unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{:?}", entry.path());
        scripts.insert(entry.file_name().into_string().unwrap());
    }
    assert_eq!(listed, scripts);
}

#[test]
fn the_cron_job_of_the_catalog_runs_a_command_of_this_version() {
    use clap::CommandFactory as _;

    let manifests = read(Path::new("integrations/catalog-cronjob.yaml"));
    let (_, container) = manifests.split_once("- name: import\n").unwrap();
    let field = |name: &str| {
        let mut lines = container.lines();
        lines
            .find_map(|line| line.trim().strip_prefix(name))
            .unwrap()
    };
    let version = env!("CARGO_PKG_VERSION");
    assert!(field("image: ").ends_with(&format!("/bedrock-profiles:{version}")));
    let args = field("args: ").trim_matches(['[', ']']).split(", ");
    let words = ["bedrock-profiles"].into_iter().chain(args);
    let parsed = bedrock_profiles::cli::Cli::command().try_get_matches_from(words);
    assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
}
