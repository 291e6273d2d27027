//! The files with answers of the Bedrock API, and the regions that they are about.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::catalog::answers::ListedRegions;
use crate::cli::console::message;
use crate::cli::named_file::read_named;
use crate::domain::region::Region;
use crate::report::printable::printable;
use crate::scan::files::read_pipe;

/// Answers of the Bedrock API.
#[derive(Debug, Clone, clap::Args)]
pub struct AnswerArgs {
    /// Outputs of `aws bedrock list-inference-profiles` and `list-foundation-models` in JSON, of any number of accounts and regions:
    /// files, folders with `.json` files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Region of answers without an ARN. Default: the one in the name of the file or of its folder.
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    pub region: Option<Region>,
}

impl AnswerArgs {
    /// Reads the answers. Prints a note for each file without one.
    pub(super) fn read(&self) -> anyhow::Result<ListedRegions> {
        let mut files = Vec::new();
        for path in &self.files {
            add_files(path, &mut files)
                .with_context(|| format!("cannot read {}", path.display()))?;
        }
        let mut listed = ListedRegions::default();
        for path in &files {
            let text = read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.display().to_string();
            if !listed.read(&name, &text, self.region)? {
                message!("note: {name} is empty: the call has failed");
            }
        }
        ensure!(
            listed.regions().next().is_some(),
            "no file has an answer of list-inference-profiles or list-foundation-models"
        );
        for note in listed.notes() {
            message!("note: {}", printable(note));
        }
        Ok(listed)
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    if path != Path::new("-") {
        return read_named(path);
    }
    String::from_utf8(read_pipe(path)?).map_err(std::io::Error::other)
}

/// Adds a file, or every JSON file below a folder in the order of their names. A link to a folder in it is not followed: it could
/// be to one around it.
fn add_files(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(path)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.file_type()?.is_dir()))
        })
        .collect::<std::io::Result<_>>()?;
    entries.sort_unstable();
    // A hidden file is none that was written for this, such as what the AWS CLI caches in its home.
    let is_hidden = |entry: &Path| {
        let name = entry.file_name();
        name.is_some_and(|name| name.to_string_lossy().starts_with('.'))
    };
    for (entry, is_folder) in entries {
        let is_json = || entry.extension().is_some_and(|end| end == "json") && !entry.is_dir();
        if !is_hidden(&entry) && (is_folder || is_json()) {
            add_files(&entry, files)?;
        }
    }
    Ok(())
}
