//! The text of an error with its causes, in one line.

use std::error::Error;

/// The message of an error and of its sources. A source whose message is already part of the text is omitted: the errors of `kube`
/// contain the messages of their sources.
pub fn error_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for source in std::iter::successors(error.source(), |&error| error.source()) {
        let source = source.to_string();
        if !text.contains(&source) {
            text.push_str(": ");
            text.push_str(&source);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read x")]
        Plain(#[source] io::Error),
        #[error("cannot read x: {0}")]
        WithSource(#[source] io::Error),
    }

    #[test]
    fn each_cause_is_in_the_text_once() {
        let cause = || io::Error::other("gone");
        assert_eq!(error_text(&Outer::Plain(cause())), "cannot read x: gone");
        assert_eq!(
            error_text(&Outer::WithSource(cause())),
            "cannot read x: gone"
        );
    }
}
