//! The answers for every model and region.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::domain::catalog::{Catalog, Confidence};
use crate::domain::id::ModelId;
use crate::domain::policy::{Namespace, Policy, Scope};
use crate::domain::region::Region;
use crate::domain::resolve::{Evidence, ModelRef, Note, Question, Resolution, Target, resolve};

/// What a table is made from.
#[derive(Debug, Clone, Copy)]
pub struct TargetTableQuery<'a> {
    /// The merged mappings.
    pub catalog: &'a Catalog,
    /// The policy. Its overrides select no namespaces.
    pub policy: &'a Policy,
    /// The date against which dates of end of life are compared.
    pub today: Date,
}

/// The direct IDs that need a target, with the regions where they do. IDs with equal answers share an entry: an expression has 100,000
/// characters at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTable {
    entries: Vec<TableEntry>,
}

/// Direct IDs with their answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableEntry {
    /// The direct IDs, in order.
    pub(super) ids: Vec<ModelId>,
    /// The answers by region: the geography of a profile of the same model, another target, or nothing where no target is permitted.
    pub(super) answers: BTreeMap<Region, String>,
}

impl TargetTable {
    /// The IDs that the policy rewrites.
    pub fn of_rewrites(query: TargetTableQuery<'_>) -> Self {
        Self::new(query, |id, resolution, _| match resolution {
            Resolution::Rewrite { target, .. } => Some(written(id, target)),
            Resolution::Leave(_) => None,
        })
    }

    /// The IDs that cannot work, whatever the scope of the policy. With `only_certain`, without those for which a row or a date of less
    /// than high confidence decides.
    pub fn of_errors(query: TargetTableQuery<'_>, only_certain: bool) -> Self {
        let policy = &Policy {
            scope: Scope::Required,
            ..query.policy.clone()
        };
        let query = TargetTableQuery { policy, ..query };
        Self::new(query, |id, resolution, evidence| {
            if only_certain && evidence.confidence() != Confidence::High {
                return None;
            }
            match resolution {
                Resolution::Rewrite {
                    note: Some(Note::EndOfLife),
                    ..
                } => Some(String::new()),
                Resolution::Rewrite { target, .. } => Some(written(id, target)),
                Resolution::Leave(reason) => reason.is_unresolved().then(String::new),
            }
        })
    }

    fn new(
        query: TargetTableQuery<'_>,
        answer: impl Fn(&ModelId, &Resolution, &Evidence) -> Option<String>,
    ) -> Self {
        let TargetTableQuery {
            catalog,
            policy,
            today,
        } = query;
        let models = catalog.models();
        let replaced = policy.replacements.iter().map(|one| &one.from);
        let ids: BTreeSet<&ModelId> = models
            .iter()
            .map(|model| &model.id)
            .chain(replaced)
            .collect();
        let regions: BTreeSet<Region> = models
            .iter()
            .flat_map(|model| model.rows().map(|(region, _)| region))
            .collect();
        let namespace = Namespace::named("");
        let mut entries: Vec<TableEntry> = Vec::new();
        for id in ids {
            let answers = regions.iter().filter_map(|region| {
                let question = Question {
                    named: ModelRef::Direct(id.as_str()),
                    region: *region,
                    inferred: false,
                    namespace: &namespace,
                    whole: true,
                    today,
                };
                let (resolution, evidence) = resolve(&question, policy, catalog, &mut |_| {});
                Some((*region, answer(id, &resolution, &evidence)?))
            });
            let answers: BTreeMap<_, _> = answers.collect();
            match entries.iter_mut().find(|entry| entry.answers == answers) {
                _ if answers.is_empty() => {}
                Some(entry) => entry.ids.push(id.clone()),
                None => entries.push(TableEntry {
                    ids: vec![id.clone()],
                    answers,
                }),
            }
        }
        Self { entries }
    }

    /// Whether no direct ID needs a target.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries.
    pub(super) fn entries(&self) -> &[TableEntry] {
        &self.entries
    }

    /// The vendors of the IDs, with their dots.
    pub(super) fn vendors(&self) -> BTreeSet<&str> {
        let ids = self.entries.iter().flat_map(|entry| &entry.ids);
        ids.map(ModelId::vendor_prefix).collect()
    }
}

/// A target as it is in an answer for `id`.
fn written(id: &ModelId, target: &Target) -> String {
    match target {
        Target::System { geography, model } if model == id => geography.to_string(),
        Target::System { .. } | Target::Direct(_) | Target::Given(_) => target.to_string(),
    }
}
