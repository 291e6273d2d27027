//! Reads a shell script (POSIX `sh` with the common parts of bash) as simple commands, whose words have their spans in the source.
//!
//! The reader is total and takes linear time. It does not execute or expand anything. A construct on which shells differ, or
//! that the reader does not know, ends the reading: the script after it is unread, and no word of it is known.

use std::ops::Range;

mod characters;
mod compound;
mod expansion;
mod here_document;
mod reader;
mod redirection;
mod simple;
mod value;
mod word;

/// How a text spells the dollar sign that the shell reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DollarSpelling {
    /// `$`, as in a script file.
    Plain,
    /// `$` or `$$`: the kubelet and Compose read `$$` as `$` before the shell starts.
    Escapable,
}

/// A script as simple commands. Each index is an index into the vector of its name.
#[derive(Debug)]
pub struct ShellScript<'t> {
    /// The text of the script.
    pub source: &'t str,
    /// The commands, ordered by their start; a command of a substitution follows the command that contains it.
    pub commands: Vec<SimpleCommand>,
    /// The words, ordered by their start; a word of a substitution follows the word that contains it.
    pub words: Vec<ShellWord>,
    /// The parts of all words; those of one word are adjacent.
    parts: Vec<WordPart>,
    /// The words of all commands; those of one command are adjacent.
    pub command_words: Vec<usize>,
    /// The blocks of commands; the first is the script itself.
    pub blocks: Vec<CommandBlock>,
    /// The comments, each without its line end.
    pub comments: Vec<Range<usize>>,
    /// The start of the part that is unread, if the reader did not understand the whole script.
    pub unread: Option<usize>,
}

/// A command without control operators, or another list of words.
#[derive(Debug, Default)]
pub struct SimpleCommand {
    /// The kind of the list of words.
    pub kind: CommandKind,
    /// The source of the command.
    pub span: Range<usize>,
    /// The assignments before the first word.
    pub assignments: Vec<Assignment>,
    /// The range of its words in those of all commands; the first is the name of the program.
    pub words: Range<usize>,
    /// The redirections.
    pub redirections: Vec<Redirection>,
    /// The block that contains the command.
    pub block: usize,
    /// The number of the pipeline, which all of its commands share.
    pub pipeline: usize,
}

/// The kind of a list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommandKind {
    /// A program with its arguments, or only assignments or redirections.
    #[default]
    Simple,
    /// The words of `[[ … ]]`.
    Test,
    /// The word of `case`, or an arithmetic command.
    Subject,
    /// A pattern of `case`.
    Pattern,
    /// The items of `for` or `select`.
    Items,
}

/// A block of commands, which limits the effect of assignments.
#[derive(Debug, Clone, Copy)]
pub struct CommandBlock {
    /// The block around it; the first block is its own parent.
    pub parent: usize,
    /// The kind of the block.
    pub kind: BlockKind,
}

/// The effect of assignments in a block on the commands after the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// The block always runs in the shell of its parent.
    Transparent,
    /// The block may not run: a branch, a loop, a function, the command after `&&` or `||`.
    Conditional,
    /// The block runs in a process of its own: a subshell, a substitution, a part of a pipeline.
    Subshell,
}

/// `NAME=value` before the first word of a command.
#[derive(Debug)]
pub struct Assignment {
    /// The name, without a subscript.
    pub name: Range<usize>,
    /// The index of the value; the word is empty for an array.
    pub value: usize,
    /// Whether the name has a subscript, or the operator is `+=`: the variable then has more than this value.
    pub is_part: bool,
    /// The items of an array.
    pub items: Vec<usize>,
}

/// A redirection of a command.
#[derive(Debug)]
pub struct Redirection {
    /// The operator, such as `>` or `<<`.
    pub operator: Range<usize>,
    /// The index of the word after the operator.
    pub target: usize,
    /// The text of a here-document.
    pub here_document: Option<HereDocument>,
}

/// The text of a here-document.
#[derive(Debug, Clone)]
pub struct HereDocument {
    /// The lines between the operator and the delimiter.
    pub body: Range<usize>,
    /// Whether the shell expands parameters in the text: the delimiter has no quotes.
    pub is_expanded: bool,
}

/// A word.
#[derive(Debug, Default)]
pub struct ShellWord {
    /// The source of the word, with quotes.
    pub span: Range<usize>,
    /// The parts among those of all words.
    parts: Range<usize>,
    /// Whether the word has a quote or a backslash.
    pub has_quotes: bool,
    /// The index of the word that contains this word, in a substitution or an expansion.
    pub parent: Option<usize>,
    /// The index of the command.
    pub command: usize,
}

/// A part of a word.
#[derive(Debug)]
pub struct WordPart {
    /// The source of the part.
    pub span: Range<usize>,
    /// The kind of the part.
    pub kind: PartKind,
    /// Whether the part is between quotes or behind a backslash.
    pub is_quoted: bool,
}

/// The kind of a part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// Characters of the value, as the source spells them.
    Text,
    /// The value of a parameter.
    Parameter(Parameter),
    /// The output of a command; the script contains the command.
    Substitution,
    /// A part whose value depends on the shell or on more than a parameter: arithmetic, `${X%…}`, a template.
    Unknown,
}

/// `$NAME` or `${NAME}`, with an operator and a word if the parameter may have no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: Range<usize>,
    /// The operator and the index of its word.
    pub alternative: Option<(ParameterOperator, usize)>,
}

/// The operator of a parameter, with or without a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterOperator {
    /// `-`: the word is the value if the parameter has none.
    Default,
    /// `=`: as `-`, and the word is assigned.
    Assign,
    /// `+`: the word is the value if the parameter has one.
    Alternative,
    /// `?`: the word is an error message.
    Error,
}

/// Reads a script.
pub fn read(source: &str, dollar: DollarSpelling) -> ShellScript<'_> {
    reader::ScriptReader::new(source, dollar).read()
}
