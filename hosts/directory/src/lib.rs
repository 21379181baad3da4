//! The directory: who exists, what they hold, the policy document of each tenant, and what its edges tell.
//!
//! In: typed ids, the time and hashes of secrets, all from the caller. Out: rows, or an error that names what was wrong.
//! Every write is one transaction that holds the row and its audit entry.
//! Never: a clock, randomness, a secret in clear text, a decision.
#![forbid(unsafe_code)]

mod ids;
mod time;

mod entities;
mod migration;
mod store;

mod audit;
mod candidates;
mod decision_log;
mod documents;
mod edges;
mod publish;
mod revocations;
mod setup;
mod tokens;
mod users;

pub use audit::{Action, AuditEntry};
pub use candidates::Candidate;
pub use decision_log::{DecisionRecord, Gap, GapCursor, RecordBatch, RecordCursor, RecordFilter, Shadow, StoredRecord};
pub use documents::{AppendError, Document, NewDocument, Revision, RevisionInfo};
pub use edges::{Edge, EdgeError, EdgeId, EdgeToken, Rotation};
pub use ids::{EdgeName, NameError, RoleName, TenantId, TokenLabel, UserId, UserState, WorkerName};
pub use revocations::Revocation;
pub use setup::{FirstUser, SetupError};
pub use store::{Directory, Location, PageSize, StoreError};
pub use time::UnixSeconds;
pub use tokens::{AccessToken, IssueTokenError, SecretHash};
pub use users::{CreateUserError, NewUser, RoleSet, TooManyRoles, UpdateUserError, User, UserChange};

#[cfg(test)]
mod tests;
