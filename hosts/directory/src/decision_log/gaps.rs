//! Which numbers of a worker never came: kept up to date with each batch, so that asking costs nothing.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{RecordBatch, column};
use crate::entities::{decision_gaps, decision_workers};
use crate::users::stored;
use crate::{Directory, PageSize, StoreError, TenantId, UnixSeconds, WorkerName};

/// Numbers `first..=last` of a worker are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub sender: String,
    pub worker: WorkerName,
    pub first: u64,
    pub last: u64,
    /// When the first later record came.
    pub found_at: UnixSeconds,
    /// How many records the worker says it dropped, in total; what is missing beyond these was lost on the way.
    pub dropped: u64,
}

/// The gap after which a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapCursor {
    pub sender: String,
    pub worker: WorkerName,
    pub first: u64,
}

impl Directory {
    /// Gaps of the tenant by sender, worker and number.
    pub async fn gaps(
        &self,
        tenant: &TenantId,
        after: Option<&GapCursor>,
        limit: PageSize,
    ) -> Result<Vec<Gap>, StoreError> {
        use decision_gaps::Column;
        let mut select = decision_gaps::Entity::find().filter(Column::Tenant.eq(tenant.as_str()));
        if let Some(GapCursor { sender, worker, first }) = after {
            let same_sender = Condition::all().add(Column::Sender.eq(sender.as_str()));
            let same_worker = same_sender.clone().add(Column::Worker.eq(worker.as_str()));
            let later = Condition::any()
                .add(Column::Sender.gt(sender.as_str()))
                .add(same_sender.add(Column::Worker.gt(worker.as_str())))
                .add(same_worker.add(Column::First.gt(column(*first))));
            select = select.filter(later);
        }
        for order in [Column::Sender, Column::Worker, Column::First] {
            select = select.order_by_asc(order);
        }
        let rows = select.limit(limit.get()).all(&self.db).await?;
        let mut gaps = Vec::with_capacity(rows.len());
        for row in rows {
            let worker = worker(&self.db, &row.tenant, &row.sender, &row.worker).await?;
            gaps.push(gap(row, worker.map_or(0, |worker| worker.dropped))?);
        }
        Ok(gaps)
    }
}

/// Adds to the transaction `write` that the batch, whose last number is `last`, came.
pub(super) async fn advance(write: &impl ConnectionTrait, batch: &RecordBatch, last: u64) -> Result<(), DbErr> {
    let (first, last) = (column(batch.first), column(last));
    let RecordBatch { tenant, sender, worker: name, received_at, .. } = batch;
    let known = worker(write, tenant.as_str(), sender, name.as_str()).await?;
    let (highest, dropped) = known.map_or((0, 0), |known| (known.highest, known.dropped));
    if first > highest.saturating_add(1) {
        insert_gap(write, batch, highest.saturating_add(1), first.saturating_sub(1), received_at.to_column()).await?;
    } else if first <= highest {
        fill(write, batch, first, last).await?;
    }
    let row = decision_workers::ActiveModel {
        tenant: Set(tenant.to_string()),
        sender: Set(sender.clone()),
        worker: Set(name.to_string()),
        highest: Set(highest.max(last)),
        dropped: Set(dropped.max(column(batch.dropped))),
        seen_at: Set(received_at.to_column()),
    };
    use decision_workers::Column;
    let replace = OnConflict::columns([Column::Tenant, Column::Sender, Column::Worker])
        .update_columns([Column::Highest, Column::Dropped, Column::SeenAt])
        .to_owned();
    decision_workers::Entity::insert(row).on_conflict(replace).exec_without_returning(write).await?;
    Ok(())
}

/// Numbers `first..=last` are no longer missing.
async fn fill(write: &impl ConnectionTrait, batch: &RecordBatch, first: i64, last: i64) -> Result<(), DbErr> {
    use decision_gaps::Column;
    let overlapping = decision_gaps::Entity::find()
        .filter(Column::Tenant.eq(batch.tenant.as_str()))
        .filter(Column::Sender.eq(batch.sender.as_str()))
        .filter(Column::Worker.eq(batch.worker.as_str()))
        .filter(Column::First.lte(last))
        .filter(Column::Last.gte(first))
        .all(write)
        .await?;
    for gap in overlapping {
        let id = (gap.tenant, gap.sender, gap.worker, gap.first);
        decision_gaps::Entity::delete_by_id(id).exec(write).await?;
        if gap.first < first {
            insert_gap(write, batch, gap.first, first.saturating_sub(1), gap.found_at).await?;
        }
        if gap.last > last {
            insert_gap(write, batch, last.saturating_add(1), gap.last, gap.found_at).await?;
        }
    }
    Ok(())
}

async fn insert_gap(
    write: &impl ConnectionTrait,
    batch: &RecordBatch,
    first: i64,
    last: i64,
    found_at: i64,
) -> Result<(), DbErr> {
    let row = decision_gaps::ActiveModel {
        tenant: Set(batch.tenant.to_string()),
        sender: Set(batch.sender.clone()),
        worker: Set(batch.worker.to_string()),
        first: Set(first),
        last: Set(last),
        found_at: Set(found_at),
    };
    decision_gaps::Entity::insert(row).exec_without_returning(write).await?;
    Ok(())
}

async fn worker(
    db: &impl ConnectionTrait,
    tenant: &str,
    sender: &str,
    worker: &str,
) -> Result<Option<decision_workers::Model>, DbErr> {
    let id = (tenant.to_owned(), sender.to_owned(), worker.to_owned());
    decision_workers::Entity::find_by_id(id).one(db).await
}

fn gap(row: decision_gaps::Model, dropped: i64) -> Result<Gap, DbErr> {
    let decision_gaps::Model { tenant: _, sender, worker, first, last, found_at } = row;
    Ok(Gap {
        sender,
        worker: WorkerName::parse(&worker).map_err(stored)?,
        first: first.unsigned_abs(),
        last: last.unsigned_abs(),
        found_at: UnixSeconds::from_column(found_at),
        dropped: dropped.unsigned_abs(),
    })
}
