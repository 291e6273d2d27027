//! A report of tests in the format of `JUnit`: each file is a suite, and each finding a test case.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::report::severity::Severity;
use crate::report::{AuditReport, FindingRecord, UnreadPart, messages};

use super::FormatOptions;

/// The name of the report, and the suite of what is in neither a file nor a namespace.
const NAME: &str = "bedrock-profiles";

/// The test cases of one file, or of a namespace of a cluster.
#[derive(Default)]
struct JUnitSuite {
    cases: String,
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

/// All findings as XML: errors and changes have failed, notes are skipped, warnings and IDs that are right have passed. A part that
/// was not read is a case with an error.
pub fn junit(report: &AuditReport, options: FormatOptions<'_>) -> String {
    let mut suites: BTreeMap<String, JUnitSuite> = BTreeMap::new();
    for one in report.unread_parts() {
        let path = one.file.map(|file| options.paths.path(file));
        let name = path.unwrap_or_else(|| NAME.to_owned());
        suites.entry(name).or_default().add_unread(&one);
    }
    for one in &report.findings {
        let name = match (&one.source, &one.object) {
            (Some(source), _) => options.paths.path(&source.file),
            (None, Some(object)) if !object.namespace.is_empty() => object.namespace.clone(),
            (None, _) => NAME.to_owned(),
        };
        suites.entry(name).or_default().add(one);
    }
    let mut all = JUnitSuite::default();
    let mut text = String::new();
    for (name, suite) in &suites {
        let (name, counts) = (escaped(name), suite.counts());
        let cases = &suite.cases;
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" {counts}>\n{cases}  </testsuite>"
        );
        all.tests += suite.tests;
        all.failures += suite.failures;
        all.errors += suite.errors;
    }
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
        all.tests, all.failures, all.errors
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{NAME}\" {counts}>\n{text}</testsuites>\n"
    )
}

impl JUnitSuite {
    fn add(&mut self, one: &FindingRecord) {
        self.tests += 1;
        let place = one.source.as_ref().map_or_else(
            || one.object.as_ref().map(ToString::to_string),
            |source| Some(format!("{}:{}", source.line, source.column)),
        );
        let name = format!("{} {}", place.unwrap_or_default(), messages::id(one));
        let sentence = messages::sentence(one);
        let sentence = escaped(&sentence);
        let cause = one.cause();
        let result = match one.severity() {
            Severity::Error | Severity::Change => {
                self.failures += 1;
                format!("<failure message=\"{sentence}\" type=\"{cause}\"/>")
            }
            Severity::Note => {
                self.skipped += 1;
                format!("<skipped message=\"{sentence}\"/>")
            }
            Severity::Warning => format!("<system-out>{cause}: {sentence}</system-out>"),
            Severity::Ok => String::new(),
        };
        self.case(&name, cause.as_str(), &result);
    }

    fn add_unread(&mut self, one: &UnreadPart<'_>) {
        self.tests += 1;
        let problem = escaped(&one.problem);
        let result = if one.is_error {
            self.errors += 1;
            format!("<error message=\"{problem}\" type=\"unread\"/>")
        } else {
            self.skipped += 1;
            format!("<skipped message=\"{problem}\"/>")
        };
        let name = one.position.map_or_else(
            || "all".to_owned(),
            |(line, column)| format!("{line}:{column}"),
        );
        self.case(&name, "unread", &result);
    }

    fn case(&mut self, name: &str, class: &str, result: &str) {
        let name = escaped(name.trim());
        let _ = writeln!(
            self.cases,
            "    <testcase name=\"{name}\" classname=\"{class}\">{result}</testcase>"
        );
    }

    fn counts(&self) -> String {
        let Self {
            tests,
            failures,
            errors,
            skipped,
            ..
        } = self;
        format!(
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
        )
    }
}

/// A text for an attribute or an element. Characters that XML cannot have are replaced.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| is_of_xml(c) && !matches!(c, '&' | '<' | '>' | '"' | '\n' | '\t');
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ if is_of_xml(character) => escaped.push(character),
            _ => escaped.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(escaped)
}

/// Whether XML 1.0 permits the character in a text, but for the carriage return, which a reader changes.
const fn is_of_xml(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}
