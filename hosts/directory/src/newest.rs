//! Rows that are listed newest first, page by page; ids tell apart what happened at the same time.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

/// A page of at most `limit`, from the newest row on or behind the one of this time and id.
pub(crate) fn newest_first<E: EntityTrait>(
    rows: Select<E>,
    (time, id): (E::Column, E::Column),
    before: Option<(i64, i64)>,
    limit: u64,
) -> Select<E> {
    let is_before = |(at, last): (i64, i64)| {
        let same_time = Condition::all().add(time.eq(at)).add(id.lt(last));
        Condition::any().add(time.lt(at)).add(same_time)
    };
    rows.filter(before.map_or_else(Condition::all, is_before)).order_by_desc(time).order_by_desc(id).limit(limit)
}
