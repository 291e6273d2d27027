//! The fuzz bodies over their seeds and a bounded number of changes to them, the same in every run.

use std::path::{Path, PathBuf};

use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::ConfigMapWait;

use bedrock_profiles::text::Format;

use crate::fuzz_bodies::{TARGETS, Target, handler, independent_parsers};

/// How many changed inputs are made of each seed.
const CHANGES: u64 = 300;

fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let bytes = std::fs::read(&file).unwrap();
            (file, bytes)
        })
        .collect()
}

/// Numbers that are the same in every run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// The seed with one to four pieces cut, doubled, changed, or taken from another seed.
fn changed(seed: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const SIGNS: &[u8] = b"\"'\\{}[]:,.-_ \n\t#&*!|>%@`$()0aA\xff\xc3";
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + 1 + numbers.below(24)).min(bytes.len());
        match numbers.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let from = numbers.below(other.len() + 1);
                let to = (from + 1 + numbers.below(60)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            4 if at < bytes.len() => bytes[at] = SIGNS[numbers.below(SIGNS.len())],
            _ => bytes.insert(at, SIGNS[numbers.below(SIGNS.len())]),
        }
    }
    bytes
}

/// Tells the input that a body panics on, to be kept as a seed.
fn run((name, body): Target, from: &Path, data: &[u8]) {
    let result = std::panic::catch_unwind(|| body(data));
    assert!(
        result.is_ok(),
        "{name}, made from {}: {:?}",
        from.display(),
        String::from_utf8_lossy(data)
    );
}

fn run_all(target: Target) {
    let seeds = seeds(target.0);
    assert!(seeds.len() > 2, "{}: {}", target.0, seeds.len());
    let mut numbers = Numbers(1);
    for (at, (file, seed)) in seeds.iter().enumerate() {
        run(target, file, seed);
        for _ in 0..CHANGES {
            let other = &seeds[(at + 1 + numbers.below(seeds.len())) % seeds.len()].1;
            run(target, file, &changed(seed, other, &mut numbers));
        }
    }
}

#[test]
fn tokens_are_found_in_any_text() {
    run_all(TARGETS[0]);
}

#[test]
fn json_is_read_as_serde_json_reads_it() {
    run_all(TARGETS[1]);
}

#[test]
fn yaml_is_changed_at_one_place_alone() {
    run_all(TARGETS[2]);
}

/// An oracle that refuses every text would accept every change.
#[test]
fn the_independent_parsers_read_the_seeds() {
    let has_opinion = |format, name: &str| {
        let texts = seeds(name).into_iter();
        let read = texts.filter(|(_, bytes)| {
            let text = std::str::from_utf8(bytes).unwrap();
            independent_parsers::documents(format, text).is_some()
        });
        read.count()
    };
    // Of the eight seeds, yaml_serde refuses the tags of the YAML schema.
    assert_eq!(has_opinion(Format::Yaml, "yaml"), 7);
    assert!(has_opinion(Format::Json, "json") > 3);
    for (format, text) in [
        (Format::Toml, "[a]\nb = 'c'\n"),
        (Format::Properties, "a.b = c \\\n  d\n# e\nf: g\n"),
        (Format::Env, "export A=\"b\" # c\nD='e f'\n"),
    ] {
        let read = independent_parsers::documents(format, text).unwrap();
        assert!(!read.concat().is_empty(), "{text}");
    }
}

#[test]
fn reviews_are_refused_or_answered_well() {
    run_all(TARGETS[3]);
}

#[test]
fn custom_resources_are_refused_or_converted() {
    run_all(TARGETS[4]);
}

#[test]
fn texts_of_any_format_are_changed_at_one_place_alone() {
    run_all(TARGETS[5]);
}

#[test]
fn a_key_reserved_by_serde_json_is_an_ordinary_key() {
    let handler = handler("{ mode: Rewrite }");
    let seed = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/review/reserved-key"),
    )
    .unwrap();
    let other = seed.replace("$serde_json::private::RawValue", "other");
    assert_ne!(seed, other);
    let answer =
        |body: &str| handler.handle(Endpoint::Mutate, body.as_bytes(), ConfigMapWait::Exhausted);
    let (seed, other) = (answer(&seed).unwrap(), answer(&other).unwrap());
    assert_eq!(seed, other);
    assert!(String::from_utf8_lossy(&seed).contains("\"patch\""));
}

#[test]
fn every_target_has_its_program() {
    let manifest = include_str!("../../../fuzz/Cargo.toml");
    // `tests/cost` runs the body of the target for costs, which counts allocations.
    let names = TARGETS.iter().map(|(name, _)| *name).chain(["cost"]);
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/targets/{name}.rs"));
        assert!(program.exists(), "{}", program.display());
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len() + 1);
}
