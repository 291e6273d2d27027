//! The tables of what is expected, as they are written by hand in `tests/data/corpus/`.

use std::collections::BTreeMap;

use super::places::{Corpus, File};
use crate::differences::Differences;
use crate::file_runs::{FileResult, ReportedFinding, Results};

/// The rows of a table, one for each place, by the number of their file.
pub(crate) struct Table {
    rows: BTreeMap<String, Vec<Row>>,
}

/// What is expected at one place.
struct Row {
    place: String,
    /// Which ID of several in one text.
    ordinal: usize,
    outcome: Outcome,
    region: Asked,
    source: Asked,
}

/// What becomes of an ID.
#[derive(Clone)]
enum Outcome {
    Left(String),
    /// It is replaced by a profile of this geography, or by a `direct` ID.
    Rewritten {
        geography: String,
        end_of_life: bool,
    },
}

/// A column that may be empty on purpose, or of no matter.
#[derive(Clone)]
enum Asked {
    NoMatter,
    Nothing,
    Is(String),
}

/// How much of the findings a table speaks of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Every finding, and no other exists.
    Whole,
    /// Those that it names.
    Named,
}

impl Table {
    /// Reads the rows; the head of `default.txt` says how they are written.
    pub(crate) fn read(text: &str) -> Self {
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<_> = line.split_whitespace().collect();
            let [file, places, outcome, region, source] = columns[..] else {
                panic!("not five columns: {line}");
            };
            let of_file = rows.entry(file.to_owned()).or_default();
            for place in expanded(places) {
                let (place, ordinal) = place
                    .rsplit_once('#')
                    .map_or((&*place, 0), |(place, ordinal)| {
                        (place, ordinal.parse().unwrap())
                    });
                of_file.push(Row {
                    place: place.to_owned(),
                    ordinal,
                    outcome: Outcome::read(outcome),
                    region: Asked::read(region),
                    source: Asked::read(source),
                });
            }
        }
        Self { rows }
    }

    /// How many places the table names.
    pub(crate) fn len(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// Whether the table names a place.
    pub(crate) fn names(&self, file: &File, place: &str) -> bool {
        let rows = self.rows.get(file.number());
        rows.is_some_and(|rows| rows.iter().any(|row| row.place == place))
    }

    /// Holds a run against the table. `model` says which model stands in the answer for one that was found.
    pub(crate) fn judge(
        &self,
        corpus: &Corpus,
        run: &Results,
        coverage: Coverage,
        model: impl Fn(&str) -> String,
    ) -> Differences {
        let mut differences = Differences::default();
        // A row of a file that does not exist would hold of nothing.
        for number in self.rows.keys() {
            corpus.file(number);
        }
        for file in &corpus.files {
            let ran = &run.files[&file.name];
            let rows = self.rows.get(file.number()).map_or(&[][..], Vec::as_slice);
            if coverage == Coverage::Whole || !rows.is_empty() {
                differences.judging(&file.name);
            }
            let mut found = by_place(ran);
            for row in rows {
                let got = found.remove(&(row.place.clone(), row.ordinal));
                row.judge(file, got, &model, &mut differences);
            }
            if coverage == Coverage::Whole {
                for error in &ran.errors {
                    differences.add(&file.name, "the file", "no error", error);
                }
                for ((place, _), got) in found {
                    differences.add(&file.name, place, "no finding", got.verdict());
                }
            }
        }
        differences
    }
}

/// The findings by their place, and by which of several they are.
fn by_place(ran: &FileResult) -> BTreeMap<(String, usize), &ReportedFinding> {
    let mut found = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in &ran.found {
        let ordinal = counts.entry(one.place()).or_default();
        found.insert((one.place(), *ordinal), one);
        *ordinal += 1;
    }
    found
}

impl Row {
    fn judge(
        &self,
        file: &File,
        got: Option<&ReportedFinding>,
        model: &impl Fn(&str) -> String,
        differences: &mut Differences,
    ) {
        let place = match self.ordinal {
            0 => self.place.clone(),
            ordinal => format!("{}#{ordinal}", self.place),
        };
        let Some(got) = got else {
            let expected = self.outcome.answer("…", model);
            return differences.add(&file.name, place, expected, "no finding");
        };
        let expected = self.outcome.answer(&got.model_id, model);
        if got.verdict() != expected {
            differences.add(&file.name, &place, expected, got.verdict());
        }
        for (asked, got) in [
            (&self.region, &got.region),
            (&self.source, &got.region_source),
        ] {
            match asked {
                Asked::NoMatter => {}
                Asked::Nothing => differences.compare(&file.name, &place, &None, got),
                Asked::Is(expected) => {
                    differences.compare(&file.name, &place, &Some(expected.clone()), got);
                }
            }
        }
    }
}

impl Outcome {
    fn read(text: &str) -> Self {
        if text.starts_with(|first: char| first.is_ascii_uppercase()) {
            return Self::Left(text.to_owned());
        }
        let living = text.strip_suffix("(EndOfLife)");
        Self::Rewritten {
            geography: living.unwrap_or(text).to_owned(),
            end_of_life: living.is_some(),
        }
    }

    /// The verdict in one word, as [`ReportedFinding::verdict`] says it.
    fn answer(&self, id: &str, model: &impl Fn(&str) -> String) -> String {
        match self {
            Self::Left(reason) => reason.clone(),
            Self::Rewritten {
                geography,
                end_of_life,
            } => {
                let note = if *end_of_life { " (EndOfLife)" } else { "" };
                match geography.as_str() {
                    "direct" => format!("{}{note}", model(id)),
                    geography => format!("{geography}.{}{note}", model(id)),
                }
            }
        }
    }
}

impl Asked {
    fn read(text: &str) -> Self {
        match text {
            "-" => Self::NoMatter,
            "none" => Self::Nothing,
            text => Self::Is(text.to_owned()),
        }
    }
}

/// Opens `{0..2}` and `{1,3}`.
fn expanded(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else {
        return vec![text.to_owned()];
    };
    let (some, after) = rest.split_once('}').unwrap();
    let numbers: Vec<usize> = match some.split_once("..") {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).collect(),
        None => some.split(',').map(|one| one.parse().unwrap()).collect(),
    };
    let each = numbers.into_iter();
    each.flat_map(|number| expanded(&format!("{before}{number}{after}")))
        .collect()
}

/// A test of the tables themselves: it needs no corpus.
pub(crate) fn places_are_expanded() {
    assert_eq!(expanded("/a/{0..2}/b"), ["/a/0/b", "/a/1/b", "/a/2/b"]);
    assert_eq!(expanded("/{1,3}/{0,1}"), ["/1/0", "/1/1", "/3/0", "/3/1"]);
    assert_eq!(expanded("/a#1"), ["/a#1"]);
}
