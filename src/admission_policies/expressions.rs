//! The expressions in CEL that both policies share: which containers are evaluated, and their regions.
//!
//! A container is evaluated only if nothing in it may change the answer: the webhook knows what each setting means, and these expressions
//! know only names that have a meaning for it. So a name that looks like one of them is enough to skip the container.

use std::fmt::Write as _;

use super::table::{TableEntry, TargetTable};
use crate::domain::annotations;
use crate::domain::policy::Policy;

/// The variables that name the region of a container.
pub(super) const REGION_NAMES: &str = "['AWS_REGION', 'AWS_DEFAULT_REGION']";

/// The maximum length of a text that is compared with a pattern, in characters; a longer one is a document. It bounds the cost.
const LONGEST_TEXT: usize = 1024;

/// Names of variables that may say where a request goes, or what becomes of the ID: addresses, providers, profiles, prefixes and regions.
/// The cost of a pattern grows with its length.
const SETTING_NAMES: &str = "(?i)ur[il]|endpoint|host|addr|proxy|gateway|server|base|provider|backend|vendor|mantle|vertex|litellm|prefix\
|geo|cross|inference|profile|batch|region";

/// Names of variables for other services, whose addresses are no models'.
const OTHER_SERVICES: &str = "^(DB|DATABASE|POSTGRES|POSTGRESQL|PG|MYSQL|MONGO|MONGODB|REDIS|VALKEY|KAFKA|RABBITMQ|AMQP|ELASTICSEARCH\
|OPENSEARCH|OTEL|SENTRY|SMTP|HTTP|HTTPS|NO)_[A-Z0-9_]*$";

/// Words of flags and commands that may say the same as [`SETTING_NAMES`], and those of calls that take direct IDs only.
const FLAG_NAMES: &str = "(?i)region|url|uri|endpoint|gateway|proxy|provider|backend|vendor|mantle|vertex|litellm|bedrock|prefix|geo\
|cross|inference|profile|credential|batch|base.?model|tun|foundation|job|grep|^test$|count.?tokens|price|pricing|cost|[a-z][-_]?(host|addr|server|base)";

/// The start of a region inside a text.
const REGION_IN_TEXT: &str = r"\b(us|eu|ap|sa|ca|me|af|il|mx|cn|eusc)-\w+-";

/// A text that names a gateway, another endpoint or an ARN of Bedrock, that has text before a variable, or that is a document. The texts
/// with a region follow.
const SETTING_TEXTS: &str = r"(?i)mantle|litellm|gateway|router|portkey|helicone|proxy|bedrock[-:]|^\s*[\[{]|\n|[\w./)}-]\$|";

/// Names of variables that have an ID, but not the model that a client calls; the others have the word `model`.
const OTHER_IDS: &str = "(?i)base|batch|tun|mantle|router|foundation|gen_?ai|alias|desc|comment|note|title|summary|help|tooltip|display\
|label|price|pricing|cost|otel|expr|query|legend";

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// The patterns for the vendors of a table.
pub(super) struct Patterns {
    /// An ID of one of the vendors, as a whole text.
    pub(super) id: String,
    /// A text with an ID of one of the vendors, at its start or behind a `=`.
    pub(super) argument: String,
    /// A flag for a model, with an ID.
    pub(super) model_flag: String,
}

impl Patterns {
    pub(super) fn of(table: &TargetTable) -> Self {
        let vendors: Vec<_> = table.vendors().into_iter().collect();
        let vendors = vendors.concat().replace('.', "|");
        let vendors = vendors.trim_end_matches('|');
        Self {
            id: format!(r"^({vendors})\.[a-zA-Z0-9.:-]+$"),
            argument: format!(r"(^|=)({vendors})\."),
            model_flag: format!(
                r"(?m)^--?[a-zA-Z_-]*[mM]odel([_-]?[iI]d|[_-]?[nN]ame)?[\n=]({vendors})\.[a-zA-Z0-9.:-]+$"
            ),
        }
    }
}

/// The containers with a direct ID in a variable, or in an argument if `with_arguments`, of `variables.containers`.
pub(super) fn suspects(patterns: &Patterns, with_arguments: bool) -> String {
    let mut text = format!(
        "variables.containers.filter(c,
  (has(c.env) && c.env.exists(e, has(e.value) && size(e.value) <= 128 && e.value.matches({})))",
        quoted(&patterns.id)
    );
    if with_arguments {
        let argument = quoted(&patterns.argument);
        let _ = write!(
            text,
            "
  || (has(c.args) && c.args.exists(a, size(a) <= {LONGEST_TEXT} && a.matches({argument})))
  || (has(c.command) && c.command.exists(a, size(a) <= {LONGEST_TEXT} && a.matches({argument})))"
        );
    }
    text + ")"
}

/// The suspects whose variables have no name of a setting that may change an answer.
pub(super) fn with_plain_names(policy: &Policy) -> String {
    let extra = policy.extra_env_names.iter();
    let extra: String = extra.fold(String::new(), |mut text, name| {
        let _ = write!(text, " && e.name != {}", quoted(name));
        text
    });
    format!(
        "variables.exempt ? [] : variables.suspects.filter(c,
  (!has(c.envFrom) || size(c.envFrom) == 0)
  && (!has(c.env) || c.env.all(e, (
    e.name in {REGION_NAMES} || !e.name.matches({settings})
    || (e.name.matches({others}) && !e.name.contains('REGION'))
    || (e.name.matches('(?i)(provider|backend|vendor)$') && has(e.value) && e.value.matches('^(?i)(aws|((aws|amazon)[_-]?)?bedrock)$'))){extra})))",
        settings = quoted(SETTING_NAMES),
        others = quoted(OTHER_SERVICES),
    )
}

/// The containers of [`with_plain_names`] whose texts are no such setting either. It is a variable of its own, since the limit of the
/// cost is that of an expression.
pub(super) fn evaluated() -> String {
    let texts = quoted(&format!("{SETTING_TEXTS}{REGION_IN_TEXT}"));
    let is_plain_argument = format!(
        "size(a) <= {LONGEST_TEXT} && !a.matches({}) && !a.matches({texts})",
        quoted(FLAG_NAMES)
    );
    format!(
        "variables.named.filter(c,
  (!has(c.command) || c.command.all(a, {is_plain_argument}))
  && (!has(c.args) || c.args.all(a, {is_plain_argument}))
  && (!has(c.env) || c.env.all(e, e.name in {REGION_NAMES} || !has(e.value)
    || (size(e.value) <= {LONGEST_TEXT} && !e.value.matches({texts})))))"
    )
}

/// Whether annotations exempt an object: opt-outs, a record of the webhook, a mirror Pod, or an annotation with a region of another tool.
/// `maps` is the list of the object's annotations.
pub(super) fn exempt(maps: &str) -> String {
    let opt_outs = [
        annotations::IGNORE,
        annotations::IGNORE_CONTAINERS,
        annotations::IGNORE_ENV,
    ];
    let opt_outs: Vec<_> = opt_outs.map(quoted).into();
    let opt_outs = format!(
        "[{}].exists(k, k in m && m[k] != 'false')",
        opt_outs.join(", ")
    );
    format!(
        "{maps}.exists(m, {opt_outs}
    || {record} in m || 'kubernetes.io/config.mirror' in m
    || m.exists(k, !k.startsWith({own}) && (k.matches('(?i)region') || (size(m[k]) <= 256 && m[k].matches({region})))))
  || [variables.namespaceAnnotations].exists(m, {opt_outs})",
        record = quoted(annotations::REWRITES),
        own = quoted(annotations::PREFIX),
        region = quoted(REGION_IN_TEXT),
    )
}

/// The region of `c`, a container: that of the object's annotation, of its variables, of the namespace's annotation, or the given one. It is
/// empty where it cannot be read.
pub(super) const REGION: &str = "variables.objectRegion != '' ? variables.objectRegion
  : [has(c.env) ? c.env.filter(e, e.name in ['AWS_REGION', 'AWS_DEFAULT_REGION']) : []].map(named,
      size(named) == 0 ? variables.defaultRegion
      : named.all(e, has(e.value) && has(named[0].value) && e.value == named[0].value) ? named[0].value : '')[0]";

/// Whether `e`, a variable of `c`, has an ID that is not to be in the region `r`.
pub(super) fn has_id(patterns: &Patterns) -> String {
    format!(
        "has(e.value) && {}
    && e.name.matches('(?i)model') && !e.name.matches({}) && !e.name.matches({})
    && c.env.filter(other, other.name == e.name).size() == 1
    && {}",
        has_answer("e.value"),
        quoted(OTHER_IDS),
        quoted(OTHER_SERVICES),
        is_nowhere_else(patterns, "e.value")
    )
}

/// Whether the container `c` has the ID, an expression, only as the value of variables and of flags for a model: where one is in a list or
/// a comparison, the others stay too.
pub(super) fn is_nowhere_else(patterns: &Patterns, id: &str) -> String {
    format!(
        "(!has(c.env) || c.env.all(x, !has(x.value) || x.value == {id} || !x.value.contains({id})))
    && [{WORDS}].all(words, words.filter(w, w.contains({id})).size() == words.join('\\n').findAll({}).filter(f, f.endsWith({id})).size())",
        quoted(&patterns.model_flag)
    )
}

/// The command and the arguments of the container `c`.
pub(super) const WORDS: &str = "(has(c.command) ? c.command : []) + (has(c.args) ? c.args : [])";

/// The number of the answers of each ID.
pub(super) fn models(table: &TargetTable) -> String {
    let mut text = String::from("{");
    for (at, entry) in table.entries().iter().enumerate() {
        for id in &entry.ids {
            let _ = write!(text, "\n  {}: {at},", quoted(id.as_str()));
        }
    }
    close(&text)
}

/// The answers by number and region.
pub(super) fn answers(table: &TargetTable) -> String {
    let mut text = String::from("{");
    for (at, TableEntry { answers, .. }) in table.entries().iter().enumerate() {
        let _ = write!(text, "\n  {at}: {{");
        for (region, answer) in answers {
            let _ = write!(text, "'{region}': {},", quoted(answer));
        }
        text = close(&text) + ",";
    }
    close(&text)
}

/// Whether `id`, an expression, has an answer in the region `r`.
pub(super) fn has_answer(id: &str) -> String {
    format!("{id} in variables.models && r in {}", answers_of(id))
}

/// The answers of `id`, an expression, which is in `variables.models`.
pub(super) fn answers_of(id: &str) -> String {
    format!("variables.answers[variables.models[{id}]]")
}

/// Closes a map.
fn close(text: &str) -> String {
    text.trim_end_matches(',').to_owned() + "}"
}

/// The target of an ID, an expression, in the region `r`.
pub(super) fn target_of(id: &str) -> String {
    format!(
        "[{}[r]].map(t, t.matches('[.:]') ? t : t + '.' + {id})[0]",
        answers_of(id)
    )
}
