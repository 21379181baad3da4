//! The policy component in wasmtime, as a typed Rust API.
//!
//! A `Runtime` compiles the component once. A `PolicySlot` holds a pool of instances with one bundle opened in each;
//! `prepare` and `install` swap the bundle while decisions go on. Whatever goes wrong inside an instance is a deny
//! `policy_unavailable`, or no report, and the end of that instance. `NativePolicy` answers the same questions by the linked core.

#[cfg(feature = "component")]
mod convert;
mod decision;
mod encoded;
#[cfg(feature = "component")]
mod instance;
mod json;
mod native;
#[cfg(feature = "component")]
mod pool;
mod report;
mod request;
#[cfg(feature = "component")]
mod runtime;
#[cfg(feature = "component")]
mod slot;

pub use decision::{Decision, Explained, Explanation, NearMiss, Obligation, StageReport};
pub use encoded::{EncodedDecisions, EncodedRequests, encode};
pub use json::RequestError;
pub use native::NativePolicy;
pub use portcullis_core::wire::EncodedDecision;
pub use portcullis_core::{
    Check, Credential, Effect, OpenError, Reason, Stage, StageOutcome, ValidateOptions, Verdict,
};
pub use report::{Report, ValidateError, Violation};
pub use request::{Request, Subject, Target};
#[cfg(feature = "component")]
pub use runtime::{Limits, Runtime, RuntimeError};
#[cfg(feature = "component")]
pub use slot::{PolicySlot, PrepareError, Prepared};
