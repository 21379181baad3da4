//! Looking records up: newest first, page by page.

use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait as _, QueryFilter};

use super::{DecisionRecord, Shadow, column, rule_in_column, rules};
use crate::entities::decision_records::{self, Column};
use crate::newest::newest_first;
use crate::{Directory, StoreError, TenantId};

/// Which records are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Milliseconds since 1970-01-01 UTC, itself included.
    pub from_ms: Option<u64>,
    /// The same, not included.
    pub until_ms: Option<u64>,
    pub subject: Option<String>,
    pub effect: Option<String>,
    /// Id of a rule that decided.
    pub rule: Option<String>,
    pub path_prefix: Option<String>,
    pub kind: Option<String>,
}

/// The record before which (in the order of the answer: after which) a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordCursor {
    pub time_ms: u64,
    pub id: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub id: i64,
    pub sender: String,
    pub worker: String,
    pub number: u64,
    pub record: DecisionRecord,
}

impl StoredRecord {
    pub fn cursor(&self) -> RecordCursor {
        RecordCursor { time_ms: self.record.time_ms, id: self.id }
    }
}

impl Directory {
    /// Records of the tenant, newest first, at most `limit`.
    pub async fn records(
        &self,
        tenant: &TenantId,
        filter: &RecordFilter,
        before: Option<RecordCursor>,
        limit: u64,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let rows =
            decision_records::Entity::find().filter(Column::Tenant.eq(tenant.as_str())).filter(condition(filter));
        let before = before.map(|RecordCursor { time_ms, id }| (column(time_ms), id));
        let rows = newest_first(rows, (Column::TimeMs, Column::Id), before, limit).all(&self.db).await?;
        Ok(rows.into_iter().map(stored_record).collect())
    }
}

fn condition(filter: &RecordFilter) -> Condition {
    let RecordFilter { from_ms, until_ms, subject, effect, rule, path_prefix, kind } = filter;
    let text = |column: Column, text: &Option<String>| text.as_ref().map(|text| column.eq(text.as_str()));
    Condition::all()
        .add_option(from_ms.map(|from| Column::TimeMs.gte(column(from))))
        .add_option(until_ms.map(|until| Column::TimeMs.lt(column(until))))
        .add_option(text(Column::Subject, subject))
        .add_option(text(Column::Effect, effect))
        .add_option(text(Column::Kind, kind))
        // Neither of these two reads a part of the text as a pattern, and both compare case.
        .add_option(rule.as_ref().map(|rule| names_rule(rule)))
        .add_option(path_prefix.as_ref().map(|prefix| starts_with(prefix)))
}

fn names_rule(rule: &str) -> Expr {
    let rules = || Expr::col(Column::Rules);
    let without = Func::cust("replace").args([rules(), rule_in_column(rule).into(), "".into()]);
    Expr::expr(without).ne(rules())
}

fn starts_with(prefix: &str) -> Expr {
    // Letters as PostgreSQL counts them for `substr`.
    let letters = i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX);
    Expr::expr(Func::cust("substr").args([Expr::col(Column::Path), 1.into(), letters.into()])).eq(prefix)
}

fn stored_record(row: decision_records::Model) -> StoredRecord {
    let decision_records::Model {
        id,
        tenant: _,
        sender,
        worker,
        number,
        time_ms,
        kind,
        request_id,
        method,
        host,
        path,
        subject,
        ip,
        effect,
        status,
        reason,
        rules: rules_column,
        restriction,
        topic,
        revision,
        shadow_effect,
        shadow_reason,
    } = row;
    let record = DecisionRecord {
        time_ms: time_ms.unsigned_abs(),
        kind,
        request_id,
        method,
        host,
        path,
        subject,
        ip,
        effect,
        status: u16::try_from(status).unwrap_or(0),
        reason,
        rules: rules(&rules_column),
        restriction,
        topic,
        revision: revision.unsigned_abs(),
        shadow: shadow_effect.zip(shadow_reason).map(|(effect, reason)| Shadow { effect, reason }),
    };
    StoredRecord { id, sender, worker, number: number.unsigned_abs(), record }
}
