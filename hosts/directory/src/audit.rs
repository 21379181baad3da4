//! Who changed what, written in the transaction that changed it.

mod query;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::entities::audit_entries;
use crate::{Directory, EdgeName, PageSize, StoreError, TenantId, UnixSeconds, UserId};

pub use query::{AuditCursor, AuditFilter};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Setup,
    CreateUser,
    UpdateUser,
    DeleteUser,
    IssueToken,
    RevokeTokens,
    RevokeUser,
    StoreDocument,
    StoreCandidate,
    RemoveCandidate,
    CreateEdge,
    IssueEdgeToken,
    DeleteEdge,
    CreateRecord,
    UpdateRecord,
    DeleteRecord,
    SetPassword,
    SetTotp,
    CreateServiceAccount,
    UpdateServiceAccount,
    DeleteServiceAccount,
    CreateKey,
    UpdateKey,
    DeleteKey,
    AddSigningKey,
    CreateTenant,
    OfferToken,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Grows with time.
    pub id: i64,
    pub at: UnixSeconds,
    pub who: String,
    /// `Action::name`.
    pub action: String,
    /// `user/ID`, `user/ID/label/NUMBER`, `policy/TENANT`, `edge/TENANT/NAME` and the like.
    pub object: String,
    /// Of the object after the change; 0 for what has none.
    pub revision: u64,
}

/// What an entry is about.
pub(crate) enum Object<'a> {
    User(&'a UserId),
    Policy(&'a TenantId),
    Edge(&'a TenantId, &'a EdgeName),
    Record {
        owner: &'a str,
        kind: &'static str,
        id: i64,
    },
    ServiceAccount(&'a str),
    Key {
        holder: &'a str,
        kid: &'a str,
    },
    SigningKey(&'a str),
    /// By its purpose.
    OneTimeToken(&'a str),
}

// === impl Action ===

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::CreateUser => "user.create",
            Self::UpdateUser => "user.update",
            Self::DeleteUser => "user.delete",
            Self::IssueToken => "token.issue",
            Self::RevokeTokens => "token.revoke",
            Self::RevokeUser => "user.revoke",
            Self::StoreDocument => "policy.store",
            Self::StoreCandidate => "candidate.store",
            Self::RemoveCandidate => "candidate.remove",
            Self::CreateEdge => "edge.create",
            Self::IssueEdgeToken => "edge.token",
            Self::DeleteEdge => "edge.delete",
            Self::CreateRecord => "record.create",
            Self::UpdateRecord => "record.update",
            Self::DeleteRecord => "record.delete",
            Self::SetPassword => "user.password",
            Self::SetTotp => "user.totp",
            Self::CreateServiceAccount => "service_account.create",
            Self::UpdateServiceAccount => "service_account.update",
            Self::DeleteServiceAccount => "service_account.delete",
            Self::CreateKey => "api_key.create",
            Self::UpdateKey => "api_key.update",
            Self::DeleteKey => "api_key.delete",
            Self::AddSigningKey => "signing_key.add",
            Self::CreateTenant => "tenant.create",
            Self::OfferToken => "one_time_token.offer",
        }
    }
}

// === impl AuditEntry ===

impl AuditEntry {
    /// The user whose own row was changed or deleted.
    pub fn changed_user(&self) -> Option<UserId> {
        let is_change = [Action::UpdateUser, Action::DeleteUser].iter().any(|action| action.name() == self.action);
        let id = self.object.strip_prefix("user/").filter(|_| is_change)?;
        UserId::parse(id).ok()
    }
}

// === impl Directory ===

impl Directory {
    /// Number of the newest entry; 0 before the first.
    pub async fn last_audit_entry(&self) -> Result<i64, StoreError> {
        let newest = audit_entries::Entity::find().order_by_desc(audit_entries::Column::Id).limit(1).one(&self.db);
        Ok(newest.await?.map_or(0, |entry| entry.id))
    }

    /// The trail in the order it was written, after entry `after`.
    ///
    /// INVARIANT: entries are written by writes that take turns, so that none becomes visible after one with a higher
    /// number. Whoever has seen an entry has seen all before it.
    pub async fn audit_entries(&self, after: Option<i64>, limit: PageSize) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = audit_entries::Entity::find()
            .filter(audit_entries::Column::Id.gt(after.unwrap_or(0)))
            .order_by_asc(audit_entries::Column::Id)
            .limit(limit.get())
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }
}

/// Adds an entry to the transaction `write`.
pub(crate) async fn record(
    write: &impl ConnectionTrait,
    who: &UserId,
    action: Action,
    object: Object<'_>,
    revision: i64,
    at: UnixSeconds,
) -> Result<(), DbErr> {
    let entry = audit_entries::ActiveModel {
        at: Set(at.to_column()),
        who: Set(who.to_string()),
        action: Set(action.name().to_owned()),
        object: Set(match object {
            Object::User(id) => format!("user/{id}"),
            Object::Policy(tenant) => format!("policy/{tenant}"),
            Object::Edge(tenant, name) => format!("edge/{tenant}/{name}"),
            Object::Record { owner, kind, id } => format!("user/{owner}/{kind}/{id}"),
            Object::ServiceAccount(uid) => format!("service_account/{uid}"),
            Object::Key { holder, kid } => format!("user/{holder}/api_key/{kid}"),
            Object::SigningKey(kid) => format!("signing_key/{kid}"),
            Object::OneTimeToken(purpose) => format!("one_time_token/{purpose}"),
        }),
        revision: Set(revision),
        ..Default::default()
    };
    audit_entries::Entity::insert(entry).exec_without_returning(write).await?;
    Ok(())
}

impl From<audit_entries::Model> for AuditEntry {
    fn from(row: audit_entries::Model) -> Self {
        let audit_entries::Model { id, at, who, action, object, revision } = row;
        let revision = u64::try_from(revision).unwrap_or(0);
        Self { id, at: UnixSeconds::from_column(at), who, action, object, revision }
    }
}
