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
mod newest;
mod store;
mod write;

mod change;
mod records;

mod accounts;
mod activities;
mod audit;
mod candidates;
mod credentials;
mod decision_log;
mod documents;
mod edges;
mod entries;
mod figures;
mod keys;
mod known;
mod once;
mod publish;
mod revocations;
mod sessions;
mod setup;
mod signing_keys;
mod tenants;
mod tokens;
mod users;

pub use accounts::{Account, AccountChange, AccountColumn, AccountRow, Details, Username};
pub use activities::{Activity, ActivityColumn, NewActivity};
pub use audit::{Action, AuditCursor, AuditEntry, AuditFilter};
pub use candidates::Candidate;
pub use change::{Change, ChangeError};
pub use credentials::Credentials;
pub use decision_log::{DecisionRecord, Gap, GapCursor, RecordBatch, RecordCursor, RecordFilter, Shadow, StoredRecord};
pub use documents::{AppendError, Document, NewDocument, Revision, RevisionInfo};
pub use edges::{Edge, EdgeError, EdgeId, EdgeToken, Rotation};
pub use entries::{PolicyEntry, PolicyEntryColumn, PolicyEntryRow};
pub use figures::{Backlog, Connections};
pub use ids::{EdgeName, Email, GroupName, NameError, RoleName, TenantId, TokenLabel, UserId, UserState, WorkerName};
pub use keys::{
    ACTIVE_KEY, ApiKey, ApiKeyColumn, Holder, HolderKind, INACTIVE_KEY, NewApiKey, ServiceAccount,
    ServiceAccountColumn, ServiceAccountDraft,
};
pub use once::{AttemptKey, NonceUse, OneTimeToken, PASSWORD_RESET};
pub use records::{
    ColumnOf, Comment, CommentColumn, CommentDraft, DataStorage, DataStorageColumn, DataStorageDraft, Direction, Find,
    Label, LabelColumn, LabelDraft, Listed, Phone, PhoneColumn, PhoneDraft, Profile, ProfileColumn, ProfileDraft,
    Record, UserDocument, UserDocumentColumn, UserDocumentDraft,
};
pub use revocations::Revocation;
pub use sessions::{LogOut, Proven, Session};
pub use setup::{FirstUser, SetupError};
pub use signing_keys::{NewSigningKey, SigningKeyRow};
pub use store::{Directory, Location, PageSize, StoreError};
pub use time::{UnixSeconds, When};
pub use tokens::{AccessToken, IssueTokenError, SecretHash};
pub use users::{
    CreateUserError, GroupSet, NameSet, NewUser, RoleSet, TooManyRoles, UpdateUserError, User, UserChange,
};

#[cfg(test)]
mod tests;
