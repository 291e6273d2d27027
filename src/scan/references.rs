//! ConfigMaps that stand in the files beside the Pods that take model IDs from them.
//!
//! In a cluster such a Pod gets an explicit variable when it is created. In a file nothing of a reference is ever edited: the
//! ID stands in the ConfigMap, and that is where `fix` changes it. So what a person reads is this: a ConfigMap that is to be
//! changed is told once, where it stands, and the Pods that need what it will hold are cured by that. Told of a Pod is only what
//! the ConfigMap does not cure: it names no region of its own, it is left, or it will hold what another region calls.

use std::collections::BTreeSet;

use crate::domain::config_maps::{ConfigMap, Lookup, References};
use crate::domain::judge::Judgement;
use crate::domain::object::{Object, Sort};
use crate::domain::placeholder::is_filled_in;
use crate::domain::site::Spot;

use super::{Scan, Syntax, objects, trees};

/// What is known of ConfigMaps from texts.
#[derive(Debug, Default)]
pub struct Collected {
    /// By namespace and name; one that is not among them may exist elsewhere.
    pub references: References,
    /// Namespaces and names of ConfigMaps that two documents state differently, such as two overlays of one base. None of them
    /// is used.
    pub disputed: BTreeSet<(Box<str>, Box<str>)>,
}

impl Collected {
    /// Takes the ConfigMaps of `text`, as `scan` is going to leave them. What cannot be read is passed over; the scan tells it.
    pub fn take(&mut self, scan: &Scan<'_>, text: &str, syntax: Syntax) {
        if !text.contains("ConfigMap") {
            return;
        }
        for tree in trees(text, syntax, "").0 {
            for root in objects(&tree) {
                let object = Object::at(&tree, root);
                let name = object.field(&["metadata", "name"]).unwrap_or_default();
                if object.sort == Sort::ConfigMap && is_a_name(name) {
                    let (namespace, judgement) = scan.judged(&object);
                    let map = read(scan, &object, &judgement);
                    self.merge(&namespace.name, name, map);
                }
            }
        }
    }

    fn merge(&mut self, namespace: &str, name: &str, map: ConfigMap) {
        let id = (Box::from(namespace), Box::from(name));
        let neighbours = self.references.in_namespace(namespace);
        match neighbours.look_up(name, false) {
            _ if self.disputed.contains(&id) => {}
            Lookup::Seen(stated) if *stated == map => {}
            Lookup::Seen(_) => {
                self.references.remove(namespace, name);
                self.disputed.insert(id);
            }
            Lookup::Absent | Lookup::Unseen => self.references.insert(namespace, name, map),
        }
    }
}

/// Whether a name is written out: one that a template fills in may be any.
fn is_a_name(name: &str) -> bool {
    !name.is_empty() && !is_filled_in(name)
}

/// The ConfigMap as it stands, and what becomes of its texts.
fn read(scan: &Scan<'_>, object: &Object<'_>, judgement: &Judgement<'_>) -> ConfigMap {
    let mut map = ConfigMap::of(object, &scan.view.snapshot);
    let first = judgement.effective.as_ref().or(judgement.previews.first());
    for one in first.into_iter().flat_map(|under| &under.findings) {
        let leaf = &one.finding.leaf;
        let text = leaf.scalar().and_then(|node| object.tree.text(node));
        if let (Spot::Data { key }, Some(text)) = (leaf.spot, text)
            && let Some(changed) = one.answered(text)
        {
            map.change(key, &changed);
        }
    }
    map
}
