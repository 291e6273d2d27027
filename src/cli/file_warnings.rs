//! Warnings about files that were read, and about what they are evaluated with.

use jiff::civil::Date;

use crate::scan::config_maps::ConfigMapCollector;
use crate::scan::exemptions::ExemptionRule;
use crate::scan::{OverriddenKeyPosition, PolicySelection};

use super::tally::Tally;

/// How many namespaces a warning names.
const MAX_NAMESPACES: usize = 3;

/// Warns about policies that select nothing, and names the namespaces that no policy selects: an ID in them is not found.
pub(super) fn warn_about_selection(selection: &PolicySelection<'_>, tally: &Tally) {
    let objects = selection.objects;
    if objects == 0 {
        return;
    }
    let mut level = "note";
    for policy in &selection.idle_policies {
        level = "warning";
        tally.print(format_args!(
            "warning: policy {policy} selects nothing of what was read"
        ));
    }
    let unselected: usize = selection.unselected.values().sum();
    if unselected == 0 {
        return;
    }
    let names = selection.unselected.keys().copied();
    let mut names: Vec<_> = names.take(MAX_NAMESPACES).collect();
    if selection.unselected.len() > MAX_NAMESPACES {
        names.push("…");
    }
    tally.print(format_args!(
        "{level}: no policy selects {unselected} of {objects} objects and files, whose IDs are not found; their namespaces: {}",
        names.join(", ")
    ));
}

/// Warns about exemptions of the configuration that have ended.
pub(super) fn warn_about_ended(exemptions: &[ExemptionRule], today: Date, tally: &Tally) {
    for ExemptionRule { exemption, .. } in exemptions {
        if let Some(until) = exemption.until.filter(|_| exemption.has_ended(today)) {
            tally.print(format_args!(
                "warning: {}: this exemption ended on {until}",
                exemption.written_at
            ));
        }
    }
}

/// Warns about ConfigMaps that two documents define differently.
pub(super) fn warn_about_disputed(config_maps: &ConfigMapCollector, tally: &Tally) {
    for (namespace, name) in &config_maps.disputed {
        tally.print(format_args!(
            "warning: documents disagree about the data of a ConfigMap, so references to it are not followed: {namespace}/{name}"
        ));
    }
}

/// Warns about a key whose value a later one overrides.
pub(super) fn warn_about_overridden(name: &str, key: OverriddenKeyPosition, tally: &Tally) {
    let overridden = if key.by_merge {
        "the merge key `<<` further below overrides this key, as kubectl and Helm read it"
    } else {
        "this key occurs again in its mapping, and the last value counts"
    };
    let others = match key.others {
        0 => String::new(),
        others => format!(" (and {others} more in this file)"),
    };
    let (line, column) = (key.line, key.column);
    tally.print(format_args!(
        "warning: {name}:{line}:{column}: {overridden}{others}"
    ));
}
