//! The position in a script, and the lists, pipelines and simple commands.

use super::here_document::PendingHereDocument;
use super::{
    BlockKind, CommandBlock, CommandKind, DollarSpelling, ShellScript, SimpleCommand, WordPart,
};

/// The maximum depth of blocks, substitutions and expansions.
const DEEPEST: usize = 64;

/// The usual number of bytes of a script for each of its words.
const BYTES_OF_WORD: usize = 8;

/// The maximum number of words whose memory is reserved before the reading.
const MOST_RESERVED: usize = 1024;

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

/// A word that is being read.
#[derive(Clone, Copy)]
pub(super) struct OpenWord {
    pub(super) index: usize,
    /// The index of its first part in the parts of the open words.
    pub(super) first_part: usize,
    pub(super) has_quotes: bool,
}

/// A command that is being read.
#[derive(Clone, Copy, Default)]
pub(super) struct OpenCommand {
    pub(super) index: usize,
    /// The index of its first word in the words of the open commands.
    pub(super) first_word: usize,
}

/// A script that is being read.
pub(super) struct ScriptReader<'t> {
    pub(super) script: ShellScript<'t>,
    /// The script, or as much of it as ends before the closing backtick.
    pub(super) bytes: &'t [u8],
    pub(super) at: usize,
    /// The reserved word at an offset, if it has been looked up.
    pub(super) reserved: Option<(usize, Option<&'static str>)>,
    pub(super) dollar: DollarSpelling,
    /// The here-documents whose text follows the current line.
    pub(super) pending: Vec<PendingHereDocument>,
    /// The innermost word that is being read.
    pub(super) word: Option<OpenWord>,
    /// The parts of the words that are being read.
    pub(super) open_parts: Vec<WordPart>,
    pub(super) command: OpenCommand,
    /// The words of the commands that are being read.
    pub(super) open_words: Vec<usize>,
    pub(super) block: usize,
    pipelines: usize,
    pipeline: usize,
    depth: usize,
    /// The end of the line in which no template ends.
    pub(super) no_template_before: usize,
}

impl<'t> ScriptReader<'t> {
    pub(super) fn new(source: &'t str, dollar: DollarSpelling) -> Self {
        let words = MOST_RESERVED.min(source.len() / BYTES_OF_WORD);
        let mut blocks = Vec::with_capacity(words / 2 + 1);
        blocks.push(CommandBlock {
            parent: 0,
            kind: BlockKind::Transparent,
        });
        Self {
            script: ShellScript {
                source,
                commands: Vec::with_capacity(words / 3),
                words: Vec::with_capacity(words),
                parts: Vec::with_capacity(words),
                command_words: Vec::with_capacity(words),
                blocks,
                comments: Vec::new(),
                unread: None,
            },
            bytes: source.as_bytes(),
            at: 0,
            reserved: None,
            dollar,
            pending: Vec::new(),
            word: None,
            open_parts: Vec::new(),
            command: OpenCommand::default(),
            open_words: Vec::new(),
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
        while read.is_ok() && self.at < self.end() {
            read = self.next_item();
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
        // The empty value of a last assignment, as in `X=`, starts where its command ends.
        let words = script
            .words
            .partition_point(|one| one.span.start < start || one.span.end <= start);
        script.words.truncate(words);
        let ends = script.commands.iter().map(|one| one.words.end);
        script
            .command_words
            .truncate(ends.max().unwrap_or_default());
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
                if reader.at >= reader.end() {
                    return Err(Stop::Unclosed);
                }
                reader.item(end)?;
            }
        })
    }

    /// Reads blank lines, and a command of the script if one follows.
    fn next_item(&mut self) -> Result<(), Stop> {
        self.blank_lines()?;
        if self.at >= self.end() {
            return Ok(());
        }
        self.item(ListEnd::Text)
    }

    /// Reads a command with the operator after it.
    fn item(&mut self, end: ListEnd) -> Result<(), Stop> {
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
        while let Some(word @ ("!" | "time")) = self.reserved() {
            self.at += word.len();
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

    /// Starts a command and returns the outer one.
    pub(super) fn open_command(&mut self, kind: CommandKind) -> OpenCommand {
        let command = OpenCommand {
            index: self.script.commands.len(),
            first_word: self.open_words.len(),
        };
        self.script.commands.push(SimpleCommand {
            kind,
            span: self.at..self.at,
            block: self.block,
            pipeline: self.pipeline,
            ..SimpleCommand::default()
        });
        std::mem::replace(&mut self.command, command)
    }

    pub(super) fn close_command(&mut self, outer: OpenCommand) {
        let OpenCommand { index, first_word } = std::mem::replace(&mut self.command, outer);
        let words = &mut self.script.command_words;
        let start = words.len();
        words.extend_from_slice(&self.open_words[first_word..]);
        self.open_words.truncate(first_word);
        let command = &mut self.script.commands[index];
        command.words = start..words.len();
        command.span.end = self.at;
    }

    /// The current command.
    pub(super) fn current(&mut self) -> &mut SimpleCommand {
        &mut self.script.commands[self.command.index]
    }

    /// Whether the current command has no word yet.
    pub(super) fn is_wordless(&self) -> bool {
        self.open_words.len() == self.command.first_word
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
}
