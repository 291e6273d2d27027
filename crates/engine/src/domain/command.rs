//! The command around an ID: a list of arguments, or a simple command of a shell script.
//!
//! An ID may be rewritten where it is a whole argument, or the whole value of a flag or an assignment. The settings in reach of
//! the ID are the flags, the pairs and the assignments of its command, and the assignments of the script before it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::reason::Reason;
use crate::domain::setting::{Setting, SettingValue};
use crate::domain::syntax::Syntax;

mod argument;
mod argument_list;
mod programs;
mod role;
mod script;
mod script_settings;
mod settings;
#[cfg(test)]
mod tests;

pub use argument_list::ArgumentList;
pub use programs::AWS_CALLS;
#[cfg(test)]
pub(crate) use script::script_reads;
pub use script::{EmbeddedText, ScriptCommands, settings_in_value};

/// The arguments of a command that are compared for one step.
pub const ARGUMENTS_PER_STEP: usize = 8;

/// The settings in reach of an ID in a command.
#[derive(Debug, Clone, Default)]
pub struct CommandReach {
    /// The settings of the command itself.
    pub beside: Vec<Setting<'static>>,
    /// The settings of the script that the command may see.
    pub before: Vec<Setting<'static>>,
    /// Whether the command configures another process, so that the variables of the container are out of reach.
    pub is_other_process: bool,
}

impl CommandReach {
    /// The memory of the settings, in bytes.
    pub fn bytes(&self) -> usize {
        let settings = self.beside.iter().chain(&self.before);
        settings.map(bytes_of).sum()
    }
}

/// The memory of a setting, in bytes.
fn bytes_of(setting: &Setting<'_>) -> usize {
    let value = match &setting.value {
        SettingValue::Text(text) => text.len(),
        SettingValue::Variable { name, default } => {
            name.len() + default.as_ref().map_or(0, |text| text.len())
        }
        SettingValue::Unreadable => 0,
    };
    size_of::<Setting<'_>>() + setting.name.len() + value
}

/// The command around an ID.
#[derive(Debug, Clone)]
pub struct InCommand {
    /// The flag or the variable whose value the ID is.
    pub own: Option<Cow<'static, str>>,
    /// The settings in reach.
    pub reach: Arc<CommandReach>,
}

/// An ID in a command.
#[derive(Debug, Clone)]
pub struct PlaceInCommand {
    /// The syntax, or the reason for an unchanged ID.
    pub syntax: Result<Syntax, Reason>,
    /// The flag or the variable whose value the ID is.
    pub own: Option<Cow<'static, str>>,
    /// The settings in reach.
    pub reach: Arc<CommandReach>,
}

/// The elements of a command, as the kubelet starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// An argument.
    Argument,
    /// The script of a shell.
    Script,
}

impl PlaceInCommand {
    /// A place whose command is not understood.
    fn not_understood() -> Self {
        Self::of(Err(Reason::UnknownFormat), &Arc::default())
    }

    /// A place in a text of no known format inside a script.
    pub fn in_unknown_text(reach: &Arc<CommandReach>) -> Self {
        Self::of(Err(Reason::UnknownFormat), reach)
    }

    fn of(syntax: Result<Syntax, Reason>, reach: &Arc<CommandReach>) -> Self {
        Self {
            syntax,
            own: None,
            reach: Arc::clone(reach),
        }
    }
}

/// Whether a text is a script of a shell: its name has the extension of one, or its first line names one.
pub fn is_shell_script(name: &str, text: &str) -> bool {
    const EXTENSIONS: &[&str] = &["sh", "bash", "ksh", "dash", "ash"];
    if let Some(rest) = text.strip_prefix("#!") {
        let line = rest.lines().next().unwrap_or_default();
        let mut words = line
            .split_whitespace()
            .map(|word| word.rsplit('/').next().unwrap_or(word));
        return match words.next() {
            Some("env") => words
                .find(|word| !word.starts_with('-'))
                .is_some_and(|word| EXTENSIONS.contains(&word)),
            Some(program) => EXTENSIONS.contains(&program),
            None => false,
        };
    }
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}
