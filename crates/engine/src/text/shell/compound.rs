//! Compound commands, as far as needed to find the simple commands in them.

use super::reader::{ListEnd, ScriptReader, Stop};
use super::word::WordEnd;
use super::{BlockKind, CommandKind};

impl ScriptReader<'_> {
    /// A command of any kind.
    pub(super) fn command(&mut self) -> Result<(), Stop> {
        self.nested(|reader| match reader.reserved() {
            None if reader.peek() == Some(b'(') => reader.parentheses(),
            None => reader.simple(),
            Some("{") => reader.group(),
            Some("if") => reader.if_clause(),
            Some("while" | "until") => reader.loop_clause(),
            Some("for" | "select") => reader.for_clause(),
            Some("case") => reader.case_clause(),
            Some("[[") => reader.test_clause(),
            Some("function") => reader.function_clause(),
            // A word that closes a block is no command.
            Some(_) => Err(Stop::NotUnderstood),
        })
    }

    /// A subshell, or the arithmetic command of bash.
    fn parentheses(&mut self) -> Result<(), Stop> {
        if self.starts_with(b"((") {
            return self.arithmetic_command(false);
        }
        self.at += 1;
        self.in_block(BlockKind::Subshell, |reader| {
            reader.list(ListEnd::Parenthesis)
        })?;
        self.at += 1;
        self.redirections()
    }

    fn arithmetic_command(&mut self, has_semicolons: bool) -> Result<(), Stop> {
        let outer = self.open_command(CommandKind::Subject);
        self.at += 2;
        self.arithmetic(has_semicolons)?;
        self.close_command(outer);
        Ok(())
    }

    fn group(&mut self) -> Result<(), Stop> {
        self.at += 1;
        self.body(BlockKind::Transparent, &["}"])?;
        self.expect("}")?;
        self.redirections()
    }

    fn if_clause(&mut self) -> Result<(), Stop> {
        self.at += "if".len();
        self.body(BlockKind::Transparent, &["then"])?;
        loop {
            self.expect("then")?;
            self.body(BlockKind::Conditional, &["elif", "else", "fi"])?;
            if self.reserved() != Some("elif") {
                break;
            }
            self.at += "elif".len();
            self.body(BlockKind::Conditional, &["then"])?;
        }
        if self.reserved() == Some("else") {
            self.at += "else".len();
            self.body(BlockKind::Conditional, &["fi"])?;
        }
        self.expect("fi")?;
        self.redirections()
    }

    fn loop_clause(&mut self) -> Result<(), Stop> {
        self.at += "while".len();
        self.body(BlockKind::Conditional, &["do"])?;
        self.do_group()
    }

    /// `for NAME [in words]`, `for ((…))` or `select NAME in words`.
    fn for_clause(&mut self) -> Result<(), Stop> {
        self.at += self.reserved().map_or(0, str::len);
        self.blanks();
        if self.starts_with(b"((") {
            self.arithmetic_command(true)?;
        } else {
            let outer = self.open_command(CommandKind::Items);
            let name = self.identifier();
            if name == 0 {
                return Err(Stop::NotUnderstood);
            }
            self.at += name;
            self.blank_lines()?;
            if self.reserved() == Some("in") {
                self.at += "in".len();
                self.words_of_line()?;
            }
            self.close_command(outer);
        }
        self.blanks();
        if self.peek() == Some(b';') {
            self.at += 1;
        }
        self.blank_lines()?;
        self.do_group()
    }

    fn do_group(&mut self) -> Result<(), Stop> {
        self.expect("do")?;
        self.body(BlockKind::Conditional, &["done"])?;
        self.expect("done")?;
        self.redirections()
    }

    fn case_clause(&mut self) -> Result<(), Stop> {
        self.at += "case".len();
        self.blanks();
        let outer = self.open_command(CommandKind::Subject);
        let word = self.word(WordEnd::Blank)?;
        self.open_words.push(word);
        self.close_command(outer);
        self.blank_lines()?;
        self.expect("in")?;
        loop {
            self.blank_lines()?;
            if self.reserved() == Some("esac") {
                break;
            }
            self.patterns()?;
            self.in_block(BlockKind::Conditional, |reader| {
                reader.list(ListEnd::CaseItem)
            })?;
            for operator in [&b";;&"[..], b";;", b";&"] {
                if self.starts_with(operator) {
                    self.at += operator.len();
                    break;
                }
            }
        }
        self.expect("esac")?;
        self.redirections()
    }

    /// The patterns of an item of `case`, up to and with the closing parenthesis.
    fn patterns(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'(') {
            self.at += 1;
        }
        let outer = self.open_command(CommandKind::Pattern);
        loop {
            self.blanks();
            let word = self.word(WordEnd::Blank)?;
            self.open_words.push(word);
            self.blanks();
            match self.peek() {
                Some(b'|') => self.at += 1,
                Some(b')') => break,
                Some(_) => return Err(Stop::NotUnderstood),
                None => return Err(Stop::Unclosed),
            }
        }
        self.close_command(outer);
        self.at += 1;
        Ok(())
    }

    /// `[[ … ]]`
    fn test_clause(&mut self) -> Result<(), Stop> {
        let outer = self.open_command(CommandKind::Test);
        self.at += "[[".len();
        let mut is_expression = false;
        loop {
            self.blank_lines()?;
            if self.reserved() == Some("]]") {
                break;
            }
            match self.peek() {
                None => return Err(Stop::Unclosed),
                Some(b'&' | b'|' | b'<' | b'>' | b'(' | b')') => self.at += 1,
                Some(b';') => return Err(Stop::NotUnderstood),
                Some(_) => {
                    let end = if is_expression {
                        WordEnd::Space
                    } else {
                        WordEnd::Blank
                    };
                    let word = self.word(end)?;
                    self.open_words.push(word);
                    is_expression = self.script.literal(word).as_deref() == Some("=~");
                }
            }
        }
        self.at += "]]".len();
        self.close_command(outer);
        self.redirections()
    }

    fn function_clause(&mut self) -> Result<(), Stop> {
        self.at += "function".len();
        self.blanks();
        let outer = self.open_command(CommandKind::Subject);
        let name = self.word(WordEnd::Blank);
        self.close_command(outer);
        name?;
        self.blanks();
        if self.peek() == Some(b'(') {
            self.function_parentheses()?;
        }
        self.function_body()
    }

    /// The parentheses behind the name of a function.
    pub(super) fn function_parentheses(&mut self) -> Result<(), Stop> {
        self.at += 1;
        self.blanks();
        if self.peek() != Some(b')') {
            return Err(Stop::NotUnderstood);
        }
        self.at += 1;
        Ok(())
    }

    /// The command of a function, behind its name and the parentheses.
    pub(super) fn function_body(&mut self) -> Result<(), Stop> {
        self.blank_lines()?;
        self.in_block(BlockKind::Conditional, Self::command)
    }

    /// Commands up to a reserved word, in a new block.
    fn body(&mut self, kind: BlockKind, end: &'static [&'static str]) -> Result<(), Stop> {
        // The reserved word before the body was a whole word.
        self.in_block(kind, |reader| reader.list(ListEnd::Reserved(end)))
    }

    /// The words up to the end of the line or a semicolon.
    fn words_of_line(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            match self.peek() {
                None | Some(b'\n' | b';') => return Ok(()),
                Some(_) => {
                    let word = self.word(WordEnd::Blank)?;
                    self.open_words.push(word);
                }
            }
        }
    }

    /// The redirections after a compound command.
    fn redirections(&mut self) -> Result<(), Stop> {
        self.blanks();
        let outer = self.open_command(CommandKind::Simple);
        let index = self.command.index;
        while self.redirection()? {
            self.blanks();
        }
        self.close_command(outer);
        if self.script.commands[index].redirections.is_empty() {
            self.script.commands.truncate(index);
        }
        Ok(())
    }
}
