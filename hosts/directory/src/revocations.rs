//! Which tokens no longer count: for a subject a time, and whatever was issued before it is void.
//!
//! Users of the directory are users of every tenant, so each tenant gets the entry, under a number of its own that
//! grows with each change. Edges ask for what changed after the number they know.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::audit::{Action, Object};
use crate::entities::{revocations, tenants};
use crate::tokens::revoke_all;
use crate::users::{find_row, stored};
use crate::{Directory, StoreError, TenantId, UnixSeconds, UserId, When};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub subject: UserId,
    /// Tokens issued before this are void.
    pub not_before: UnixSeconds,
    /// Of the change, from 1.
    pub number: u64,
}

impl Directory {
    /// Number of the tenant's last revocation; 0 when there was none.
    pub async fn last_revocation(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let row = tenants::Entity::find_by_id(tenant.to_string()).one(&self.db).await?;
        Ok(row.map_or(0, |row| row.revocations.unsigned_abs()))
    }

    /// Revocations after number `since`, oldest change first, at most `limit`.
    pub async fn revocations(&self, tenant: &TenantId, since: u64, limit: u64) -> Result<Vec<Revocation>, StoreError> {
        let rows = revocations::Entity::find()
            .filter(revocations::Column::Tenant.eq(tenant.as_str()))
            .filter(revocations::Column::Number.gt(i64::try_from(since).unwrap_or(i64::MAX)))
            .order_by_asc(revocations::Column::Number)
            .limit(limit)
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(revocation).collect::<Result<_, DbErr>>()?)
    }

    /// Voids every token of the subject issued until `at`, those of this directory too, and ends its sessions. Nobody
    /// needs to be known under that id: tokens may come from elsewhere.
    pub async fn revoke_subject(&self, id: &UserId, by: &UserId, at: impl When) -> Result<UnixSeconds, StoreError> {
        let change = self.change(by, at).await?;
        let revision = find_row(&change.write, id).await?.map_or(0, |row| row.revision);
        revoke_all(&change.write, id, change.at).await?;
        change.end_sessions(id, None).await?;
        let not_before = record(&change.write, id, change.at).await?;
        change.audit(Action::RevokeUser, Object::User(id), revision).await?;
        change.commit().await?;
        Ok(not_before)
    }

    /// Forgets revocations of tokens that have expired: those with a `not_before` until `until`.
    pub async fn drop_revocations(&self, until: UnixSeconds) -> Result<(), StoreError> {
        revocations::Entity::delete_many()
            .filter(revocations::Column::NotBefore.lte(until.to_column()))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

/// Adds to the transaction `write` that tokens of `subject` issued until `at` are void; a later time than that wins.
pub(crate) async fn record(
    write: &impl ConnectionTrait,
    subject: &UserId,
    at: UnixSeconds,
) -> Result<UnixSeconds, DbErr> {
    // A token of the same second may be older than this write.
    let not_before = UnixSeconds(at.0.saturating_add(1));
    for tenant in tenants::Entity::find().all(write).await? {
        let known = revocations::Entity::find_by_id((tenant.name.clone(), subject.to_string())).one(write).await?;
        if known.is_some_and(|known| known.not_before >= not_before.to_column()) {
            continue;
        }
        let number = tenant.revocations.saturating_add(1);
        tenants::Entity::update_many()
            .col_expr(tenants::Column::Revocations, Expr::value(number))
            .filter(tenants::Column::Name.eq(tenant.name.as_str()))
            .exec(write)
            .await?;
        let row = revocations::ActiveModel {
            tenant: Set(tenant.name),
            subject: Set(subject.to_string()),
            not_before: Set(not_before.to_column()),
            number: Set(number),
        };
        let replace = OnConflict::columns([revocations::Column::Tenant, revocations::Column::Subject])
            .update_columns([revocations::Column::NotBefore, revocations::Column::Number])
            .to_owned();
        revocations::Entity::insert(row).on_conflict(replace).exec_without_returning(write).await?;
    }
    Ok(not_before)
}

fn revocation(row: revocations::Model) -> Result<Revocation, DbErr> {
    let revocations::Model { tenant: _, subject, not_before, number } = row;
    Ok(Revocation {
        subject: UserId::parse(&subject).map_err(stored)?,
        not_before: UnixSeconds::from_column(not_before),
        number: number.unsigned_abs(),
    })
}
