//! What edges decided: records, stored once each by sender, worker and number, and the numbers that never came.

mod gaps;
mod query;
mod retention;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};

use crate::entities::decision_records;
use crate::{Directory, StoreError, TenantId, UnixSeconds, WorkerName};

pub use gaps::{Gap, GapCursor};
pub use query::{RecordCursor, RecordFilter, StoredRecord};

/// Records of one worker that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatch {
    pub tenant: TenantId,
    /// Who sent it: the edge, or the user.
    pub sender: String,
    pub worker: WorkerName,
    /// Number of the first record, from 1.
    pub first: u64,
    /// How many records the worker dropped so far.
    pub dropped: u64,
    pub records: Vec<DecisionRecord>,
    pub received_at: UnixSeconds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// `decision` or `audit`.
    pub kind: String,
    pub request_id: String,
    pub method: String,
    pub host: String,
    /// Without query.
    pub path: String,
    pub subject: Option<String>,
    pub ip: Option<String>,
    /// `allow` or `deny`.
    pub effect: String,
    pub status: u16,
    pub reason: String,
    pub rules: Vec<String>,
    pub restriction: Option<String>,
    pub topic: Option<String>,
    pub revision: u64,
    /// What the candidate policy would have said.
    pub shadow: Option<Shadow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    pub effect: String,
    pub reason: String,
}

impl RecordBatch {
    /// Number of the last record; `None` when there is none, or no such number.
    pub fn last(&self) -> Option<u64> {
        let more = u64::try_from(self.records.len()).ok()?.checked_sub(1)?;
        self.first.checked_add(more).filter(|&last| self.first > 0 && i64::try_from(last).is_ok())
    }
}

impl Directory {
    /// Stores those records of the batch that are not stored yet, and says how many those were. A batch without
    /// `RecordBatch::last` stores nothing.
    pub async fn store_records(&self, batch: RecordBatch) -> Result<u64, StoreError> {
        let Some(last) = batch.last() else { return Ok(0) };
        let write = self.write().await?;
        gaps::advance(&write, &batch, last).await?;
        let stored = insert(&write, batch).await?;
        write.commit().await?;
        Ok(stored)
    }
}

async fn insert(write: &impl ConnectionTrait, batch: RecordBatch) -> Result<u64, DbErr> {
    use decision_records::Column;
    let RecordBatch { tenant, sender, worker, first, dropped: _, records, received_at: _ } = batch;
    let rows = (first..).zip(records).map(|(number, record)| decision_records::ActiveModel {
        tenant: Set(tenant.to_string()),
        sender: Set(sender.clone()),
        worker: Set(worker.to_string()),
        number: Set(column(number)),
        ..row(record)
    });
    let known = OnConflict::columns([Column::Tenant, Column::Sender, Column::Worker, Column::Number]);
    let insert = decision_records::Entity::insert_many(rows).on_conflict(known.clone().do_nothing().to_owned());
    match insert.exec_without_returning(write).await {
        Err(DbErr::RecordNotInserted) => Ok(0),
        inserted => inserted,
    }
}

fn row(record: DecisionRecord) -> decision_records::ActiveModel {
    let DecisionRecord {
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
        rules,
        restriction,
        topic,
        revision,
        shadow,
    } = record;
    let (shadow_effect, shadow_reason) = shadow.map(|Shadow { effect, reason }| (effect, reason)).unzip();
    decision_records::ActiveModel {
        time_ms: Set(column(time_ms)),
        kind: Set(kind),
        request_id: Set(request_id),
        method: Set(method),
        host: Set(host),
        path: Set(path),
        subject: Set(subject),
        ip: Set(ip),
        effect: Set(effect),
        status: Set(i32::from(status)),
        reason: Set(reason),
        rules: Set(rules_column(&rules)),
        restriction: Set(restriction),
        topic: Set(topic),
        revision: Set(column(revision)),
        shadow_effect: Set(shadow_effect),
        shadow_reason: Set(shadow_reason),
        ..Default::default()
    }
}

/// A number beyond the column is its end.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Ids between line feeds, one at each end, so that one can be looked for; a line feed in an id is written `\n`.
fn rules_column(rules: &[String]) -> String {
    let mut text = String::new();
    for rule in rules {
        text.push_str(&rule_in_column(rule));
    }
    text
}

/// How `rule` stands in the column: `\n` on each side.
fn rule_in_column(rule: &str) -> String {
    format!("\n{}\n", rule.replace('\\', "\\\\").replace('\n', "\\n"))
}

/// The opposite of `rules_column`.
fn rules(column: &str) -> Vec<String> {
    let unescape = |text: &str| {
        let mut rule = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            rule.push(match letter {
                '\\' if letters.next() == Some('n') => '\n',
                letter => letter,
            });
        }
        rule
    };
    let texts = column.strip_prefix('\n').and_then(|column| column.strip_suffix('\n'));
    texts.map_or_else(Vec::new, |texts| texts.split("\n\n").map(unescape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_rules_survive_the_column() {
        for ids in [vec![], vec!["a"], vec!["a", "b"], vec!["a\nb", "\\n", "\\", "", "rules[0]"], vec![""]] {
            let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            assert_eq!(rules(&rules_column(&ids)), ids, "{ids:?}");
        }
        let stored = rules_column(&["ab".to_owned(), "c\nd".to_owned()]);
        for (rule, is_there) in [("ab", true), ("a", false), ("c\nd", true), ("c", false), ("d", false)] {
            assert_eq!(stored.contains(&rule_in_column(rule)), is_there, "{rule}");
        }
    }
}
