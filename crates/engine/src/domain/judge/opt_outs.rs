//! The annotations of a namespace and an object that opt out, as far as a policy permits them, read once for all findings.

use std::fmt::Display;

use super::detail::LONGEST_TEXT;
use super::{Context, OptOutAnnotation, OptOutOwner};
use crate::domain::annotations::{
    IGNORE, IGNORE_CONTAINERS, IGNORE_ENV, IGNORE_KEYS, NameGlobs, OptOutEnd, opt_out,
};
use crate::domain::object::Object;
use crate::domain::policy::{OptOut, Policy};
use crate::domain::site::{Location, TextSite};

/// The annotations that opt out under a policy.
pub(super) struct OptOuts {
    whole: Option<OptOutAnnotation>,
    named: Vec<NamedOptOut>,
}

/// An annotation that opts names out.
struct NamedOptOut {
    annotation: OptOutAnnotation,
    globs: NameGlobs,
}

impl OptOuts {
    pub(super) fn of(object: &Object<'_>, policy: &Policy, context: &Context<'_, '_>) -> Self {
        let (namespace, today) = (context.namespace, context.today);
        let texts = |name: &'static str| {
            let by_namespace = policy.opt_out != OptOut::None;
            let by_object = policy.opt_out == OptOut::Any;
            let of_namespace = by_namespace
                .then(|| namespace.annotations.get(name))
                .flatten()
                .map(|text| (OptOutOwner::Namespace, &**text));
            let of_object = by_object
                .then(|| object.annotation(name))
                .flatten()
                .map(|text| (OptOutOwner::Object, text));
            of_namespace.into_iter().chain(of_object)
        };
        let annotation = |name, end, (owner, text): (_, &str)| OptOutAnnotation {
            owner,
            name,
            end,
            // One more than messages have, so that they show that the text is cut.
            text: text.chars().take(LONGEST_TEXT + 1).collect(),
        };
        let named = [IGNORE_CONTAINERS, IGNORE_ENV, IGNORE_KEYS];
        let named = named.into_iter().flat_map(|name| {
            texts(name).map(move |(owner, text)| NamedOptOut {
                annotation: annotation(name, OptOutEnd::Never, (owner, text)),
                globs: NameGlobs::parse(text),
            })
        });
        // Of two opt-outs, the one that counts longer.
        let ends = texts(IGNORE).filter_map(|found| {
            let end = opt_out(found.1).filter(|end| !end.is_over(today))?;
            Some((end, found))
        });
        Self {
            whole: ends
                .reduce(|first, second| if second.0 > first.0 { second } else { first })
                .map(|(end, found)| annotation(IGNORE, end, found)),
            named: named.collect(),
        }
    }

    /// The annotation that opts the whole object out.
    pub(super) fn whole(&self) -> Option<&OptOutAnnotation> {
        self.whole.as_ref()
    }

    /// The annotation that opts the container, variable or key of a text out.
    pub(super) fn at(&self, site: &TextSite<'_>) -> Option<&OptOutAnnotation> {
        if self.named.is_empty() {
            return None;
        }
        match site.location {
            Location::Env {
                container,
                variable,
            } => self
                .named(IGNORE_CONTAINERS, &container)
                .or_else(|| self.named(IGNORE_ENV, &variable)),
            Location::Args { container }
            | Location::Command { container }
            | Location::Handler { container, .. } => self.named(IGNORE_CONTAINERS, &container),
            Location::Data { key } => self.named(IGNORE_KEYS, &key),
            Location::Volume { .. } | Location::Document => None,
        }
    }

    /// The annotation that opts a text out for the longest time: those of names have no end.
    pub(super) fn longest(&self, site: &TextSite<'_>) -> Option<&OptOutAnnotation> {
        let endless = self.whole().filter(|whole| whole.end == OptOutEnd::Never);
        endless.or_else(|| self.at(site)).or_else(|| self.whole())
    }

    fn named(&self, annotation: &'static str, name: &dyn Display) -> Option<&OptOutAnnotation> {
        let name = name.to_string();
        let mut of_kind = self
            .named
            .iter()
            .filter(|one| one.annotation.name == annotation);
        let found = of_kind.find(|one| one.globs.matches(&name))?;
        Some(&found.annotation)
    }

    /// The number of globs that a text may be compared with.
    pub(super) fn globs(&self) -> usize {
        self.named.iter().map(|one| one.globs.count()).sum()
    }
}
