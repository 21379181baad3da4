//! Forgets what edges decided: what is too old, and the oldest when there is too much.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::column;
use crate::entities::decision_gaps;
use crate::entities::decision_records::{self, Column};
use crate::{Directory, StoreError, TenantId, UnixSeconds};

/// Records that one transaction removes, so that those who write never wait long.
const AT_ONCE: u64 = 5_000;

impl Directory {
    /// Removes the tenant's records from before `since`, and of the rest all but the newest `most`; answers how many. Gaps
    /// found before `since` go with them.
    pub async fn forget_records(&self, tenant: &TenantId, since: UnixSeconds, most: u64) -> Result<u64, StoreError> {
        let of_tenant = || Condition::all().add(Column::Tenant.eq(tenant.as_str()));
        let mut forgotten =
            self.forget(of_tenant().add(Column::TimeMs.lt(column(since.0.saturating_mul(1_000))))).await?;
        let first_too_many = decision_records::Entity::find()
            .filter(of_tenant())
            .order_by_desc(Column::TimeMs)
            .order_by_desc(Column::Id)
            .offset(most)
            .limit(1)
            .one(&self.db)
            .await?;
        if let Some(first_too_many) = first_too_many {
            let same_time =
                Condition::all().add(Column::TimeMs.eq(first_too_many.time_ms)).add(Column::Id.lte(first_too_many.id));
            let older = Condition::any().add(Column::TimeMs.lt(first_too_many.time_ms)).add(same_time);
            forgotten = forgotten.saturating_add(self.forget(of_tenant().add(older)).await?);
        }
        decision_gaps::Entity::delete_many()
            .filter(decision_gaps::Column::Tenant.eq(tenant.as_str()))
            .filter(decision_gaps::Column::FoundAt.lt(since.to_column()))
            .exec(&self.db)
            .await?;
        Ok(forgotten)
    }

    async fn forget(&self, which: Condition) -> Result<u64, StoreError> {
        let mut forgotten = 0_u64;
        loop {
            let ids = decision_records::Entity::find().select_only().column(Column::Id).filter(which.clone());
            let ids: Vec<i64> = ids.limit(AT_ONCE).into_tuple().all(&self.db).await?;
            if ids.is_empty() {
                return Ok(forgotten);
            }
            let write = self.write().await?;
            let removed = decision_records::Entity::delete_many().filter(Column::Id.is_in(ids)).exec(&write).await?;
            write.commit().await?;
            forgotten = forgotten.saturating_add(removed.rows_affected);
        }
    }
}
