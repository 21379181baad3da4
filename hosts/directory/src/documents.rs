//! The policy document of a tenant and all its revisions, as typed by people.

use std::fmt;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::audit::{self, Action, Object};
use crate::entities::{policy_documents, tenants};
use crate::entries::{self, PolicyEntry};
use crate::publish;
use crate::sessions::{self, LogOut};
use crate::users::stored;
use crate::{Directory, PageSize, StoreError, TenantId, UnixSeconds, UserId};

/// Counts the policy documents of a tenant: 1..=2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub(crate) i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// The revision this document follows; `None` is the first one.
    pub follows: Option<Revision>,
    pub text: String,
    /// As it is to be answered in `content-type`.
    pub media_type: String,
    /// SHA-256 of the bundle that was compiled from it.
    pub digest: [u8; 32],
    /// What it consists of.
    pub entries: Vec<PolicyEntry>,
    pub created_at: UnixSeconds,
    /// Who may no longer log in by it.
    pub logs_out: Option<LogOut>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub text: String,
    pub media_type: String,
    pub info: RevisionInfo,
}

/// A revision without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionInfo {
    pub revision: Revision,
    pub created_at: UnixSeconds,
    pub author: UserId,
    pub digest: [u8; 32],
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another document came first.
    #[error("the document does not follow the current revision")]
    Conflict { current: Option<Revision> },
    #[error("there is no tenant of this name")]
    NoTenant,
    #[error(transparent)]
    Store(#[from] StoreError),
}

type InfoRow = (i64, i64, String, Vec<u8>);

// === impl Revision ===

impl Revision {
    pub const FIRST: Self = Self(1);
    /// Of a policy that is not in force; below that of any that is.
    pub const CANDIDATE: Self = Self(0);

    pub fn new(revision: u64) -> Option<Self> {
        i64::try_from(revision).ok().and_then(Self::from_column)
    }

    pub fn get(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// The revision of a document that follows `current`.
    pub fn after(current: Option<Self>) -> Self {
        current.map_or(Self::FIRST, |Self(current)| Self(current.saturating_add(1)))
    }

    /// 0 is how the tenant's row says that there is none.
    pub(crate) fn from_column(column: i64) -> Option<Self> {
        (column > 0).then_some(Self(column))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Directory ===

impl Directory {
    pub async fn has_tenant(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        Ok(tenants::Entity::find_by_id(tenant.to_string()).one(&self.db).await?.is_some())
    }

    /// Revision of the tenant's newest document; `None` when there is no document, or no tenant.
    pub async fn current_revision(&self, tenant: &TenantId) -> Result<Option<Revision>, StoreError> {
        let row = tenants::Entity::find_by_id(tenant.to_string()).one(&self.db).await?;
        Ok(row.and_then(|row| Revision::from_column(row.revision)))
    }

    /// The tenant's newest document.
    pub async fn document(&self, tenant: &TenantId) -> Result<Option<Document>, StoreError> {
        let row = policy_documents::Entity::find()
            .filter(policy_documents::Column::Tenant.eq(tenant.as_str()))
            .order_by_desc(policy_documents::Column::Revision)
            .limit(1)
            .one(&self.db)
            .await?;
        Ok(row.map(document).transpose()?)
    }

    /// Revisions of the tenant's document, newest first, older than `before`.
    pub async fn revisions(
        &self,
        tenant: &TenantId,
        before: Option<Revision>,
        limit: PageSize,
    ) -> Result<Vec<RevisionInfo>, StoreError> {
        let mut select = policy_documents::Entity::find()
            .select_only()
            .columns([
                policy_documents::Column::Revision,
                policy_documents::Column::CreatedAt,
                policy_documents::Column::Author,
                policy_documents::Column::Digest,
            ])
            .filter(policy_documents::Column::Tenant.eq(tenant.as_str()));
        if let Some(before) = before {
            select = select.filter(policy_documents::Column::Revision.lt(before.0));
        }
        let rows: Vec<InfoRow> = select
            .order_by_desc(policy_documents::Column::Revision)
            .limit(limit.get())
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(info).collect::<Result<_, DbErr>>()?)
    }

    /// Stores the next document of the tenant.
    pub async fn append_document(
        &self,
        tenant: &TenantId,
        new: NewDocument,
        by: &UserId,
    ) -> Result<Revision, AppendError> {
        let revision = Revision::after(new.follows);
        let write = self.write().await.map_err(StoreError)?;
        advance(&write, tenant, new.follows, revision).await?;
        let row = policy_documents::ActiveModel {
            tenant: Set(tenant.to_string()),
            revision: Set(revision.0),
            text: Set(new.text),
            media_type: Set(new.media_type),
            created_at: Set(new.created_at.to_column()),
            author: Set(by.to_string()),
            digest: Set(new.digest.to_vec()),
        };
        policy_documents::Entity::insert(row).exec_without_returning(&write).await.map_err(StoreError)?;
        audit::record(&write, by, Action::StoreDocument, Object::Policy(tenant), revision.0, new.created_at)
            .await
            .map_err(StoreError)?;
        entries::follow(&write, tenant, &new.entries, new.created_at).await.map_err(StoreError)?;
        if let Some(who) = new.logs_out {
            sessions::log_out(&write, who).await.map_err(StoreError)?;
        }
        publish::request(&write, tenant, revision).await.map_err(StoreError)?;
        write.commit().await.map_err(StoreError)?;
        Ok(revision)
    }
}

/// Moves the tenant from revision `from` to `to`, if that is where it is.
async fn advance(
    write: &impl ConnectionTrait,
    tenant: &TenantId,
    from: Option<Revision>,
    to: Revision,
) -> Result<(), AppendError> {
    let moved = tenants::Entity::update_many()
        .col_expr(tenants::Column::Revision, Expr::value(to.0))
        .filter(tenants::Column::Name.eq(tenant.as_str()))
        .filter(tenants::Column::Revision.eq(from.map_or(0, |from| from.0)))
        .exec(write)
        .await
        .map_err(StoreError)?;
    if moved.rows_affected == 1 {
        return Ok(());
    }
    match tenants::Entity::find_by_id(tenant.to_string()).one(write).await.map_err(StoreError)? {
        Some(row) => Err(AppendError::Conflict { current: Revision::from_column(row.revision) }),
        None => Err(AppendError::NoTenant),
    }
}

fn document(row: policy_documents::Model) -> Result<Document, DbErr> {
    let policy_documents::Model { tenant: _, revision, text, media_type, created_at, author, digest } = row;
    Ok(Document { text, media_type, info: info((revision, created_at, author, digest))? })
}

fn info((revision, created_at, author, digest): InfoRow) -> Result<RevisionInfo, DbErr> {
    Ok(RevisionInfo {
        revision: Revision::from_column(revision).ok_or_else(|| DbErr::Type(format!("revision is {revision}")))?,
        created_at: UnixSeconds::from_column(created_at),
        author: UserId::parse(&author).map_err(stored)?,
        digest: digest.try_into().map_err(|_| DbErr::Type("digest is not 32 bytes".to_owned()))?,
    })
}
