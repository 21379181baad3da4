//! A policy document that edges evaluate beside the one in force: at most one per tenant, replaced or removed as a whole.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::audit::{self, Action, Object};
use crate::entities::policy_candidates::{self, Column};
use crate::{Directory, StoreError, TenantId, UnixSeconds, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub text: String,
    /// As it is to be answered in `content-type`.
    pub media_type: String,
    pub created_at: UnixSeconds,
}

impl Directory {
    pub async fn candidate(&self, tenant: &TenantId) -> Result<Option<Candidate>, StoreError> {
        let row = policy_candidates::Entity::find_by_id(tenant.to_string()).one(&self.db).await?;
        Ok(row.map(|policy_candidates::Model { tenant: _, text, media_type, created_at }| Candidate {
            text,
            media_type,
            created_at: UnixSeconds::from_column(created_at),
        }))
    }

    /// Replaces the one before, if there is one.
    pub async fn put_candidate(&self, tenant: &TenantId, new: Candidate, by: &UserId) -> Result<(), StoreError> {
        let Candidate { text, media_type, created_at } = new;
        let row = policy_candidates::ActiveModel {
            tenant: Set(tenant.to_string()),
            text: Set(text),
            media_type: Set(media_type),
            created_at: Set(created_at.to_column()),
        };
        let columns = [Column::Text, Column::MediaType, Column::CreatedAt];
        let replace = OnConflict::column(Column::Tenant).update_columns(columns).to_owned();
        let write = self.write().await?;
        policy_candidates::Entity::insert(row).on_conflict(replace).exec_without_returning(&write).await?;
        audit::record(&write, by, Action::StoreCandidate, Object::Policy(tenant), 0, created_at).await?;
        Ok(write.commit().await?)
    }

    /// False when there is none.
    pub async fn remove_candidate(&self, tenant: &TenantId, by: &UserId, at: UnixSeconds) -> Result<bool, StoreError> {
        let write = self.write().await?;
        let removed = policy_candidates::Entity::delete_by_id(tenant.to_string()).exec(&write).await?;
        if removed.rows_affected == 0 {
            return Ok(false);
        }
        audit::record(&write, by, Action::RemoveCandidate, Object::Policy(tenant), 0, at).await?;
        write.commit().await?;
        Ok(true)
    }
}
