//! A setting: a name with a value in reach of an ID.

use std::borrow::Cow;

/// A variable of a container, a key of a mapping, a flag or an assignment of a command, or a property.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting<'t> {
    /// The name as written, without the dashes of a flag. The keys of the branches before it are separated by dots.
    pub name: Cow<'t, str>,
    /// The value.
    pub value: SettingValue<'t>,
}

/// The value of a setting.
#[derive(Clone, PartialEq, Eq)]
pub enum SettingValue<'t> {
    /// A text without quotes. It may still have `$(X)` for the kubelet.
    Text(Cow<'t, str>),
    /// The value of a shell's variable: `$X`, `${X}` or `${X:-default}`, alone.
    Variable {
        /// The name of the variable.
        name: Cow<'t, str>,
        /// The default, if the variable is not set or empty.
        default: Option<Cow<'t, str>>,
    },
    /// A value that cannot be read: a command substitution, or a variable with text beside it.
    Unreadable,
}

impl<'t> Setting<'t> {
    /// A setting whose value is this text.
    pub fn with_text(name: impl Into<Cow<'t, str>>, text: impl Into<Cow<'t, str>>) -> Self {
        Self {
            name: name.into(),
            value: SettingValue::Text(text.into()),
        }
    }
}

/// Without the text, which may be a secret.
impl std::fmt::Debug for SettingValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Variable { .. } => "Variable",
            Self::Unreadable => "Unreadable",
        })
    }
}

/// Without the value.
impl std::fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setting")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
