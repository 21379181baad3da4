//! Looking the trail up: newest first, page by page.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::audit::AuditEntry;
use crate::entities::audit_entries::{self, Column};
use crate::newest::newest_first;
use crate::{Directory, StoreError, TenantId, UnixSeconds};

/// Which entries are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Itself included.
    pub from: Option<UnixSeconds>,
    /// Not included.
    pub until: Option<UnixSeconds>,
    pub who: Option<String>,
    /// `Action::name`.
    pub action: Option<String>,
    /// `AuditEntry::object`, and whatever is below it: `user/u7` is its labels too.
    pub object: Option<String>,
    /// Policies and edges of this tenant; users are of all tenants.
    pub tenant: Option<TenantId>,
}

/// The entry before which (in the order of the answer: after which) a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    pub at: UnixSeconds,
    pub id: i64,
}

impl AuditEntry {
    pub fn cursor(&self) -> AuditCursor {
        AuditCursor { at: self.at, id: self.id }
    }
}

impl Directory {
    /// Entries of the trail, newest first, at most `limit`.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<AuditCursor>,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = audit_entries::Entity::find().filter(condition(filter));
        let before = before.map(|AuditCursor { at, id }| (at.to_column(), id));
        let rows = newest_first(rows, (Column::At, Column::Id), before, limit).all(&self.db).await?;
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }
}

fn condition(filter: &AuditFilter) -> Condition {
    let AuditFilter { from, until, who, action, object, tenant } = filter;
    let of_tenant = |tenant: &TenantId| {
        Condition::any().add(is_below(&format!("policy/{tenant}"))).add(is_below(&format!("edge/{tenant}")))
    };
    Condition::all()
        .add_option(from.map(|from| Column::At.gte(from.to_column())))
        .add_option(until.map(|until| Column::At.lt(until.to_column())))
        .add_option(who.as_ref().map(|who| Column::Who.eq(who.as_str())))
        .add_option(action.as_ref().map(|action| Column::Action.eq(action.as_str())))
        .add_option(object.as_ref().map(|object| is_below(object)))
        .add_option(tenant.as_ref().map(of_tenant))
}

/// The object or one whose name goes on with `/`: texts between `OBJECT/` and `OBJECT0`, which an index finds, as `0` follows
/// `/` in ASCII.
fn is_below(object: &str) -> Condition {
    let below =
        Condition::all().add(Column::Object.gte(format!("{object}/"))).add(Column::Object.lt(format!("{object}0")));
    Condition::any().add(Column::Object.eq(object)).add(below)
}
