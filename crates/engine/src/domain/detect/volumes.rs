//! What a Pod takes as a file, or by the downward API: reported where it is known to be a direct ID, and never followed, for no
//! entry of `env` can take its place.

use crate::text::NodeId;

use super::references::{Consumer, ReferenceWalk};
use crate::domain::config_maps::Lookup;
use crate::domain::environment::{Origin, is_optional, text_of};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::reason::Reason;
use crate::domain::site::Location;

/// The direct IDs that stand in the volumes of an object.
pub(super) fn files(following: &mut ReferenceWalk<'_, '_>) {
    let object = following.object;
    let tree = object.tree;
    if !matches!(object.kind, ObjectKind::Pod | ObjectKind::Template) {
        return;
    }
    let volumes = object
        .metadata_root()
        .and_then(|pod| tree.at(pod, &["spec", "volumes"]));
    for node in volumes.into_iter().flat_map(|list| tree.children(list)) {
        let volume = text_of(tree, node, "name");
        let taker = Consumer {
            location: Location::Volume { volume },
            container: reader(object, volume),
            node,
        };
        source(following, taker, node);
        let projected = tree.at(node, &["projected", "sources"]);
        for part in projected.into_iter().flat_map(|list| tree.children(list)) {
            source(following, taker, part);
        }
    }
}

/// The first container that mounts a volume, whose region counts.
fn reader(object: &Object<'_>, volume: &str) -> Option<NodeId> {
    let tree = object.tree;
    object.containers().find(|container| {
        let mounts = tree.get(*container, "volumeMounts").into_iter();
        mounts
            .flat_map(|list| tree.children(list))
            .any(|mount| text_of(tree, mount, "name") == volume)
    })
}

/// What one source of a volume brings in.
fn source<'t>(following: &mut ReferenceWalk<'_, 't>, taker: Consumer<'t>, source: NodeId) {
    let tree = following.object.tree;
    if let Some(map) = tree.get(source, "configMap") {
        config_map(following, taker, map);
    }
    let fields = tree.at(source, &["downwardAPI", "items"]);
    for item in fields.into_iter().flat_map(|list| tree.children(list)) {
        if let Some(field) = tree.get(item, "fieldRef") {
            let path = text_of(tree, field, "fieldPath");
            following.take(taker, Origin::Field { path }, Err(Reason::OutOfSight));
        }
    }
}

/// The words of a ConfigMap that become files: all, or those that `items` names. What we change there, the file has too.
fn config_map<'t>(following: &mut ReferenceWalk<'_, 't>, taker: Consumer<'t>, map: NodeId) {
    let tree = following.object.tree;
    let name = text_of(tree, map, "name");
    let Lookup::Found(seen) = following.neighbours.look_up(name, is_optional(tree, map)) else {
        return;
    };
    let items = tree.get(map, "items");
    let is_taken = |key: &str| {
        items.is_none_or(|list| {
            tree.children(list)
                .any(|item| text_of(tree, item, "key") == key)
        })
    };
    for (key, word) in seen.words() {
        if word.current() == word.original() && is_taken(key) {
            if !following.may_look(taker, name, key, word) {
                return;
            }
            let word = Some(word);
            let origin = Origin::ConfigMap { name, key, word };
            following.take(taker, origin, Err(Reason::OutOfSight));
        }
    }
}

/// The annotation or label of the object that a path of the downward API names.
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
