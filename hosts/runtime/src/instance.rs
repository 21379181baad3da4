//! One instance of the component with one bundle opened in it.

use std::time::Duration;

use portcullis_core::ValidateOptions;
use wasmtime::component::ResourceAny;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

use crate::convert::wit::exports::portcullis::policy::authorizer as wit;
use crate::convert::{self, Lists, wit::Policy};
use crate::decision::{Decision, Explained};
use crate::report::{Report, ValidateError};
use crate::request::Request;
use crate::runtime::{Runtime, epochs};

/// Bounds the memory of a store.
pub(crate) struct Memory(StoreLimits);

pub(crate) struct Instance {
    store: Store<Memory>,
    component: Policy,
    policy: ResourceAny,
    call_deadline: Duration,
}

/// Why a bundle could not be opened in an instance.
pub(crate) enum OpenFailure {
    /// The component says what is wrong with the bytes.
    Refused(String),
    /// The component itself failed.
    Failed(wasmtime::Error),
}

impl Instance {
    pub(crate) fn open(runtime: &Runtime, bundle: &[u8]) -> Result<Self, OpenFailure> {
        let shared = &*runtime.shared;
        let limits = StoreLimitsBuilder::new().memory_size(shared.limits.memory_bytes).build();
        let mut store = Store::new(&shared.engine, Memory(limits));
        store.limiter(|memory| &mut memory.0);
        store.set_epoch_deadline(epochs(shared.limits.open_deadline));
        let component = shared.component.instantiate(&mut store).map_err(OpenFailure::Failed)?;
        let opened = component.portcullis_policy_authorizer().policy().call_open(&mut store, bundle);
        let policy = opened.map_err(OpenFailure::Failed)?.map_err(|refusal| {
            OpenFailure::Refused(match refusal {
                wit::OpenError::NotABundle => "not a bundle".to_owned(),
                wit::OpenError::Unsupported(why) | wit::OpenError::Corrupt(why) => why,
            })
        })?;
        Ok(Self { store, component, policy, call_deadline: shared.limits.call_deadline })
    }

    pub(crate) fn decide(&mut self, request: &Request) -> wasmtime::Result<Decision> {
        self.start_deadline();
        let policy = self.component.portcullis_policy_authorizer().policy();
        let lists = Lists::from(request);
        let decision = policy.call_decide(&mut self.store, self.policy, convert::request(request, &lists))?;
        Ok(decision.into())
    }

    pub(crate) fn decide_batch(&mut self, requests: &[Request]) -> wasmtime::Result<Vec<Decision>> {
        self.start_deadline();
        let policy = self.component.portcullis_policy_authorizer().policy();
        let lists: Vec<Lists<'_>> = requests.iter().map(Lists::from).collect();
        let requests: Vec<_> =
            requests.iter().zip(&lists).map(|(request, lists)| convert::request(request, lists)).collect();
        let decisions = policy.call_decide_batch(&mut self.store, self.policy, &requests)?;
        Ok(decisions.into_iter().map(Decision::from).collect())
    }

    /// Encoded request -> encoded decision.
    pub(crate) fn decide_encoded(&mut self, request: &[u8]) -> wasmtime::Result<Vec<u8>> {
        self.start_deadline();
        let policy = self.component.portcullis_policy_authorizer().policy();
        policy.call_decide_encoded(&mut self.store, self.policy, request)
    }

    /// Framed, as `portcullis_core::wire` says.
    pub(crate) fn decide_batch_encoded(&mut self, requests: &[u8]) -> wasmtime::Result<Vec<u8>> {
        self.start_deadline();
        let policy = self.component.portcullis_policy_authorizer().policy();
        policy.call_decide_batch_encoded(&mut self.store, self.policy, requests)
    }

    pub(crate) fn explain(&mut self, request: &Request) -> wasmtime::Result<Explained> {
        self.start_deadline();
        let policy = self.component.portcullis_policy_authorizer().policy();
        let lists = Lists::from(request);
        let explanation = policy.call_explain(&mut self.store, self.policy, convert::request(request, &lists))?;
        Ok(explanation.into())
    }

    pub(crate) fn validate(
        &mut self,
        schema: &str,
        document: &[u8],
        options: &ValidateOptions<'_>,
    ) -> wasmtime::Result<Result<Report, ValidateError>> {
        self.start_deadline();
        let validator = self.component.portcullis_policy_validator();
        let report = validator.call_validate(&mut self.store, self.policy, schema, document, options.into())?;
        Ok(report.map(Report::from).map_err(ValidateError::from))
    }

    pub(crate) fn revision(&mut self) -> wasmtime::Result<u64> {
        self.start_deadline();
        self.component.portcullis_policy_authorizer().policy().call_revision(&mut self.store, self.policy)
    }

    fn start_deadline(&mut self) {
        self.store.set_epoch_deadline(epochs(self.call_deadline));
    }
}
