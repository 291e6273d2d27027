//! The answers of `resolve` as text: all properties of one, or a line for each of several.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::domain::catalog::Confidence;
use crate::domain::resolve::Note;
use crate::report::messages;
use crate::report::printable::printable;
use crate::report::severity::Severity;

use super::super::console::message;
use super::answer::Answer;

/// The answer, with a line for each step and each known property.
pub(super) fn text(answer: &Answer) -> String {
    let mut text = String::new();
    for (at, step) in answer.steps.iter().enumerate() {
        let _ = writeln!(text, "{:>2}. {step}", at + 1);
    }
    match (&answer.target, answer.reason) {
        (Some(target), _) => {
            let value = answer.value.as_ref().unwrap_or(target);
            let _ = writeln!(text, "{}", printable(value));
        }
        (None, Some(reason)) => {
            let (id, sentence) = (printable(&answer.id), reason.description());
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

/// The answers of several pairs of ID and region: below each ID a line for each region, with the value to use, or the reason why there
/// is none.
pub(super) fn matrix(answers: &[Answer]) -> String {
    let mut text = String::new();
    let widest = answers.iter().map(|answer| answer.region.as_str().len());
    let widest = widest.max().unwrap_or_default();
    let mut id = None;
    for answer in answers {
        if id.replace(&answer.id) != Some(&answer.id) {
            let _ = writeln!(text, "{}", printable(&answer.id));
        }
        let _ = write!(text, "  {:widest$}  ", answer.region.as_str());
        let reason = answer.reason.map(|reason| reason.to_string());
        let note = answer.note.map(|note| note.to_string());
        let (value, doubt) = (answer.value.as_deref(), reason.or(note));
        let _ = match (value, doubt) {
            (Some(value), None) => writeln!(text, "{}", printable(value)),
            (Some(value), Some(doubt)) => writeln!(text, "{} ({doubt})", printable(value)),
            (None, doubt) => writeln!(text, "- ({})", doubt.unwrap_or_default()),
        };
    }
    text
}

/// The values to use, a line each; empty where none works. Doubts are printed to standard error.
pub(super) fn values(answers: &[Answer]) -> String {
    let mut text = String::new();
    for answer in answers {
        report_doubt(answer);
        text.extend([answer.value.as_deref().unwrap_or_default(), "\n"]);
    }
    text
}

/// Prints what is wrong with a value, or not known of it.
fn report_doubt(answer: &Answer) {
    let (id, region) = (&answer.id, answer.region);
    let (level, verb) = match answer.severity {
        Severity::Error => ("error", "cannot"),
        Severity::Warning => ("warning", "may not"),
        Severity::Change | Severity::Note | Severity::Ok => return,
    };
    let Some(reason) = answer.reason else {
        let doubt = answer.note.map(note).unwrap_or_default();
        return message!("{level}: {id} in {region}: {doubt}");
    };
    let sentence = reason.description();
    let mut next = String::new();
    for text in [&answer.message, &answer.suggestion].into_iter().flatten() {
        next.extend([" (", text, ")"]);
    }
    message!("{level}: {id} {verb} work in {region}: {reason}{next}. {sentence}");
}

/// The answers as JSON: one object if `single`, else a list.
pub(super) fn json(answers: &[Answer], single: bool) -> anyhow::Result<String> {
    let text = if single {
        serde_json::to_string_pretty(&answers.first().context("no answer")?)
    } else {
        serde_json::to_string_pretty(answers)
    };
    Ok(text? + "\n")
}

fn properties(answer: &Answer) -> [(&'static str, Option<String>); 13] {
    let destinations = answer.destinations.as_ref();
    let parts = answer.parts.as_ref();
    let borders: Vec<_> = answer
        .crosses
        .iter()
        .map(|[from, to]| format!("{from} -> {to}"))
        .collect();
    [
        ("message", answer.message.clone()),
        ("suggestion", answer.suggestion.clone()),
        (
            "profile",
            answer
                .target
                .clone()
                .filter(|target| answer.value.as_ref() != Some(target)),
        ),
        ("consists of", parts.map(ToString::to_string)),
        ("would be", parts.and_then(|parts| parts.would_be.clone())),
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
        Note::Successor => "the successor of a model that has reached its end of life".to_owned(),
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
