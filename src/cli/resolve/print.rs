//! The answer of `resolve` as lines of text.

use std::fmt::Write as _;

use crate::domain::catalog::Confidence;
use crate::domain::resolve::Note;
use crate::report::messages;

use super::answer::Answer;

/// The answer, with a line for each step and each known property.
pub(super) fn text(answer: &Answer) -> String {
    let mut text = String::new();
    for (at, step) in answer.steps.iter().enumerate() {
        let _ = writeln!(text, "{:>2}. {step}", at + 1);
    }
    match (&answer.target, answer.reason) {
        (Some(target), _) => text.extend([target, "\n"]),
        (None, Some(reason)) => {
            let (id, sentence) = (&answer.id, reason.description());
            let _ = writeln!(text, "{id} is unchanged: {reason}. {sentence}");
        }
        (None, None) => {}
    }
    for (name, value) in properties(answer) {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name}: {value}");
        }
    }
    text
}

fn properties(answer: &Answer) -> [(&'static str, Option<String>); 10] {
    let destinations = answer.destinations.as_ref();
    let borders: Vec<_> = answer
        .crosses
        .iter()
        .map(|[from, to]| format!("{from} -> {to}"))
        .collect();
    [
        ("message", answer.message.clone()),
        ("suggestion", answer.suggestion.clone()),
        ("region", Some(answer.region.to_string())),
        (
            "may route to",
            destinations.map(|regions| regions.join(", ")),
        ),
        ("crosses", (!borders.is_empty()).then(|| borders.join(", "))),
        (
            "lifecycle",
            answer.lifecycle.as_ref().map(messages::lifecycle),
        ),
        ("note", answer.note.map(note)),
        ("confidence", confidence(answer.confidence)),
        ("mapping", mapping(answer)),
        ("policy", Some(answer.policy.clone())),
    ]
}

fn note(note: Note) -> String {
    match note {
        Note::EndOfLife => {
            "the model has reached its end of life in this region, with or without a profile"
                .to_owned()
        }
    }
}

/// Only a doubt is printed.
fn confidence(confidence: Confidence) -> Option<String> {
    match confidence {
        Confidence::High => None,
        Confidence::Medium => Some("Medium: sources disagree, or the row was inferred".to_owned()),
    }
}

fn mapping(answer: &Answer) -> Option<String> {
    let mut text = answer.mapping.clone()?;
    if let Some(date) = answer.catalog_date {
        let _ = write!(text, " of {date}");
    }
    Some(text)
}
