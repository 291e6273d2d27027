//! Scripts of a grammar. Each command has a marker of its own as its first argument.

use std::fmt::Write as _;

/// The shell that a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Posix,
    Bash,
}

/// A generator of scripts.
pub(crate) struct Generator {
    state: u64,
    flavour: Flavour,
    markers: usize,
    depth: usize,
    substitutions: usize,
    /// The compound commands around, in the innermost substitution.
    compounds: usize,
    /// The here-documents whose text follows the line.
    pending: Vec<String>,
}

/// Characters of unquoted text.
const PLAIN: &[&str] = &[
    "a", "b-c", "d.e", "f/g", "h=i", "j:k", "1", "é", "%", "+", "@", "#", "{x}", "]", "!", "*",
    "^", "~",
];

/// Quoted pieces, without the quotes.
const SINGLE: &[&str] = &[
    "a b", "", "\\", "\"", "$X", "`", ";", "|&", "\n", "#", "$(n)", ")", "}", "\\n", "é  ü",
];
const DOUBLE: &[&str] = &[
    "a b", "", "'", "\\\"", "\\$X", "\\\\", "\\a", ";", "&& |", "\n", "#", ")", "}", "\\\n", "\\`",
    "$", "é", "{",
];

/// Signs that damage a script.
const DAMAGE: &[&str] = &[
    "'", "\"", "\\", "$", "`", "(", ")", "{", "}", ";", "&", "|", "#", " ", "\n", "<", ">", "=",
    "!", "${", "$(", "'\"", "\\\n",
];

impl Generator {
    pub(crate) fn new(seed: u64, flavour: Flavour) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            flavour,
            markers: 0,
            depth: 0,
            substitutions: 0,
            compounds: 0,
            pending: Vec::new(),
        }
    }

    /// A script.
    pub(crate) fn script(&mut self) -> String {
        let lines = 1 + self.below(5);
        (0..lines).map(|_| self.line()).collect()
    }

    /// A script with a sign too many or too few.
    pub(crate) fn damaged_script(&mut self) -> String {
        let mut text = self.script();
        let at = text.floor_char_boundary(self.below(text.len()));
        if self.one_in(3) {
            text.remove(at);
        } else {
            text.insert_str(at, self.pick(DAMAGE));
        }
        text
    }

    // --- commands ---

    /// A line with its here-documents.
    fn line(&mut self) -> String {
        let mut line = self.item();
        if self.one_in(8) {
            line.push_str(" # it's \"a $(comment");
        }
        line.push('\n');
        for text in std::mem::take(&mut self.pending) {
            line.push_str(&text);
        }
        line
    }

    fn item(&mut self) -> String {
        let first = self.command();
        if !self.pending.is_empty() {
            return first;
        }
        match self.below(10) {
            0 => format!("{first} && {}", self.simple_alone()),
            1 => format!(
                "{first} || {}; {}",
                self.simple_alone(),
                self.simple_alone()
            ),
            2 => format!("{first} | {}", self.simple_alone()),
            3 => format!("{first} & wait; {}", self.simple_alone()),
            4 => format!("{first};{}", self.simple_alone()),
            5 => format!("! {first}"),
            _ => first,
        }
    }

    fn command(&mut self) -> String {
        if self.depth > 3 || self.one_in(2) {
            return self.simple();
        }
        self.depth += 1;
        self.compounds += 1;
        let command = self.compound();
        self.compounds -= 1;
        self.depth -= 1;
        command
    }

    fn compound(&mut self) -> String {
        let own = std::mem::take(&mut self.pending);
        let inner = |generator: &mut Self| generator.line();
        let command = match self.below(if self.flavour == Flavour::Bash {
            14
        } else {
            11
        }) {
            0 => format!("{{ {}}}", inner(self)),
            1 => format!("( {})", inner(self)),
            2 => format!(
                "if {}then {}else {}fi",
                inner(self),
                inner(self),
                inner(self)
            ),
            3 => format!(
                "if {} ; then {}; fi",
                self.simple_alone(),
                self.simple_alone()
            ),
            4 => format!(
                "for i in {} {}; do {}done",
                self.word(),
                self.word(),
                inner(self)
            ),
            5 => format!("while {}break; do :; done", inner(self)),
            6 => format!(
                "case {} in {}|xval) {};; (*) {} ;; esac",
                self.word(),
                self.word(),
                self.simple_alone(),
                self.simple_alone()
            ),
            7 => {
                let name = format!("f{}", self.marker());
                format!("{name}() {{ {}}}; {name}", inner(self))
            }
            8 => {
                let (name, value) = (format!("A{}", self.marker()), self.word());
                format!("{{ {name}={value}; n {} \"${name}\"; }}", self.marker())
            }
            9 => format!("{{ {}; }} > /dev/null", self.simple_alone()),
            10 => format!(
                "[ {} = {} ] || {}",
                self.quoted(),
                self.quoted(),
                self.simple_alone()
            ),
            11 => format!(
                "[[ {} == {} ]] || {}",
                self.quoted(),
                self.quoted(),
                self.simple_alone()
            ),
            12 => {
                let (first, mut last) = (self.word(), self.word());
                // Bash 5.2 prints the commands of a substitution and reads that before it runs them. Of an array it prints no blank
                // before the parenthesis, not even one behind a backslash.
                if self.substitutions > 0 && last.ends_with("\\ ") {
                    last.push('w');
                }
                format!("B=({first} {last}); {}", self.simple_alone())
            }
            _ => format!("(( 1 + 2 )); {} <<< {}", self.simple_alone(), self.word()),
        };
        self.pending = own;
        command
    }

    /// A simple command whose here-documents, if any, follow the line.
    fn simple(&mut self) -> String {
        let mut text = self.simple_alone();
        // Of the commands of a substitution (see the array), bash 5.2 loses an operator behind the text of a here-document in a
        // compound command.
        let is_misread =
            self.flavour == Flavour::Bash && self.substitutions > 0 && self.compounds > 0;
        if self.one_in(8) && !is_misread {
            let end = format!("E{}", self.marker());
            let quote = self.one_in(2);
            let operator = if self.one_in(2) { "<<-" } else { "<<" };
            let delimiter = if quote {
                format!("'{end}'")
            } else {
                format!(" {end}")
            };
            write!(text, " {operator}{delimiter}").unwrap();
            let body = if quote {
                "it's \" `a $(b ${c\n"
            } else {
                "$X \\$Y ' # \"\n"
            };
            self.pending.push(format!("{body}{end}\n"));
        }
        text
    }

    fn simple_alone(&mut self) -> String {
        let mut text = String::new();
        if self.one_in(6) {
            write!(text, "P{}={} ", self.marker(), self.word()).unwrap();
        }
        write!(text, "n {}", self.marker()).unwrap();
        for _ in 0..self.below(5) {
            let blank = self.pick(&[" ", "  ", "\t", " \\\n"]);
            text.push_str(blank);
            let word = self.argument();
            text.push_str(&word);
        }
        if self.one_in(6) {
            let redirection = self.pick(&[
                " >/dev/null",
                " 2>&1",
                " 2> /dev/null",
                " </dev/null",
                " 3>&-",
            ]);
            text.push_str(redirection);
        }
        text
    }

    // --- words ---

    /// A word that may start with any sign but those that make it no argument.
    fn argument(&mut self) -> String {
        let word = self.word();
        if word.starts_with(['#', '~']) {
            format!("-{word}")
        } else {
            word
        }
    }

    fn word(&mut self) -> String {
        let pieces = 1 + self.below(3);
        let word: String = (0..pieces).map(|_| self.piece()).collect();
        let word = word.replace("{{", "{.");
        let word = ["$X", "$E", "$U", "$#"].iter().fold(word, |word, name| {
            word.replace(&format!("{name}\\\n"), &format!("{name}:\\\n"))
        });
        if word.starts_with(['#', '~', '!', '*', '{'])
            || word.starts_with("\\\n")
            || word.contains(":~")
            || word.contains("=~")
        {
            return format!("w{}", word.replace('~', ""));
        }
        word
    }

    fn piece(&mut self) -> String {
        match self.below(12) {
            4 => format!("'{}'", self.pick(SINGLE)),
            5..=6 => self.quoted(),
            7 => format!(
                "\\{}",
                self.pick(&[
                    "a", " ", "$", "'", "\"", "\\", ";", "#", "é", "(", "\n", "*"
                ])
            ),
            8 => self
                .pick(&[
                    "$X", "${Y}", "$E", "$U", "${#X}", "${X%l}", "$((1+2))", "$#",
                ])
                .to_owned(),
            9 => self.default(false),
            10 if self.depth < 3 => self.substitution(),
            _ => self.pick(PLAIN).to_owned(),
        }
    }

    /// A piece between double quotes.
    fn quoted(&mut self) -> String {
        let pieces = 1 + self.below(3);
        let mut text = String::from("\"");
        for _ in 0..pieces {
            let piece = match self.below(8) {
                0 => self
                    .pick(&["$X", "${Y}", "$E", "$U", "${#X}", "${X%l}", "$((1+2))"])
                    .to_owned(),
                1 => self.default(true),
                2 if self.depth < 3 => self.substitution(),
                _ => self.pick(DOUBLE).to_owned(),
            };
            // Shells differ in whether a name goes on behind a line continuation.
            let ends_in_name = text.ends_with(['$', 'X', 'E', 'U', '#']) && text.contains('$');
            if ends_in_name && piece.starts_with("\\\n") {
                text.push(':');
            }
            // Two braces are a template.
            if text.ends_with('{') && piece.starts_with('{') {
                text.push('.');
            }
            // A dollar sign before a name would expand it.
            if text.ends_with('$')
                && piece
                    .starts_with(|c: char| c.is_ascii_alphanumeric() || "'\"{(`$#!@*?-".contains(c))
            {
                text.push('.');
            }
            text.push_str(&piece);
        }
        text.push('"');
        text
    }

    fn default(&mut self, is_quoted: bool) -> String {
        let name = self.pick(&["X", "E", "U"]);
        let operator = self.pick(&[":-", "-", ":+", "+"]);
        let word = if is_quoted {
            self.pick(&["a b", "", "'it s'", "\\\"", "\\}", "$Y", "a;b"])
                .to_owned()
        } else {
            self.pick(&["a", "'a b'", "\"c d\"", "\\}", "$Y", "a;b", "'}'"])
                .to_owned()
        };
        format!("${{{name}{operator}{word}}}")
    }

    fn substitution(&mut self) -> String {
        self.depth += 1;
        self.substitutions += 1;
        let compounds = std::mem::take(&mut self.compounds);
        let own = std::mem::take(&mut self.pending);
        let word = self.argument();
        let text = match self.below(4) {
            0 if !word.contains(['\\', '`']) => format!("`o {} {word}`", self.marker()),
            1 => format!("$( {} o {} {word}\n)", self.line(), self.marker()),
            2 => format!("$(case a in a) o {} {word};; esac)", self.marker()),
            _ => format!("$(o {} {word})", self.marker()),
        };
        self.pending = own;
        self.depth -= 1;
        self.substitutions -= 1;
        self.compounds = compounds;
        text
    }

    // --- numbers ---

    fn marker(&mut self) -> String {
        self.markers += 1;
        format!("N{}", self.markers)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 16).unwrap_or_default() % limit.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}
