//! The linked core behind the same API: what the component is compared with.

use std::cell::RefCell;

use portcullis_core::{OpenError, Policy, Scratch, decide, explain};

use crate::decision::{Decision, Explained};
use crate::request::Request;

/// A bundle opened in this process. For one thread; opening is cheap.
#[derive(Debug)]
pub struct NativePolicy {
    policy: Policy,
    scratch: RefCell<Scratch>,
}

impl NativePolicy {
    pub fn open(bundle: Vec<u8>) -> Result<Self, OpenError> {
        Policy::open(bundle).map(Self::from)
    }

    pub fn decide(&self, request: &Request) -> Decision {
        decide(&self.policy, &request.into(), &mut self.scratch.borrow_mut()).into()
    }

    pub fn explain(&self, request: &Request) -> Explained {
        explain(&self.policy, &request.into(), &mut self.scratch.borrow_mut()).into()
    }
}

impl From<Policy> for NativePolicy {
    fn from(policy: Policy) -> Self {
        Self { policy, scratch: RefCell::default() }
    }
}
