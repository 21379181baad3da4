//! The directory: who exists, what they hold, and the policy document of the tenant.
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
mod documents;
mod setup;
mod tokens;
mod users;

pub use audit::{Action, AuditEntry};
pub use documents::{AppendError, Document, NewDocument, Revision, RevisionInfo};
pub use ids::{NameError, RoleName, TenantId, TokenLabel, UserId, UserState};
pub use setup::{FirstUser, SetupError};
pub use store::{Directory, Location, PageSize, StoreError};
pub use time::UnixSeconds;
pub use tokens::{AccessToken, IssueTokenError, SecretHash};
pub use users::{CreateUserError, NewUser, RoleSet, TooManyRoles, UpdateUserError, User, UserChange};

#[cfg(test)]
mod tests;
