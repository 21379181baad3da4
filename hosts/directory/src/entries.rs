//! What a policy document consists of, as rows: for listings with numbers, filters and pages. The document is the master;
//! the rows follow it in the transaction that stores it (ADR 0028).

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::entities::policy_entries;
use crate::records::record;
use crate::{Directory, StoreError, TenantId, UnixSeconds};

record!(PolicyEntryRow, PolicyEntryColumn, policy_entries, "policy entry");

/// One role, group, rule, restriction or level of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyEntry {
    /// `role`, `permission_group`, `rule`, `restriction` or `level`.
    pub kind: String,
    /// Of no other entry of that kind.
    pub name: String,
    /// Of a rule its effect, of a restriction its category; else empty.
    pub class: String,
    /// Of a restriction; else empty.
    pub scope: String,
    /// JSON.
    pub body: String,
}

/// Rows in one statement; SQLite takes 32,766 values.
const AT_ONCE: usize = 1_000;

impl Directory {
    /// Brings the rows in line with a document that was stored without them.
    pub async fn index_document(
        &self,
        tenant: &TenantId,
        entries: &[PolicyEntry],
        at: UnixSeconds,
    ) -> Result<(), StoreError> {
        let write = self.write().await?;
        follow(&write, tenant, entries, at).await?;
        Ok(write.commit().await?)
    }
}

/// Makes the rows of the tenant those of `entries`; what stays keeps its number.
pub(crate) async fn follow(
    write: &impl ConnectionTrait,
    tenant: &TenantId,
    entries: &[PolicyEntry],
    at: UnixSeconds,
) -> Result<(), DbErr> {
    let rows = policy_entries::Entity::find().filter(PolicyEntryColumn::Tenant.eq(tenant.as_str())).all(write).await?;
    let mut known: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.kind.clone(), row.name.clone()), row)).collect();
    let (mut new, mut positions) = (Vec::new(), BTreeMap::<&str, i64>::new());
    for entry in entries {
        let next = positions.entry(&entry.kind).or_default();
        let position = *next;
        *next = next.saturating_add(1);
        match known.remove(&(entry.kind.clone(), entry.name.clone())) {
            None => new.push(row(tenant, entry, position, at)),
            Some(old) => update(write, old, entry, position, at).await?,
        }
    }
    let gone: Vec<i64> = known.into_values().map(|row| row.id).collect();
    for gone in gone.chunks(AT_ONCE) {
        let gone = PolicyEntryColumn::Id.is_in(gone.iter().copied());
        policy_entries::Entity::delete_many().filter(gone).exec(write).await?;
    }
    for new in new.chunks(AT_ONCE) {
        policy_entries::Entity::insert_many(new.to_vec()).exec_without_returning(write).await?;
    }
    Ok(())
}

fn row(tenant: &TenantId, entry: &PolicyEntry, position: i64, at: UnixSeconds) -> policy_entries::ActiveModel {
    let PolicyEntry { kind, name, class, scope, body } = entry.clone();
    policy_entries::ActiveModel {
        tenant: Set(tenant.to_string()),
        kind: Set(kind),
        name: Set(name),
        position: Set(position),
        class: Set(class),
        scope: Set(scope),
        body: Set(body),
        created_at: Set(at.to_column()),
        updated_at: Set(at.to_column()),
        ..Default::default()
    }
}

/// One that only moved was not updated.
async fn update(
    write: &impl ConnectionTrait,
    old: PolicyEntryRow,
    entry: &PolicyEntry,
    position: i64,
    at: UnixSeconds,
) -> Result<(), DbErr> {
    let is_same = old.body == entry.body && old.class == entry.class && old.scope == entry.scope;
    if is_same && old.position == position {
        return Ok(());
    }
    let row = policy_entries::ActiveModel {
        id: Set(old.id),
        position: Set(position),
        class: Set(entry.class.clone()),
        scope: Set(entry.scope.clone()),
        body: Set(entry.body.clone()),
        updated_at: Set(if is_same { old.updated_at } else { at.to_column() }),
        ..Default::default()
    };
    policy_entries::Entity::update(row).exec(write).await?;
    Ok(())
}
