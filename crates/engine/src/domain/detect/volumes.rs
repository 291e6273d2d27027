//! Volumes from ConfigMaps and the downward API. Direct IDs in them are reported and never changed, because no entry of `env`
//! can replace a file.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::NodeId;

use super::references::{Consumer, ReferenceWalk};
use crate::domain::config_maps::Lookup;
use crate::domain::environment::{Origin, is_optional, text_of};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::reason::Reason;
use crate::domain::site::Location;

/// Finds the direct IDs in the volumes of an object.
pub(super) fn files(walk: &mut ReferenceWalk<'_, '_, '_>) {
    let object = walk.object;
    let tree = object.tree;
    if !matches!(object.kind, ObjectKind::Pod | ObjectKind::Template) {
        return;
    }
    let volumes = object
        .metadata_root()
        .and_then(|pod| tree.at(pod, &["spec", "volumes"]));
    let readers = readers(object);
    for node in volumes.into_iter().flat_map(|list| tree.children(list)) {
        let volume = text_of(tree, node, "name");
        let consumer = Consumer {
            location: Location::Volume { volume },
            container: readers.get(volume).copied(),
            node,
        };
        source(walk, consumer, node);
        let projected = tree.at(node, &["projected", "sources"]);
        for part in projected.into_iter().flat_map(|list| tree.children(list)) {
            source(walk, consumer, part);
        }
    }
}

/// The first container that mounts each volume. Its region is used.
fn readers<'t>(object: &Object<'t>) -> BTreeMap<&'t str, NodeId> {
    let tree = object.tree;
    let mut readers = BTreeMap::new();
    for container in object.containers() {
        let mounts = tree.get(container, "volumeMounts").into_iter();
        for mount in mounts.flat_map(|list| tree.children(list)) {
            readers
                .entry(text_of(tree, mount, "name"))
                .or_insert(container);
        }
    }
    readers
}

/// Finds the direct IDs in one source of a volume.
fn source<'t>(walk: &mut ReferenceWalk<'_, '_, 't>, consumer: Consumer<'t>, source: NodeId) {
    let tree = walk.object.tree;
    if let Some(map) = tree.get(source, "configMap") {
        config_map(walk, consumer, map);
    }
    let fields = tree.at(source, &["downwardAPI", "items"]);
    for item in fields.into_iter().flat_map(|list| tree.children(list)) {
        if let Some(field) = tree.get(item, "fieldRef") {
            let path = text_of(tree, field, "fieldPath");
            walk.take(consumer, Origin::Field { path }, Err(Reason::OutOfSight));
        }
    }
}

/// Finds the words of a ConfigMap that become files: all, or those in `items`. A word that the webhook changes in the
/// ConfigMap is skipped, because the file has the change too.
fn config_map<'t>(walk: &mut ReferenceWalk<'_, '_, 't>, consumer: Consumer<'t>, map: NodeId) {
    let tree = walk.object.tree;
    let name = text_of(tree, map, "name");
    let Lookup::Found(found) = walk.config_maps.look_up(name, is_optional(tree, map)) else {
        return;
    };
    let items = tree.get(map, "items").map(|list| {
        let keys = tree.children(list).map(|item| text_of(tree, item, "key"));
        keys.collect::<BTreeSet<_>>()
    });
    let is_taken = |key: &str| items.as_ref().is_none_or(|items| items.contains(key));
    if !walk.spend_steps(found.len()) {
        return;
    }
    for (key, word) in found.words() {
        if word.current() == word.original() && is_taken(key) {
            if !walk.may_evaluate(consumer, name, key, word) {
                return;
            }
            let word = Some(word);
            let origin = Origin::ConfigMap { name, key, word };
            walk.take(consumer, origin, Err(Reason::OutOfSight));
        }
    }
}

/// The annotation or label at a field path of the downward API.
pub(super) fn field<'t>(object: &Object<'t>, path: &str) -> Option<&'t str> {
    let name = |of: &str| {
        path.strip_prefix(of)?
            .strip_prefix("['")?
            .strip_suffix("']")
    };
    match (name("metadata.annotations"), name("metadata.labels")) {
        (Some(name), _) => object.annotation(name),
        (None, Some(name)) => object.label(name),
        (None, None) => None,
    }
}
