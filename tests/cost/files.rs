//! The memory of an audit of files, which does not grow with their number or size.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZero;
use std::path::Path;

use bedrock_profiles::cli::evaluation_args::{EvaluationArgs, default_policy};
use bedrock_profiles::domain::view::View;
use bedrock_profiles::scan::Scan;
use bedrock_profiles::scan::files::{FileSelection, read_pipe};
use bedrock_profiles::scan::passes::{self, Workers};

const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// The most memory of an audit on one thread, in bytes, besides what its findings take: a part of a file and its tree.
const MOST: u64 = 8 << 20;

/// How much the memory may grow where twice as much is read, in bytes: names and fingerprints.
const MOST_GROWTH: u64 = 128 << 10;

/// The number of IDs in a text.
const IDS: usize = 20;

/// Documents of four kinds, with [`IDS`] IDs, and comments that are read fast.
fn documents(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let model = if number.is_multiple_of(count / IDS) {
            ID
        } else {
            "none"
        };
        let _ = match number % 4 {
            0 => write!(
                text,
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}}}\nspec:\n  containers:\n  - name: c\n    env:\n    - {{name: AWS_REGION, value: eu-west-1}}\n    - {{name: MODEL, value: '{model}'}}\n"
            ),
            1 => write!(
                text,
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\ndata: {{color: blue, level: info, number: '{number}'}}\n"
            ),
            2 => write!(
                text,
                "---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{number}}}\nspec:\n  selector: {{app: web}}\n  ports: [{{name: http, port: 80, targetPort: 8080}}]\n"
            ),
            _ => write!(
                text,
                "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: x{number}}}\nstringData: {{password: none}}\n"
            ),
        };
        let _ = writeln!(text, "# {}", "comment ".repeat(50));
    }
    text
}

/// The most memory of an audit of a folder on one thread, and the number of findings.
fn audit(folder: &Path, view: &View) -> (u64, usize) {
    let scan = Scan {
        view,
        today: jiff::civil::date(2026, 11, 23),
        namespace: "default",
        edit: None,
        selector: None,
        exemptions: &[],
    };
    let workers = Workers {
        threads: NonZero::<usize>::MIN,
        is_stopped: &|| false,
    };
    let selection = FileSelection::new(&[], false).unwrap();
    let (mut findings, mut errors) = (0, 0);
    let counted = allocation_counter::measure(|| {
        let paths = [folder.to_owned()];
        let files = selection.inputs(&paths, read_pipe);
        let mut collected = passes::collect(workers, &scan, files, |file| {
            errors += usize::from(file.is_err());
        });
        collected.config_maps(workers, &scan, |_| errors += 1);
        collected.evaluate(workers, &scan, |file| match file {
            Ok(file) => findings += file.result.findings.len(),
            Err(_) => errors += 1,
        });
    });
    assert_eq!(errors, 0);
    (counted.bytes_max, findings)
}

/// Audits what `write` writes of an amount, and of twice as much.
fn grows_little(amount: usize, findings: [usize; 2], write: impl Fn(&Path, usize)) {
    let (view, _) = EvaluationArgs::default().view(default_policy()).unwrap();
    let measured = [amount, 2 * amount].map(|amount| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), amount);
        audit(folder.path(), &view)
    });
    let [(once, found_once), (twice, found_twice)] = measured;
    println!("{} KiB, {} KiB", once >> 10, twice >> 10);
    assert_eq!([found_once, found_twice], findings);
    assert!(twice <= MOST, "{twice} bytes");
    assert!(twice <= once + MOST_GROWTH, "{once} and {twice} bytes");
}

#[test]
fn the_memory_of_a_file_does_not_grow_with_its_documents() {
    grows_little(3_200, [IDS; 2], |folder, count| {
        fs::write(folder.join("all.yaml"), documents(count)).unwrap();
    });
}

#[test]
fn the_memory_of_a_folder_does_not_grow_with_its_files() {
    let text = documents(80);
    grows_little(50, [50 * IDS, 100 * IDS], |folder, count| {
        for number in 0..count {
            fs::write(folder.join(format!("{number:04}.yaml")), &text).unwrap();
        }
    });
}
