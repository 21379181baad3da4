//! What design/decision.md says, in loops. Slow on purpose, never optimised, shares no code with the core.

mod cache;
mod conditions;
mod decide;
mod document;
mod facts;
mod paths;
mod properties;
mod restrictions;
mod routes;
mod targets;

pub use decide::{Revocation, decide};
pub use document::{
    Document, Group, Level, Path, ResourceTarget, Restriction, Role, Route, RoutePath, Rule, SubjectPolicy, Target, Who,
};
