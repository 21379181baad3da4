//! Decides: an opened policy and the facts of one request become a decision.
//!
//! In: `Policy` (verified bytes, read in place), `Request` (borrowed facts), `Scratch` (reused buffers).
//! Out: `Decision`, always. Never: I/O, a clock, randomness, a panic, an allocation per rule.
//! The order of evaluation is in `decide`; what a path is, in `canonical`.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod canonical;
mod condition;
mod decide;
mod decision;
mod explain;
mod governing;
mod hits;
mod host;
mod http;
pub mod json;
mod path;
mod patterns;
mod principals;
mod properties;
mod request;
mod restrict;
mod route;
mod sort;
mod validate;
pub mod wire;

pub use canonical::{Malformed, canonicalize};
pub use condition::{Outcome, condition_outcome, is_time_zone, reads_as};
pub use decide::{Scratch, decide};
pub use decision::{Decision, Effect, Obligation, Obligations, RuleId, Rules};
pub use explain::{Check, Explanation, NearMiss, Stage, StageOutcome, explain};
pub use host::Host;
pub use http::is_method;
pub use portcullis_bundle::{Admission, KeyId, OpenError, Policy, PublicKey, Reason, TenantId, limits};
pub use request::{Credential, Names, Properties, Request, Subject, Target};
pub use validate::{
    BodyCheck, Keyword, Param, Report, ValidateOptions, ValidateScratch, Verdict, Violation, body_check, normalizes,
    validate,
};
