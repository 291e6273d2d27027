//! Labels and annotations of listed objects.

use crate::domain::annotations;
use crate::domain::object::Object;
use crate::domain::policy::Namespace;

/// The entries of `labels` or `annotations`.
pub(super) fn entries<'o>(
    object: &'o Object<'_>,
    field: &'static str,
) -> impl Iterator<Item = (&'o str, &'o str)> {
    let tree = object.tree;
    let node = tree.at(object.root, &["metadata", field]).into_iter();
    node.flat_map(|node| tree.children(node))
        .filter_map(|entry| Some((tree.key(entry)?, tree.text(entry)?)))
}

/// A stored Namespace: its labels, and the annotations of the product.
pub(super) fn namespace_of(object: &Object<'_>) -> Namespace {
    let name = object.field(&["metadata", "name"]).unwrap_or_default();
    let mut namespace = Namespace::named(name);
    for (key, text) in entries(object, "labels") {
        namespace.labels.insert(key.into(), text.into());
    }
    let own =
        entries(object, "annotations").filter(|(key, _)| key.starts_with(annotations::PREFIX));
    for (key, text) in own {
        namespace.annotations.insert(key.into(), text.into());
    }
    namespace
}
