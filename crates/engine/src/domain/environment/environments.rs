//! The variables of the containers of one object, each read once for detection and for the lookup of regions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::Environment;
use crate::budget::Budget;
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::text::{NodeId, Tree};

/// The variables of the containers of one object, read on demand.
pub struct Environments<'t, 'o> {
    tree: &'t Tree<'t>,
    config_maps: NamespaceConfigMaps<'t>,
    budget: &'o Budget,
    by_container: RefCell<BTreeMap<NodeId, Rc<Environment<'t>>>>,
}

impl<'t, 'o> Environments<'t, 'o> {
    /// The variables of containers in `tree` whose ConfigMaps are among `config_maps`.
    pub fn new(
        tree: &'t Tree<'t>,
        config_maps: NamespaceConfigMaps<'t>,
        budget: &'o Budget,
    ) -> Self {
        Self {
            tree,
            config_maps,
            budget,
            by_container: RefCell::default(),
        }
    }

    /// The ConfigMaps that variables may refer to.
    pub fn config_maps(&self) -> NamespaceConfigMaps<'t> {
        self.config_maps
    }

    /// The variables of a container.
    pub fn of(&self, container: NodeId) -> Rc<Environment<'t>> {
        let read = || {
            let (tree, config_maps) = (self.tree, self.config_maps);
            Rc::new(Environment::of(tree, container, config_maps, self.budget))
        };
        let mut by_container = self.by_container.borrow_mut();
        Rc::clone(by_container.entry(container).or_insert_with(read))
    }
}
