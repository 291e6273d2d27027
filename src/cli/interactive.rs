//! `fix -i`: asks about each hunk, as `git add -p` does.

use std::io::IsTerminal as _;

use crate::report::printable::printable;

use super::console;
use super::interruption::Interruption;
use super::patch::Hunk;

/// What each answer means.
const HELP: &str = "\
y - make this change
n - do not make this change
q - quit; make neither this change nor any of the remaining ones
a - make this change and all later ones in the file
d - make neither this change nor any later one in the file
? - print help
";

/// Prints hunks and questions, and reads the answers.
pub(super) trait Dialog {
    /// Prints a part of a patch, with the colours of a patch.
    fn show(&mut self, patch: &str);

    /// Prints a question or an explanation.
    fn say(&mut self, text: &str);

    /// The next line of the user; `None` if there are no more.
    fn answer(&mut self) -> Option<String>;
}

/// The terminal: questions go to standard error, and answers come from standard input.
#[derive(Debug)]
pub(super) struct Terminal<'a>(&'a Interruption);

/// There is no terminal to ask on.
#[derive(Debug, thiserror::Error)]
#[error(
    "-i asks about each change, and {0}: --diff prints the changes as a patch, which can be edited and applied"
)]
pub(super) struct NotATerminal(&'static str);

/// Asks about the hunks of one file after another, until the user quits.
#[derive(Debug)]
pub(super) struct HunkChooser<D> {
    dialog: D,
    has_quit: bool,
}

/// An answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HunkAnswer {
    Yes,
    No,
    Quit,
    RestOfFile { is_wanted: bool },
}

impl<D: Dialog> HunkChooser<D> {
    pub(super) const fn new(dialog: D) -> Self {
        Self {
            dialog,
            has_quit: false,
        }
    }

    /// Whether the user wants each hunk of a file.
    pub(super) fn choose(&mut self, header: &str, hunks: &[Hunk]) -> Vec<bool> {
        let mut rest_of_file = None;
        let mut wanted = Vec::with_capacity(hunks.len());
        for (index, hunk) in hunks.iter().enumerate() {
            if index == 0 && !self.has_quit {
                self.dialog.show(header);
            }
            let is_wanted = match rest_of_file {
                _ if self.has_quit => false,
                Some(is_wanted) => is_wanted,
                None => {
                    self.dialog.show(&hunk.text);
                    match self.ask(&format!("({}/{})", index + 1, hunks.len())) {
                        HunkAnswer::Yes => true,
                        HunkAnswer::No => false,
                        HunkAnswer::Quit => {
                            self.has_quit = true;
                            false
                        }
                        HunkAnswer::RestOfFile { is_wanted } => {
                            rest_of_file = Some(is_wanted);
                            is_wanted
                        }
                    }
                }
            };
            wanted.push(is_wanted);
        }
        wanted
    }

    /// Asks until the answer is one of those that the question names. The end of the input quits.
    fn ask(&mut self, position: &str) -> HunkAnswer {
        loop {
            self.dialog
                .say(&format!("{position} Make this change [y,n,q,a,d,?]? "));
            let Some(line) = self.dialog.answer() else {
                self.dialog.say("\n");
                return HunkAnswer::Quit;
            };
            match line.trim() {
                "y" | "Y" => return HunkAnswer::Yes,
                "n" | "N" => return HunkAnswer::No,
                "q" | "Q" => return HunkAnswer::Quit,
                "a" | "A" => return HunkAnswer::RestOfFile { is_wanted: true },
                "d" | "D" => return HunkAnswer::RestOfFile { is_wanted: false },
                _ => self.dialog.say(HELP),
            }
        }
    }
}

impl<'a> Terminal<'a> {
    /// The terminal of the process. `interruption` ends the wait for an answer.
    ///
    /// # Errors
    /// Standard input or standard error is no terminal, or the input is the file to change, `has_input`.
    pub(super) fn open(
        interruption: &'a Interruption,
        has_input: bool,
    ) -> Result<Self, NotATerminal> {
        if has_input {
            return Err(NotATerminal("standard input is a file to change"));
        }
        if !std::io::stdin().is_terminal() {
            return Err(NotATerminal("standard input is no terminal"));
        }
        if !std::io::stderr().is_terminal() {
            return Err(NotATerminal("standard error is no terminal"));
        }
        Ok(Self(interruption))
    }
}

impl Dialog for Terminal<'_> {
    fn show(&mut self, patch: &str) {
        let mut coloured = String::new();
        for line in patch.lines() {
            let color = match line.as_bytes() {
                [b'd', ..] | [b'-', b'-', b'-', ..] | [b'+', b'+', b'+', ..] => "\u{1b}[1m",
                [b'-', ..] => "\u{1b}[31m",
                [b'+', ..] => "\u{1b}[32m",
                [b'@', ..] => "\u{1b}[36m",
                _ => "",
            };
            let reset = if color.is_empty() { "" } else { "\u{1b}[0m" };
            coloured.extend([color, &printable(line), reset, "\n"]);
        }
        console::print_message_text(&coloured);
    }

    fn say(&mut self, text: &str) {
        console::print_message_text(text);
    }

    fn answer(&mut self) -> Option<String> {
        let read = self.0.unless_stopped(|| {
            let mut line = String::new();
            let count = std::io::stdin().read_line(&mut line);
            count.ok().filter(|count| *count > 0).map(|_| line)
        });
        read.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers from a text, a line each, and what was printed.
    struct Script<'a> {
        answers: std::str::Lines<'a>,
        printed: String,
    }

    impl Dialog for &mut Script<'_> {
        fn show(&mut self, patch: &str) {
            self.printed.push_str(patch);
        }

        fn say(&mut self, text: &str) {
            self.printed.push_str(text);
        }

        fn answer(&mut self) -> Option<String> {
            self.answers.next().map(str::to_owned)
        }
    }

    /// What the answers choose of a file of three hunks and of one of two, and what was printed.
    fn chosen(answers: &str) -> (Vec<bool>, String) {
        let mut script = Script {
            answers: answers.lines(),
            printed: String::new(),
        };
        let mut chooser = HunkChooser::new(&mut script);
        let hunk = |line| Hunk {
            lines: line..line + 1,
            text: format!("@@ {line}\n"),
        };
        let mut wanted = chooser.choose("--- a\n", &[hunk(1), hunk(2), hunk(3)]);
        wanted.extend(chooser.choose("--- b\n", &[hunk(1), hunk(2)]));
        (wanted, script.printed)
    }

    #[test]
    fn each_answer_chooses_what_git_chooses() {
        for (answers, expected) in [
            ("y\nn\ny\nn\ny", [true, false, true, false, true]),
            ("a\nn\ny", [true, true, true, false, true]),
            ("n\na\nd", [false, true, true, false, false]),
            ("y\nd\na", [true, false, false, true, true]),
            ("y\nq", [true, false, false, false, false]),
            ("y", [true, false, false, false, false]),
            ("", [false; 5]),
            ("Y\n N \n\n?\nx\ny\nq", [true, false, true, false, false]),
        ] {
            assert_eq!(chosen(answers).0, expected, "{answers:?}");
        }
    }

    #[test]
    fn a_hunk_is_printed_before_its_question_and_help_on_demand() {
        let (_, printed) = chosen("n\n?\nq");
        let question = |position| format!("({position}/3) Make this change [y,n,q,a,d,?]? ");
        let expected = [
            "--- a\n@@ 1\n",
            &question(1),
            "@@ 2\n",
            &question(2),
            HELP,
            &question(2),
        ];
        assert_eq!(printed, expected.concat());
    }
}
