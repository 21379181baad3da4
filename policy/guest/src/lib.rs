//! Component glue for world `policy`: WIT records in, the core's answer out. No logic.
//!
//! In: calls through the canonical ABI. Out: records of `wit/policy.wit`. Never: an import, a decision of its own.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod convert;
mod validator;

use core::cell::RefCell;

use exports::portcullis::policy::authorizer::{Decision, Explanation, Guest, GuestPolicy, OpenError, Policy, Request};
use portcullis_allocator as _;
use portcullis_core::wire::{decide_batch_encoded, decide_encoded};
use portcullis_core::{Scratch, ValidateScratch, decide, explain};

wit_bindgen::generate!({ path: "../../wit", world: "policy" });

struct Component;

/// One opened bundle and the buffers its answers reuse.
struct OpenPolicy {
    policy: portcullis_core::Policy,
    scratch: RefCell<Scratch>,
    documents: RefCell<ValidateScratch>,
}

/// Enough for most encoded decisions.
const ANSWER_BYTES: usize = 64;

impl Guest for Component {
    type Policy = OpenPolicy;
}

impl GuestPolicy for OpenPolicy {
    fn open(bundle: Vec<u8>) -> Result<Policy, OpenError> {
        let policy = portcullis_core::Policy::open(bundle).map_err(OpenError::from)?;
        Ok(Policy::new(Self { policy, scratch: RefCell::default(), documents: RefCell::default() }))
    }

    fn decide(&self, request: Request) -> Decision {
        decide(&self.policy, &(&request).into(), &mut self.scratch.borrow_mut()).into()
    }

    fn decide_batch(&self, requests: Vec<Request>) -> Vec<Decision> {
        requests.into_iter().map(|request| self.decide(request)).collect()
    }

    fn decide_encoded(&self, request: Vec<u8>) -> Vec<u8> {
        let mut answer = Vec::with_capacity(ANSWER_BYTES);
        decide_encoded(&self.policy, &request, &mut self.scratch.borrow_mut(), &mut answer);
        answer
    }

    fn decide_batch_encoded(&self, requests: Vec<u8>) -> Vec<u8> {
        let mut answers = Vec::with_capacity(requests.len());
        decide_batch_encoded(&self.policy, &requests, &mut self.scratch.borrow_mut(), &mut answers);
        answers
    }

    fn explain(&self, request: Request) -> Explanation {
        explain(&self.policy, &(&request).into(), &mut self.scratch.borrow_mut()).into()
    }

    fn revision(&self) -> u64 {
        self.policy.revision()
    }
}

export!(Component);
