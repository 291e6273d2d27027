//! The manual pages of `docs/man/` are made from the help of the commands.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bedrock_profiles::cli::Cli;
use clap::CommandFactory as _;

/// The pages of a folder, by name.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).into_iter().flatten();
    files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn the_manual_pages_are_those_of_the_commands() {
    let drafts = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Cli::command(), drafts.path()).unwrap();
    let expected = pages(drafts.path());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    if std::env::var_os("UPDATE").is_some() {
        let _ = fs::remove_dir_all(&folder); // absent at first
        fs::create_dir_all(&folder).unwrap();
        for (name, page) in &expected {
            fs::write(folder.join(name), page).unwrap();
        }
    }
    let committed = pages(&folder);
    let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&expected));
    for (name, page) in expected {
        assert!(
            committed[&name] == page,
            "docs/man/{name}: run UPDATE=1 cargo test --test suite generated"
        );
        assert!(!name.contains("__complete"), "{name}");
    }
}
