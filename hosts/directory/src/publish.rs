//! The outbox: a stored document asks for its publication in the same transaction, and whoever published says so.
//!
//! A job holds the tenant and a revision, never a bundle: doing it twice, or doing it for a newer document, is harmless.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::entities::publish_jobs;
use crate::{Directory, Revision, StoreError, TenantId};

impl Directory {
    /// The revision that is stored and not yet published; `None` when all is done.
    pub async fn publish_job(&self, tenant: &TenantId) -> Result<Option<Revision>, StoreError> {
        let row = publish_jobs::Entity::find_by_id(tenant.to_string()).one(&self.db).await?;
        Ok(row.and_then(|row| Revision::from_column(row.revision)))
    }

    /// `revision` is published; a job for a newer one stays.
    pub async fn finish_publish_job(&self, tenant: &TenantId, revision: Revision) -> Result<(), StoreError> {
        publish_jobs::Entity::delete_many()
            .filter(publish_jobs::Column::Tenant.eq(tenant.as_str()))
            .filter(publish_jobs::Column::Revision.lte(revision.0))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

/// Adds the job to the transaction `write`.
pub(crate) async fn request(write: &impl ConnectionTrait, tenant: &TenantId, revision: Revision) -> Result<(), DbErr> {
    let job = publish_jobs::ActiveModel { tenant: Set(tenant.to_string()), revision: Set(revision.0) };
    let replace =
        OnConflict::column(publish_jobs::Column::Tenant).update_column(publish_jobs::Column::Revision).to_owned();
    publish_jobs::Entity::insert(job).on_conflict(replace).exec_without_returning(write).await?;
    Ok(())
}
