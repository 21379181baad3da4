//! The linked core behind the same API: what the component is compared with.

use std::cell::RefCell;

use portcullis_core::{OpenError, Policy, Scratch, ValidateOptions, ValidateScratch, decide, explain, validate};

use crate::decision::{Decision, Explained};
use crate::report::{Report, ValidateError};
use crate::request::Request;

/// A bundle opened in this process. For one thread; opening is cheap.
#[derive(Debug)]
pub struct NativePolicy {
    policy: Policy,
    scratch: RefCell<Scratch>,
    documents: RefCell<ValidateScratch>,
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

    /// Checks a document against the schema of this name.
    pub fn validate(
        &self,
        schema: &str,
        document: &[u8],
        options: &ValidateOptions<'_>,
    ) -> Result<Report, ValidateError> {
        let schema = self.policy.schema_number(schema).ok_or(ValidateError::UnknownSchema)?;
        let report = validate(&self.policy, schema, document, options, &mut self.documents.borrow_mut());
        report.map(Report::from).ok_or(ValidateError::Unavailable)
    }
}

impl From<Policy> for NativePolicy {
    fn from(policy: Policy) -> Self {
        Self { policy, scratch: RefCell::default(), documents: RefCell::default() }
    }
}
