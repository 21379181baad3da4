//! Tenants: whose policy it is.

use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::entities::tenants::{self, Column};
use crate::users::stored;
use crate::{Directory, PageSize, StoreError, TenantId};

impl Directory {
    /// Tenants by name, after `after`.
    pub async fn tenants(&self, after: Option<&TenantId>, limit: PageSize) -> Result<Vec<TenantId>, StoreError> {
        let mut select = tenants::Entity::find();
        if let Some(after) = after {
            select = select.filter(Column::Name.gt(after.as_str()));
        }
        let rows = select.order_by_asc(Column::Name).limit(limit.get()).all(&self.db).await?;
        let names = rows.into_iter().map(|row| TenantId::parse(&row.name).map_err(stored));
        Ok(names.collect::<Result<_, DbErr>>()?)
    }
}

impl Change {
    /// A tenant without a policy: every decision is deny until it has one.
    pub async fn create_tenant(&self, tenant: &TenantId) -> Result<(), ChangeError> {
        if tenants::Entity::find_by_id(tenant.to_string()).one(&self.write).await?.is_some() {
            return Err(ChangeError::Taken { what: "tenant" });
        }
        let row = tenants::ActiveModel { name: Set(tenant.to_string()), revision: Set(0), revocations: Set(0) };
        tenants::Entity::insert(row).exec_without_returning(&self.write).await?;
        Ok(self.audit(Action::CreateTenant, Object::Policy(tenant), 0).await?)
    }
}
