//! The fields of a word, with the variables of the prelude.

use bedrock_profiles::text::shell::{
    BlockKind, Parameter, ParameterOperator, PartKind, ShellScript,
};

/// The values of words in a script.
pub(crate) struct Fields<'a> {
    pub(crate) script: &'a ShellScript<'a>,
    /// The output of each substitution, if it is known.
    pub(crate) output: Option<&'a str>,
}

impl Fields<'_> {
    /// The fields that a word becomes; `None` if they depend on more than the script.
    pub(crate) fn of(&self, word: usize) -> Option<Vec<String>> {
        let value = self.value(word)?;
        let is_one = !value.is_empty() || self.script.words[word].has_quotes;
        Some(is_one.then_some(value).into_iter().collect())
    }

    /// The value of a word.
    fn value(&self, word: usize) -> Option<String> {
        let parts = self.script.parts(word).iter();
        let text = |span: &std::ops::Range<usize>| &self.script.source[span.clone()];
        parts
            .map(|part| match &part.kind {
                PartKind::Text => Some(text(&part.span).to_owned()),
                // Without quotes the shell splits a default at blanks.
                PartKind::Parameter(parameter) if !part.is_quoted && self.has_blanks(parameter) => {
                    None
                }
                PartKind::Parameter(parameter) => self.parameter(word, parameter),
                PartKind::Substitution if text(&part.span).starts_with(['<', '>']) => None,
                PartKind::Substitution => self.output.map(str::to_owned),
                PartKind::Unknown => None,
            })
            .collect()
    }

    /// Whether the word of a parameter has blanks without quotes.
    fn has_blanks(&self, parameter: &Parameter) -> bool {
        let Some((_, word)) = parameter.alternative else {
            return false;
        };
        let mut parts = self.script.parts(word).iter();
        parts.any(|part| {
            let text = &self.script.source[part.span.clone()];
            !part.is_quoted && text.contains(char::is_whitespace)
        })
    }

    /// The value of a parameter in a word.
    fn parameter(&self, word: usize, parameter: &Parameter) -> Option<String> {
        let name = &self.script.source[parameter.name.clone()];
        let has_colon = self.script.source[parameter.name.end..].starts_with(':');
        // A damaged script may assign another value to a variable of the prelude.
        if self.is_assigned(name) && matches!(name, "X" | "Y" | "E" | "U") {
            return None;
        }
        let variable = match name {
            "X" => Some("xval".to_owned()),
            "Y" => Some("yval".to_owned()),
            "E" => Some(String::new()),
            "U" => None,
            _ => Some(self.assigned(name, word)?),
        };
        let is_set = variable
            .as_ref()
            .is_some_and(|value| !(has_colon && value.is_empty()));
        match parameter.alternative {
            None => Some(variable.unwrap_or_default()),
            Some((ParameterOperator::Default | ParameterOperator::Assign, word)) if !is_set => {
                self.value(word)
            }
            Some((ParameterOperator::Alternative, word)) if is_set => self.value(word),
            Some((ParameterOperator::Alternative, _)) => Some(String::new()),
            Some(_) => variable,
        }
    }

    /// Whether an assignment or an expansion of the script assigns a value to a variable.
    fn is_assigned(&self, name: &str) -> bool {
        let source = |span: &std::ops::Range<usize>| &self.script.source[span.clone()];
        let mut assignments = self.script.commands.iter().flat_map(|one| &one.assignments);
        let words = 0..self.script.words.len();
        let mut parts = words.flat_map(|word| self.script.parts(word));
        assignments.any(|one| source(&one.name) == name)
            || parts.any(|part| {
                matches!(&part.kind, PartKind::Parameter(Parameter { name: of, alternative: Some((ParameterOperator::Assign, _)) })
                    if source(of) == name)
            })
    }

    /// The value of the only assignment to a variable, for a word. One before a program is of that program's environment, and the
    /// words of the command do not have it yet. One with a redirection is not made if the file cannot be opened.
    fn assigned(&self, name: &str, word: usize) -> Option<String> {
        let assignments = self.script.commands.iter().flat_map(|command| {
            let of_command = command.assignments.iter();
            of_command.map(move |assignment| (command, assignment))
        });
        let mut all = assignments.filter(|(_, one)| &self.script.source[one.name.clone()] == name);
        let (command, only) = all.next()?;
        let is_alone = self.script.words_of(command).is_empty() && command.redirections.is_empty();
        let user = &self.script.commands[self.script.words[word].command];
        let is_value = all.next().is_none()
            && only.items.is_empty()
            && is_alone
            && self.reaches(command.block, user.block);
        is_value.then(|| self.value(only.value)).flatten()
    }

    /// Whether each block around the assignment that is not around the word too runs in any case, and in the same process. A sign
    /// too many may make a pipeline of an assignment.
    fn reaches(&self, assignment: usize, word: usize) -> bool {
        let around = |block: usize| {
            let parent = |block: &usize| (*block > 0).then(|| self.script.blocks[*block].parent);
            std::iter::successors(Some(block), parent)
        };
        around(assignment)
            .take_while(|block| !around(word).any(|other| other == *block))
            .all(|block| self.script.blocks[block].kind == BlockKind::Transparent)
    }
}
