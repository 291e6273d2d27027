//! An iCalendar file (RFC 5545) with an event of a whole day for each end of life.

use bedrock_profiles_engine::group;
use jiff::civil::Date;

use crate::report::model_ends::ModelEnd;
use crate::report::printable::printable;

/// The name that makes the identity of an event unique.
const GROUP: &str = group!();

/// The most bytes of a line without its end, by RFC 5545.
const LONGEST_LINE: usize = 75;

/// The ends as a calendar that was made on a day. An event keeps its identity as long as model and day are the same.
pub fn ics(ends: &[ModelEnd], today: Date) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| fold(&format!("{name}:{value}"), &mut text);
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//bedrock-profiles//audit//EN");
    for end in ends {
        let Ok(next) = end.date.tomorrow() else {
            continue;
        };
        let sentences = end.users_by_region().chain(end.successors());
        let notes = end.notes(today).map(str::to_owned);
        let sentences: Vec<_> = sentences.chain(notes).map(|text| escaped(&text)).collect();
        line("BEGIN", "VEVENT");
        line(
            "UID",
            &format!("{}-{}@{}", end.date, escaped(&end.model), GROUP),
        );
        line("DTSTAMP", &(day(today) + "T000000Z"));
        line("DTSTART;VALUE=DATE", &day(end.date));
        line("DTEND;VALUE=DATE", &day(next));
        line("SUMMARY", &escaped(&format!("End of life: {}", end.model)));
        line("DESCRIPTION", &sentences.join("\\n"));
        line("TRANSP", "TRANSPARENT");
        line("END", "VEVENT");
    }
    line("END", "VCALENDAR");
    text
}

fn day(date: Date) -> String {
    date.strftime("%Y%m%d").to_string()
}

/// The value of a property of type TEXT.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in printable(text).chars() {
        if matches!(character, '\\' | ';' | ',') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Adds a line, in parts that are no longer than they may be; each but the first begins with a space.
fn fold(line: &str, text: &mut String) {
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > LONGEST_LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(character);
        length += character.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn lines_are_escaped_and_folded_without_a_loss() {
        let name = "ml/Pod/a,b;c\\d\u{1b}\u{e9}".to_owned() + &"\u{65e5}".repeat(40);
        let end = ModelEnd {
            date: jiff::civil::date(2027, 4, 8),
            model: "anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned(),
            is_uncertain: false,
            is_legacy: true,
            users: BTreeMap::from([(None, BTreeSet::from([name.clone()]))]),
            successor: BTreeMap::new(),
        };
        let text = ics(&[end], jiff::civil::date(2026, 11, 23));
        assert!(text.ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"), "{text}");
        assert!(
            text.split("\r\n")
                .all(|line| line.len() <= LONGEST_LINE && !line.contains('\n'))
        );
        let unfolded = text.replace("\r\n ", "");
        let value = |name: &str| {
            let mut lines = unfolded.split("\r\n");
            lines
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            value("UID:"),
            format!("2027-04-08-anthropic.claude-sonnet-4-5-20250929-v1:0@{GROUP}")
        );
        assert_eq!(
            (value("DTSTART;VALUE=DATE:"), value("DTEND;VALUE=DATE:")),
            ("20270408".to_owned(), "20270409".to_owned())
        );
        let shown = name.replace('\u{1b}', "\\u{1b}");
        let expected = shown
            .replace('\\', "\\\\")
            .replace(';', "\\;")
            .replace(',', "\\,");
        assert!(
            value("DESCRIPTION:").starts_with(&format!("region unknown: {expected}\\nLegacy")),
            "{unfolded}"
        );
    }
}
