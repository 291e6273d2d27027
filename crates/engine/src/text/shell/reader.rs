//! The position in a script, and the lists, pipelines and simple commands.

use std::ops::Range;

use super::here_document::PendingHereDocument;
use super::{
    BlockKind, CommandBlock, CommandKind, DollarSpelling, ShellScript, ShellWord, SimpleCommand,
};

/// The maximum depth of blocks, substitutions and expansions.
const DEEPEST: usize = 64;

/// The longest reserved word, in bytes.
const LONGEST_RESERVED: usize = 8;

/// Words that are part of the grammar in the position of a command.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
];

/// Why a script is read no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// A construct that the reader does not know.
    NotUnderstood,
    /// A quote or a block without its end: what precedes may be misread too.
    Unclosed,
}

/// The end of a list of commands.
#[derive(Clone, Copy)]
pub(super) enum ListEnd {
    /// The end of the text.
    Text,
    /// A closing parenthesis.
    Parenthesis,
    /// One of these reserved words.
    Reserved(&'static [&'static str]),
    /// `;;`, `;&` or `esac`.
    CaseItem,
}

/// A script that is being read.
pub(super) struct ScriptReader<'t> {
    pub(super) script: ShellScript<'t>,
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    /// The end of the text that is read: the script, or the text between backticks.
    pub(super) end: usize,
    pub(super) dollar: DollarSpelling,
    /// The here-documents whose text follows the current line.
    pub(super) pending: Vec<PendingHereDocument>,
    /// The word around a substitution.
    pub(super) inside: Option<usize>,
    pub(super) command: usize,
    pub(super) block: usize,
    pipelines: usize,
    pipeline: usize,
    depth: usize,
    /// The end of the line in which no template ends.
    pub(super) no_template_before: usize,
}

impl<'t> ScriptReader<'t> {
    pub(super) fn new(source: &'t str, dollar: DollarSpelling) -> Self {
        Self {
            script: ShellScript {
                source,
                commands: Vec::new(),
                words: Vec::new(),
                blocks: vec![CommandBlock {
                    parent: 0,
                    kind: BlockKind::Transparent,
                }],
                comments: Vec::new(),
                unread: None,
            },
            bytes: source.as_bytes(),
            at: 0,
            end: source.len(),
            dollar,
            pending: Vec::new(),
            inside: None,
            command: 0,
            block: 0,
            pipelines: 0,
            pipeline: 0,
            depth: 0,
            no_template_before: 0,
        }
    }

    /// Reads the script command by command, so that the commands before an unread part are kept.
    pub(super) fn read(mut self) -> ShellScript<'t> {
        let mut start = 0;
        let mut read = Ok(());
        while read.is_ok() && self.at < self.end {
            read = self.next_item(ListEnd::Text);
            if read.is_ok() && self.pending.is_empty() {
                start = self.at;
            }
        }
        if read.is_ok() && !self.pending.is_empty() {
            read = Err(Stop::Unclosed);
        }
        match read {
            Ok(()) => {}
            Err(Stop::NotUnderstood) => self.forget_from(start),
            Err(Stop::Unclosed) => self.forget_from(0),
        }
        self.script
    }

    /// Removes the commands from an offset on.
    fn forget_from(&mut self, start: usize) {
        let script = &mut self.script;
        script.unread = Some(start);
        let commands = script
            .commands
            .partition_point(|one| one.span.start < start);
        script.commands.truncate(commands);
        let words = script.words.partition_point(|one| one.span.start < start);
        script.words.truncate(words);
        script.comments.retain(|one| one.start < start);
    }

    // --- lists ---

    /// Reads commands up to `end`, which is not consumed.
    pub(super) fn list(&mut self, end: ListEnd) -> Result<(), Stop> {
        self.nested(|reader| {
            loop {
                reader.blank_lines()?;
                if reader.is_at(end) {
                    return Ok(());
                }
                if reader.at >= reader.end {
                    return Err(Stop::Unclosed);
                }
                reader.next_item(end)?;
            }
        })
    }

    /// Reads blank lines, or one command with the operator after it.
    fn next_item(&mut self, end: ListEnd) -> Result<(), Stop> {
        self.blank_lines()?;
        if self.at >= self.end || self.is_at(end) {
            return Ok(());
        }
        let blocks = self.script.blocks.len();
        self.and_or()?;
        self.blanks();
        match self.peek() {
            Some(b';') if !self.is_at(ListEnd::CaseItem) => self.at += 1,
            Some(b'&') => {
                self.at += 1;
                self.make_subshell(blocks);
            }
            Some(b'\n') | None => {}
            Some(_) if self.is_at(end) => {}
            Some(_) => return Err(Stop::NotUnderstood),
        }
        Ok(())
    }

    /// Pipelines that `&&` and `||` join.
    fn and_or(&mut self) -> Result<(), Stop> {
        self.pipeline()?;
        loop {
            self.blanks();
            if !(self.starts_with(b"&&") || self.starts_with(b"||")) {
                return Ok(());
            }
            self.at += 2;
            self.blank_lines()?;
            self.in_block(BlockKind::Conditional, Self::pipeline)?;
        }
    }

    /// Commands that `|` joins.
    fn pipeline(&mut self) -> Result<(), Stop> {
        while matches!(self.reserved(), Some("!" | "time")) {
            self.at += self.reserved().map_or(0, str::len);
            self.blanks();
        }
        self.pipelines += 1;
        let (outer, number) = (self.pipeline, self.pipelines);
        self.pipeline = number;
        let blocks = self.script.blocks.len();
        self.in_block(BlockKind::Transparent, Self::command)?;
        self.blanks();
        if self.peek() == Some(b'|') && !self.starts_with(b"||") {
            self.make_subshell(blocks);
        }
        while self.peek() == Some(b'|') && !self.starts_with(b"||") {
            self.at += if self.starts_with(b"|&") { 2 } else { 1 };
            self.blank_lines()?;
            self.pipeline = number;
            self.in_block(BlockKind::Subshell, Self::command)?;
            self.blanks();
        }
        self.pipeline = outer;
        Ok(())
    }

    /// Turns the blocks that were opened since `blocks` directly below the current one into subshells.
    fn make_subshell(&mut self, blocks: usize) {
        let parent = self.block;
        for block in &mut self.script.blocks[blocks..] {
            if block.parent == parent {
                block.kind = BlockKind::Subshell;
            }
        }
    }

    // --- commands and words ---

    /// Starts a command and returns the index of the outer one.
    pub(super) fn open_command(&mut self, kind: CommandKind) -> usize {
        let outer = self.command;
        self.command = self.script.commands.len();
        self.script.commands.push(SimpleCommand {
            kind,
            span: self.at..self.at,
            block: self.block,
            pipeline: self.pipeline,
            ..SimpleCommand::default()
        });
        outer
    }

    pub(super) fn close_command(&mut self, outer: usize) {
        self.script.commands[self.command].span.end = self.at;
        self.command = outer;
    }

    /// Starts a word.
    pub(super) fn open_word(&mut self) -> usize {
        self.script.words.push(ShellWord {
            span: self.at..self.at,
            parent: self.inside,
            command: self.command,
            ..ShellWord::default()
        });
        self.script.words.len() - 1
    }

    // --- nesting ---

    /// Runs `read` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if self.depth == DEEPEST {
            return Err(Stop::NotUnderstood);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Runs `read` in a new block.
    pub(super) fn in_block(
        &mut self,
        kind: BlockKind,
        read: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let outer = self.block;
        self.script.blocks.push(CommandBlock {
            parent: outer,
            kind,
        });
        self.block = self.script.blocks.len() - 1;
        let result = read(self);
        self.block = outer;
        result
    }

    // --- characters ---

    /// Skips spaces, line continuations and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
                Some(b'#') => {
                    let line = self.line_end();
                    self.script.comments.push(self.at..line);
                    self.at = line;
                }
                _ => return,
            }
        }
    }

    /// Skips blanks and line ends, with the here-documents of each line.
    pub(super) fn blank_lines(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            if self.peek() != Some(b'\n') {
                return Ok(());
            }
            self.at += 1;
            self.here_documents()?;
        }
    }

    /// The reserved word at the current position.
    pub(super) fn reserved(&self) -> Option<&'static str> {
        let rest = &self.bytes[self.at..self.end];
        let near = &rest[..rest.len().min(LONGEST_RESERVED + 1)];
        let length = near
            .iter()
            .position(|b| is_separator(*b))
            .unwrap_or(near.len());
        RESERVED
            .iter()
            .find(|word| word.as_bytes() == &near[..length])
            .copied()
    }

    /// Consumes a reserved word.
    pub(super) fn expect(&mut self, word: &str) -> Result<(), Stop> {
        if self.reserved() != Some(word) {
            let unclosed = self.at >= self.end;
            return Err(if unclosed {
                Stop::Unclosed
            } else {
                Stop::NotUnderstood
            });
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn is_at(&self, end: ListEnd) -> bool {
        match end {
            ListEnd::Text => self.at >= self.end,
            ListEnd::Parenthesis => self.peek() == Some(b')'),
            ListEnd::Reserved(words) => self.reserved().is_some_and(|word| words.contains(&word)),
            ListEnd::CaseItem => {
                self.starts_with(b";;")
                    || self.starts_with(b";&")
                    || self.reserved() == Some("esac")
            }
        }
    }

    pub(super) fn is_at_command_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b';' | b'|' | b')') => true,
            Some(b'&') => self.byte(self.at + 1) != Some(b'>'),
            Some(_) => false,
        }
    }

    /// The length of the identifier at the current position.
    pub(super) fn identifier(&self) -> usize {
        let rest = &self.bytes[self.at..self.end];
        if rest.first().is_none_or(u8::is_ascii_digit) {
            return 0;
        }
        rest.iter().take_while(|b| is_identifier(**b)).count()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        (at < self.end).then(|| self.bytes[at])
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..self.end].starts_with(text)
    }

    /// The end of the current line.
    pub(super) fn line_end(&self) -> usize {
        let rest: Range<usize> = self.at..self.end;
        memchr::memchr(b'\n', &self.bytes[rest]).map_or(self.end, |length| self.at + length)
    }
}

/// Whether a byte separates words in the position of a command.
fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
    )
}

/// Whether a byte is part of the name of a variable.
pub(super) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
