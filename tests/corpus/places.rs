//! The files of the corpus and the places that are named beside them.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Names another folder than the one beside the repository.
const FOLDER: &str = "BEDROCK_PROFILES_CORPUS";

/// The list of files with their places.
const INDEX: &str = "index.json";

/// Every file, in the order of their numbers.
pub(crate) struct Corpus {
    pub(crate) files: Vec<File>,
}

/// The folder of the corpus.
pub(crate) struct Location {
    folder: PathBuf,
    is_named: bool,
}

/// One file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) places: Places,
}

/// The places of one file.
#[derive(Deserialize)]
pub(crate) struct Places {
    file: String,
    pub(crate) expected: Vec<Expected>,
    pub(crate) untouched: Vec<Untouched>,
    /// Why a file is not judged; it must not break all the same.
    pub(crate) skip: Option<String>,
}

/// A place that is rewritten.
#[derive(Deserialize)]
pub(crate) struct Expected {
    #[serde(flatten)]
    pub(crate) place: Place,
    /// The whole text before.
    pub(crate) from: String,
    /// The ID in it.
    pub(crate) id: String,
    /// The whole text after, where the answer is a `us` profile.
    #[serde(rename = "to_if_us_east_1")]
    pub(crate) to: String,
    pub(crate) needs: Option<Needs>,
}

/// What a place waits for before it is rewritten.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// That the policy rewrites lists.
    #[serde(rename = "lists: Rewrite")]
    Lists,
    /// A region that can be read.
    #[serde(rename = "region")]
    Region,
}

/// A place that looks like one to rewrite and stays.
#[derive(Deserialize)]
pub(crate) struct Untouched {
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) token: String,
    #[serde(rename = "why_untouched")]
    pub(crate) why: String,
}

/// A pointer into a document, and one inside the text that it leads to.
#[derive(Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    path: String,
    #[serde(rename = "inner_path")]
    pub(crate) inner: Option<String>,
}

impl Place {
    /// The pointer; a line of a file that is no document has none.
    pub(crate) fn pointer(&self) -> Option<&str> {
        let pointer = self
            .path
            .split_once(']')
            .map_or(&*self.path, |(_, pointer)| pointer);
        (!pointer.starts_with("line ")).then_some(pointer)
    }

    /// Pointer and inner pointer, as tables write them.
    pub(crate) fn key(&self) -> String {
        let pointer = self.pointer().unwrap_or(&self.path);
        match &self.inner {
            Some(inner) => format!("{pointer}:{inner}"),
            None => pointer.to_owned(),
        }
    }

    /// The line of a file that is no document.
    pub(crate) fn line(&self) -> Option<usize> {
        Some(self.path.strip_prefix("line ")?.parse().unwrap())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.inner
            .as_ref()
            .map_or(Ok(()), |inner| write!(f, ":{inner}"))
    }
}

impl File {
    /// What tables call the file: its number.
    pub(crate) fn number(&self) -> &str {
        let name = self.name.trim_start_matches("SYNTHETIC-");
        name.split('-').next().unwrap()
    }

    /// The text with these places rewritten and no other byte changed. The list of places and the text must agree on how
    /// often each text to be rewritten stands there, so that nothing has to be parsed to find it.
    pub(crate) fn rewritten(&self, counts: impl Fn(&Expected) -> bool) -> String {
        let mut text = self.text.clone();
        let mut done: Vec<&str> = Vec::new();
        for one in self.places.expected.iter().filter(|one| counts(one)) {
            let same = |other: &&Expected| other.from == one.from;
            let named = self.places.expected.iter().filter(same).count();
            let (name, from) = (&self.name, &one.from);
            assert_eq!(
                self.text.matches(from.as_str()).count(),
                named,
                "{name}: {from}"
            );
            if !done.contains(&from.as_str()) {
                text = text.replace(from.as_str(), &one.to);
                done.push(from);
            }
        }
        text
    }
}

impl Location {
    /// The folder that the environment names, or the one beside the repository.
    pub(crate) fn from_environment() -> Self {
        let named = std::env::var_os(FOLDER).map(PathBuf::from);
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        Self {
            is_named: named.is_some(),
            folder: named.unwrap_or_else(beside),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = self.folder.display();
        write!(f, "{folder} ({FOLDER} names another folder)")
    }
}

impl Corpus {
    /// Reads the corpus; `None` where the folder beside the repository does not exist. A corpus that is there and cannot be
    /// read is an error, and so is a named folder without one.
    pub(crate) fn open(location: &Location) -> Result<Option<Self>> {
        let folder = &location.folder;
        if !location.is_named && !folder.exists() {
            return Ok(None);
        }
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let all: Vec<Places> = serde_json::from_str(&read(INDEX)?).context(INDEX)?;
        let file = |places: Places| {
            Ok(File {
                name: places.file.clone(),
                text: read(&places.file)?,
                places,
            })
        };
        let files: Result<_> = all.into_iter().map(file).collect();
        Ok(Some(Self { files: files? }))
    }

    /// The file of this number.
    pub(crate) fn file(&self, number: &str) -> &File {
        let found = self.files.iter().find(|file| file.number() == number);
        found.unwrap_or_else(|| panic!("no file of the corpus has the number {number}"))
    }

    /// Names and texts, as they lie there.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let text = |file: &File| (file.name.clone(), file.text.clone());
        self.files.iter().map(text).collect()
    }
}
