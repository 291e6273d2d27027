//! Reads the ID of the command line like the value of an environment variable.

use std::ops::Range;

use crate::domain::id::ModelId;
use crate::domain::policy::{Lists, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::resolve::ModelRef;
use crate::domain::site::TextKind;
use crate::domain::snapshot::Snapshot;
use crate::domain::syntax::{Syntax, TextContext, region_of_arn};
use crate::domain::tokens::{Form, Token, tokens};

use super::parts::{ArnParts, IdParts};

/// An ID with its surroundings.
pub(super) struct ParsedId<'a> {
    /// The value that contains the ID: the argument, or the ID of the model whose alias it is.
    pub text: &'a str,
    /// Where the ID is in the text, with its prefix.
    pub span: Range<usize>,
    /// The ID as resolution takes it.
    pub name: ModelRef<'a>,
    /// The region that is part of the value. It overrides any other.
    pub region: Option<Region>,
    /// The value is the ID and nothing else.
    pub whole: bool,
    /// Why an ID in this syntax is never replaced.
    pub reason: Option<Reason>,
    /// The direct ID in it, known to the catalog or not; empty for an ARN that names none.
    pub direct: &'a str,
    /// The argument is this alias, which the policy does not enable.
    pub alias: Option<&'a str>,
    /// What a profile ID or an ARN consists of.
    pub parts: Option<IdParts>,
}

impl<'a> ParsedId<'a> {
    /// The ID as written, with its prefix.
    pub(super) fn original(&self) -> &'a str {
        &self.text[self.span.clone()]
    }

    /// The value with another name in place of the ID.
    pub(super) fn with(&self, name: &str) -> String {
        let Range { start, end } = self.span;
        [&self.text[..start], name, &self.text[end..]].concat()
    }

    /// An ID that is the whole value.
    fn whole(name: ModelRef<'a>, direct: &'a str, text: &'a str) -> Self {
        Self {
            text,
            span: 0..text.len(),
            name,
            region: None,
            whole: true,
            reason: None,
            direct,
            alias: None,
            parts: None,
        }
    }
}

/// Parses an argument.
pub(super) fn parse<'a>(
    id: &'a str,
    snapshot: &'a Snapshot,
    policy: &Policy,
) -> anyhow::Result<ParsedId<'a>> {
    let mut found = tokens(id, snapshot);
    let token = found.next();
    if let Some(model) = snapshot.catalog.alias(id) {
        let model = snapshot.catalog.model(model).id.as_str();
        if policy.aliases.is_some() {
            return Ok(ParsedId::whole(ModelRef::Alias(model), model, id));
        }
        if token.is_none() {
            return Ok(ParsedId {
                alias: Some(id),
                ..ParsedId::whole(ModelRef::Direct(model), model, model)
            });
        }
    }
    let arn = ArnParts::parse(id);
    let Some(token) = token else {
        if let Some(arn) = arn {
            return Ok(ParsedId {
                reason: Some(Reason::InArn),
                parts: Some(IdParts::of_arn(&arn, None)),
                ..ParsedId::whole(ModelRef::Direct(""), "", id)
            });
        }
        // The vendor is in no mapping.
        ModelId::parse(id).map_err(|error| unknown(error, id, snapshot))?;
        return Ok(ParsedId::whole(ModelRef::Direct(id), id, id));
    };
    anyhow::ensure!(
        found.next().is_none(),
        "`{id}` contains several IDs: give each of them as an argument of its own"
    );
    let syntax = TextContext::of(id, TextKind::Env).syntax(&token);
    let parts = match &arn {
        Some(arn) => Some(IdParts::of_arn(arn, Some(&token))),
        None => IdParts::of_profile(&token),
    };
    Ok(ParsedId {
        text: id,
        span: token.span.clone(),
        name: match token.form {
            Form::Profiled(geography) => ModelRef::Profiled {
                geography,
                id: token.id,
            },
            Form::Direct | Form::Doubled | Form::Alias => ModelRef::Direct(token.id),
        },
        region: match syntax {
            Ok(syntax) => syntax.region,
            Err(_) => region_of_arn(id, &token),
        },
        whole: syntax.is_ok_and(|syntax| syntax.whole),
        reason: reason(&token, syntax, policy),
        direct: token.id,
        alias: None,
        parts,
    })
}

fn reason(token: &Token<'_>, syntax: Result<Syntax, Reason>, policy: &Policy) -> Option<Reason> {
    match (token.form, syntax) {
        (Form::Doubled, _) => Some(Reason::DoublePrefix),
        (_, Err(reason)) => Some(reason),
        (_, Ok(syntax)) if syntax.listed && policy.lists == Lists::Leave => Some(Reason::ListLeft),
        (_, Ok(_)) => None,
    }
}

/// The error for a text that is no ID, with the known ID that is spelled most like it.
fn unknown(
    error: impl std::error::Error + Send + Sync + 'static,
    id: &str,
    snapshot: &Snapshot,
) -> anyhow::Error {
    match snapshot.catalog.spelled_like(id) {
        Some(model) => {
            let model = &snapshot.catalog.model(model).id;
            anyhow::anyhow!("{error}; did you mean {model}?")
        }
        None => error.into(),
    }
}
