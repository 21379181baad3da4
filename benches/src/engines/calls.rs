//! The ways into wasmtime, under one name each.

use anyhow::Result;

use super::component::{Component, Form, slot};
use super::module::Module;
use crate::measure::Subject;
use crate::workload::Question;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Component(Form),
    Module,
}

impl Call {
    /// In the order of the tables.
    pub const ALL: [Self; 5] = [
        Self::Component(Form::Record),
        Self::Component(Form::Records),
        Self::Component(Form::Encoded),
        Self::Component(Form::EncodedBatch),
        Self::Module,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Component(form) => form.name(),
            Self::Module => "module",
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            Self::Component(form) => form.what(),
            Self::Module => "core module, one encoded request",
        }
    }

    pub fn is_batch(self) -> bool {
        matches!(self, Self::Component(Form::Records | Form::EncodedBatch))
    }
}

/// What is called in each of these ways, with the bundle open.
pub fn open<Q: Question>(bundle: &[u8], calls: &[Call]) -> Result<Vec<Box<dyn Subject<Q>>>> {
    let slot = slot(bundle.to_vec())?;
    let subject = |call: &Call| -> Result<Box<dyn Subject<Q>>> {
        Ok(match call {
            Call::Component(form) => Box::new(Component::new(slot.clone(), *form)),
            Call::Module => Box::new(Module::open(bundle)?),
        })
    };
    calls.iter().map(subject).collect()
}
