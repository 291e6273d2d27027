//! What is known of programs: those that start another one, shells, comparisons, and those that configure another process.

use super::argument::Argument;
use super::settings::MOST_ARGUMENTS;
use crate::domain::reason::Reason;
use crate::domain::region::is_bedrock_runtime;
use crate::domain::syntax::Syntax;

mod table;

pub use table::AWS_CALLS;

use table::{
    BEDROCK_SERVICES, CODE_FLAGS, CODE_RUNNERS, COMPARISONS, INTERPRETERS, OTHER_PROCESSES,
    PRINTERS, SHELLS, STARTERS, Starter, TEXT_SEARCHES,
};

/// The index of the program in the arguments of a command, behind the programs that start it.
pub(super) fn program_index(arguments: &[Argument<'_>]) -> Option<usize> {
    let mut at = 0;
    loop {
        let name = name_of(arguments.get(at)?)?;
        let Some(starter) = starter(name) else {
            return Some(at);
        };
        at += 1;
        let mut left = starter.arguments;
        while let Some(argument) = arguments.get(at) {
            let text = &*argument.text;
            if text == "--" {
                at += 1;
            } else if text.starts_with('-') && text.len() > 1 {
                at += 1 + usize::from(starter.flags.contains(&text));
            } else if argument.name_length().is_some() && starter.name != "exec" {
                at += 1;
            } else if left > 0 {
                left -= 1;
                at += 1;
            } else {
                break;
            }
        }
        if at >= arguments.len() {
            return Some(at - 1);
        }
    }
}

/// The program of this name, if it starts another one.
fn starter(name: &str) -> Option<&'static Starter> {
    let first = name.as_bytes().first()?;
    STARTERS
        .iter()
        .find(|one| one.name.as_bytes().first() == Some(first) && one.name == name)
}

/// The name of a program, without its folder.
pub(super) fn name_of<'a>(argument: &'a Argument<'_>) -> Option<&'a str> {
    let path = argument.literal()?;
    let folder = memchr::memrchr(b'/', path.as_bytes()).map_or(0, |at| at + 1);
    Some(&path[folder..])
}

/// Whether a program is a builtin whose arguments are assignments to variables of the script.
pub(super) fn is_declaration(name: &str) -> bool {
    matches!(
        name,
        "export" | "declare" | "typeset" | "local" | "readonly"
    )
}

/// Whether a program is a shell.
pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// The index of the script in the arguments of a shell: `-c SCRIPT`, also as one of several letters.
pub(super) fn script_index(arguments: &[Argument<'_>]) -> Option<usize> {
    let program = program_index(arguments)?;
    let name = name_of(&arguments[program]).filter(|name| is_shell(name))?;
    // `su USER -c SCRIPT`
    let has_user = name == "su"
        && arguments
            .get(program + 1)
            .is_some_and(|one| !one.text.starts_with('-'));
    command_flag(arguments, program + 1 + usize::from(has_user))
}

/// The index of the argument behind `-c`, from `start` on.
pub(super) fn command_flag(arguments: &[Argument<'_>], start: usize) -> Option<usize> {
    let mut at = start;
    while let Some(text) = arguments.get(at).and_then(|one| one.literal()) {
        let letters = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let is_flag = text.starts_with(['-', '+']);
        match letters {
            Some(letters)
                if letters.contains('c') && letters.bytes().all(|b| b.is_ascii_alphabetic()) =>
            {
                return Some(at + 1).filter(|at| *at < arguments.len());
            }
            // `-o pipefail`
            _ if is_flag && text.ends_with('o') && !text.starts_with("--") => at += 2,
            _ if is_flag => at += 1,
            _ => return None,
        }
    }
    None
}

/// The reason for which no argument of a program is rewritten; `at` is the index of the ID's argument behind the program.
pub(super) fn reason_of(arguments: &[Argument<'_>], at: usize) -> Option<Reason> {
    let program = program_index(arguments)?;
    let name = name_of(&arguments[program])?;
    if arguments[program].text.starts_with('-') {
        return Some(Reason::UnknownFormat);
    }
    if COMPARISONS.contains(&name) {
        return Some(Reason::RoutingMatch);
    }
    if PRINTERS.contains(&name) {
        return Some(Reason::Prose);
    }
    let follows_code_flag = || {
        let before = at
            .checked_sub(1)
            .and_then(|at| arguments.get(at)?.literal());
        before.is_some_and(|before| CODE_FLAGS.contains(&before))
    };
    let is_code = INTERPRETERS.contains(&name) || TEXT_SEARCHES.contains(&name);
    if is_code || is_code_runner(name) && follows_code_flag() {
        return Some(Reason::UnknownFormat);
    }
    aws_call(&arguments[program..])
}

/// Whether a program runs code, with any version behind its name (`python3.12`).
fn is_code_runner(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    CODE_RUNNERS.contains(&name)
}

/// Whether a command configures or starts a process elsewhere.
pub(super) fn is_other_process(arguments: &[Argument<'_>]) -> bool {
    let Some(program) = program_index(arguments) else {
        return false;
    };
    let Some(name) = name_of(&arguments[program]) else {
        return false;
    };
    if name == "aws" {
        let (service, _) = aws_service(&arguments[program..]);
        return service.is_none_or(|service| !BEDROCK_SERVICES.contains(&service));
    }
    let clears_environment = arguments[..program]
        .iter()
        .any(|one| matches!(&*one.text, "-i" | "--ignore-environment"));
    OTHER_PROCESSES.contains(&name) || clears_environment
}

/// The reason of a call of the AWS command line.
fn aws_call(arguments: &[Argument<'_>]) -> Option<Reason> {
    if name_of(arguments.first()?)? != "aws" {
        return None;
    }
    let (service, operation) = aws_service(arguments);
    let (service, operation) = (service?, operation.unwrap_or_default());
    let row = AWS_CALLS
        .iter()
        .find(|(of, call, _)| *of == service && *call == operation);
    match row {
        Some((.., reason)) => Some(*reason),
        // The control plane manages models and calls none.
        None if service == "bedrock" => Some(Reason::DirectIdOnly),
        None => None,
    }
}

/// Whether the arguments have the address of a host that is not Bedrock's runtime.
fn has_gateway(arguments: &[Argument<'_>]) -> bool {
    arguments.iter().take(MOST_ARGUMENTS).any(|one| {
        let is_address = one.text.starts_with("http://") || one.text.starts_with("https://");
        is_address && !is_bedrock_runtime(&one.text)
    })
}

/// The reason for an ID with this syntax in the argument at `at`.
pub(super) fn checked(
    syntax: Result<Syntax, Reason>,
    arguments: &[Argument<'_>],
    at: usize,
) -> Result<Syntax, Reason> {
    match syntax {
        Ok(syntax) => reason_of(arguments, at).map_or(Ok(syntax), Err),
        Err(Reason::UnknownFormat | Reason::Prose) if has_gateway(arguments) => {
            Err(Reason::GatewayClient)
        }
        Err(reason) => Err(reason),
    }
}

/// The service and the operation of a call of the AWS command line, behind its global flags.
fn aws_service<'a>(arguments: &'a [Argument<'_>]) -> (Option<&'a str>, Option<&'a str>) {
    const SWITCHES: &[&str] = &[
        "--debug",
        "--no-verify-ssl",
        "--no-paginate",
        "--no-sign-request",
        "--no-cli-pager",
        "--no-cli-auto-prompt",
        "--cli-auto-prompt",
    ];
    let mut at = 1;
    while let Some(text) = arguments.get(at).map(|one| &*one.text) {
        if !text.starts_with("--") {
            break;
        }
        at += if text.contains('=') || SWITCHES.contains(&text) {
            1
        } else {
            2
        };
    }
    let word = |at: usize| arguments.get(at).and_then(|one| one.literal());
    (word(at), word(at + 1))
}
