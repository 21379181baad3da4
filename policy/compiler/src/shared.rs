//! Values that many rules have in common: read once, kept once, compared without a look inside.
//!
//! In: nodes of a document, and how to read one. Out: what was read, the same value for all that say the same. Never: a
//! diagnostic that is missing because an equal node had it before.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

use crate::reader::Reader;
use crate::tree::{Node, Same};

/// A value of a document. Equal ones of the same document are the same one.
#[derive(Debug)]
pub(crate) struct Shared<T>(Rc<T>);

/// The distinct values of one kind in a document.
#[derive(Default)]
pub(crate) struct Distinct<'n, T> {
    values: HashSet<Rc<T>>,
    read: HashMap<Same<'n>, Shared<T>>,
}

impl<'n, T: Eq + Hash> Distinct<'n, T> {
    pub(crate) fn share(&mut self, value: T) -> Shared<T> {
        if let Some(known) = self.values.get(&value) {
            return Shared(Rc::clone(known));
        }
        let value = Rc::new(value);
        self.values.insert(Rc::clone(&value));
        Shared(value)
    }

    /// What `read` makes of the node, or made of an equal one before. A node with a diagnostic is read wherever it
    /// stands, so that each place has its own.
    pub(crate) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        node: Node<'n>,
        read: impl FnOnce(&mut Reader<'_>, Node<'n>) -> Option<T>,
    ) -> Option<Shared<T>> {
        if let Some(known) = self.read.get(&Same(node)) {
            return Some(known.clone());
        }
        let before = reader.diagnostics();
        let value = read(reader, node)?;
        let value = self.share(value);
        if reader.diagnostics() == before {
            self.read.insert(Same(node), value.clone());
        }
        Some(value)
    }
}

// === impl Shared ===

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Rc::as_ptr(&self.0).hash(state);
    }
}
