//! Users as decisions see them: an id, a state, roles and groups, a level.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Expr, Query, SelectStatement, UnionType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, Order, PaginatorTrait,
    QueryFilter, QueryResult, QuerySelect, SqlErr,
};

use crate::audit::{self, Action, Object};
use crate::change::ChangeError;
use crate::entities::{user_groups, user_roles, users};
use crate::{
    AccountChange, Directory, GroupName, PageSize, RoleName, StoreError, UnixSeconds, UserId, UserState, When,
};

/// What decisions about a user depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub state: UserState,
    pub roles: RoleSet,
    pub groups: GroupSet,
    /// How many levels of the policy it has reached.
    pub level: u32,
    /// Whether there is a second factor.
    pub otp: bool,
    pub created_at: UnixSeconds,
    pub updated_at: UnixSeconds,
    /// Counts the writes of this user, from 1.
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub id: UserId,
    pub state: UserState,
    pub roles: RoleSet,
}

/// What to change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub state: Option<UserState>,
    pub roles: Option<RoleSet>,
}

/// At most 256 names, the most that a decision accepts; sorted by bytes, no duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSet<N>(BTreeSet<N>);

pub type RoleSet = NameSet<RoleName>;
pub type GroupSet = NameSet<GroupName>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{roles} names are too many, the limit is {max}", max = RoleSet::MAX_ROLES)]
pub struct TooManyRoles {
    pub roles: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    #[error("there is a user of this id already")]
    Exists,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateUserError {
    #[error("there is no user of this id")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl NameSet ===

impl<N: Ord> NameSet<N> {
    pub const MAX_ROLES: usize = 256;

    pub fn new(names: impl IntoIterator<Item = N>) -> Result<Self, TooManyRoles> {
        let names: BTreeSet<N> = names.into_iter().collect();
        match names.len() {
            0..=Self::MAX_ROLES => Ok(Self(names)),
            roles => Err(TooManyRoles { roles }),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &N> {
        self.0.iter()
    }

    pub fn contains(&self, name: &N) -> bool {
        self.0.contains(name)
    }
}

impl<N> Default for NameSet<N> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

// === impl Directory ===

impl Directory {
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        Ok(one(&self.db, id).await?)
    }

    /// Users in the byte order of their ids, after `after`.
    pub async fn users(&self, after: Option<&UserId>, limit: PageSize) -> Result<Vec<User>, StoreError> {
        let page = ids(|ids| {
            if let Some(after) = after {
                ids.and_where(users::Column::Id.gt(after.as_str()));
            }
            ids.order_by(users::Column::Id, sea_orm::Order::Asc).limit(limit.get())
        });
        Ok(load(&self.db, page).await?)
    }

    pub async fn has_users(&self) -> Result<bool, StoreError> {
        Ok(has_users(&self.db).await?)
    }

    pub async fn create_user(&self, user: &NewUser, by: &UserId, at: UnixSeconds) -> Result<User, CreateUserError> {
        let write = self.write().await.map_err(StoreError)?;
        let created = insert_user(&write, user, at).await?;
        audit::record(&write, by, Action::CreateUser, Object::User(&user.id), FIRST_REVISION, at)
            .await
            .map_err(StoreError)?;
        write.commit().await.map_err(StoreError)?;
        Ok(created)
    }

    /// Taking roles or the active state away, or changing roles, also voids the tokens that say otherwise.
    pub async fn update_user(
        &self,
        id: &UserId,
        change: &UserChange,
        by: &UserId,
        at: impl When,
    ) -> Result<User, UpdateUserError> {
        let write = self.change(by, at).await?;
        let UserChange { state, roles } = change.clone();
        let change = AccountChange { state, roles, ..AccountChange::default() };
        let user = write.update_user(id, &change).await?;
        write.commit().await?;
        Ok(user)
    }

    /// Removes the user with all that belongs to it; the audit trail and activities stay.
    pub async fn delete_user(&self, id: &UserId, by: &UserId, at: impl When) -> Result<(), UpdateUserError> {
        let write = self.change(by, at).await?;
        write.delete_user(id).await?;
        Ok(write.commit().await?)
    }
}

pub(crate) const FIRST_REVISION: i64 = 1;

pub(crate) async fn has_users(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(users::Entity::find().limit(1).count(db).await? > 0)
}

pub(crate) async fn find_row(db: &impl ConnectionTrait, id: &UserId) -> Result<Option<users::Model>, StoreError> {
    Ok(users::Entity::find_by_id(id.to_string()).one(db).await?)
}

pub(crate) async fn insert_user(
    write: &impl ConnectionTrait,
    user: &NewUser,
    at: UnixSeconds,
) -> Result<User, CreateUserError> {
    let row = users::ActiveModel {
        id: Set(user.id.to_string()),
        state: Set(user.state.to_string()),
        created_at: Set(at.to_column()),
        updated_at: Set(at.to_column()),
        revision: Set(FIRST_REVISION),
        ..Default::default()
    };
    users::Entity::insert(row).exec_without_returning(write).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => CreateUserError::Exists,
        _ => CreateUserError::Store(StoreError(error)),
    })?;
    insert_roles(write, &user.id, &user.roles).await.map_err(StoreError)?;
    let NewUser { id, state, roles } = user.clone();
    let groups = GroupSet::default();
    Ok(User { id, state, roles, groups, level: 0, otp: false, created_at: at, updated_at: at, revision: 1 })
}

pub(crate) async fn one(db: &impl ConnectionTrait, id: &UserId) -> Result<Option<User>, DbErr> {
    Ok(load(db, ids(|ids| ids.and_where(users::Column::Id.eq(id.as_str())))).await?.pop())
}

pub(crate) async fn replace_roles(write: &impl ConnectionTrait, id: &UserId, roles: &RoleSet) -> Result<(), DbErr> {
    user_roles::Entity::delete_many().filter(user_roles::Column::UserId.eq(id.as_str())).exec(write).await?;
    insert_roles(write, id, roles).await
}

async fn insert_roles(write: &impl ConnectionTrait, id: &UserId, roles: &RoleSet) -> Result<(), DbErr> {
    let rows: Vec<_> = roles
        .iter()
        .map(|role| user_roles::ActiveModel { user_id: Set(id.to_string()), role: Set(role.to_string()) })
        .collect();
    if !rows.is_empty() {
        user_roles::Entity::insert_many(rows).exec_without_returning(write).await?;
    }
    Ok(())
}

pub(crate) async fn replace_groups(write: &impl ConnectionTrait, id: &UserId, groups: &GroupSet) -> Result<(), DbErr> {
    user_groups::Entity::delete_many().filter(user_groups::Column::UserId.eq(id.as_str())).exec(write).await?;
    let rows: Vec<_> = groups
        .iter()
        .map(|group| user_groups::ActiveModel { user_id: Set(id.to_string()), name: Set(group.to_string()) })
        .collect();
    if !rows.is_empty() {
        user_groups::Entity::insert_many(rows).exec_without_returning(write).await?;
    }
    Ok(())
}

/// A selection of user ids.
pub(crate) fn ids(narrow: impl FnOnce(&mut SelectStatement) -> &mut SelectStatement) -> SelectStatement {
    let mut ids = Query::select();
    ids.column(users::Column::Id).from(users::Entity);
    narrow(&mut ids).to_owned()
}

/// The users whose ids `ids` selects, in byte order. One statement, so state, roles and groups belong together.
pub(crate) async fn load(db: &impl ConnectionTrait, ids: SelectStatement) -> Result<Vec<User>, DbErr> {
    let mut held = held_by(&ids);
    held.left_join(
        user_roles::Entity,
        Expr::col((user_roles::Entity, user_roles::Column::UserId)).equals((users::Entity, users::Column::Id)),
    );
    held.expr_as(Expr::col((user_roles::Entity, user_roles::Column::Role)), NAME).expr_as(Expr::cust("0"), KIND);
    let mut groups = held_by(&ids);
    groups.inner_join(
        user_groups::Entity,
        Expr::col((user_groups::Entity, user_groups::Column::UserId)).equals((users::Entity, users::Column::Id)),
    );
    groups.expr(Expr::col((user_groups::Entity, user_groups::Column::Name))).expr(Expr::cust("1"));
    held.union(UnionType::All, groups).order_by(users::Column::Id, Order::Asc);
    let mut users: Vec<User> = Vec::new();
    for row in db.query_all(&held).await? {
        let id: String = row.try_get_by_index(0)?;
        if users.last().is_none_or(|user| user.id.as_str() != id) {
            users.push(user(&id, &row)?);
        }
        let (name, kind): (Option<String>, i32) = (row.try_get_by_index(7)?, row.try_get_by_index(8)?);
        if let (Some(user), Some(name)) = (users.last_mut(), name) {
            match kind {
                0 => user.roles.0.insert(RoleName::parse(&name).map_err(stored)?),
                _ => user.groups.0.insert(GroupName::parse(&name).map_err(stored)?),
            };
        }
    }
    Ok(users)
}

const NAME: &str = "name";
const KIND: &str = "kind";

fn held_by(ids: &SelectStatement) -> SelectStatement {
    use users::Column;
    let mut held = Query::select();
    for column in
        [Column::Id, Column::State, Column::CreatedAt, Column::UpdatedAt, Column::Revision, Column::Level, Column::Otp]
    {
        held.column((users::Entity, column));
    }
    held.from(users::Entity).and_where(Column::Id.in_subquery(ids.clone()));
    held
}

fn user(id: &str, row: &QueryResult) -> Result<User, DbErr> {
    let state: String = row.try_get_by_index(1)?;
    let (created_at, updated_at): (i64, i64) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
    let (revision, level): (i64, i64) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
    Ok(User {
        id: UserId::parse(id).map_err(stored)?,
        state: UserState::parse(&state).map_err(stored)?,
        roles: RoleSet::default(),
        groups: GroupSet::default(),
        level: u32::try_from(level).unwrap_or(0),
        otp: row.try_get_by_index(6)?,
        created_at: UnixSeconds::from_column(created_at),
        updated_at: UnixSeconds::from_column(updated_at),
        revision: u64::try_from(revision).unwrap_or(0),
    })
}

/// A stored name that is not legal: somebody else wrote to the database.
pub(crate) fn stored(error: crate::NameError) -> DbErr {
    DbErr::Type(error.to_string())
}

impl From<ChangeError> for UpdateUserError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => Self::Store(error),
            // Of all that can be wrong with a change, state and roles are right whatever they are.
            ChangeError::NotFound { .. }
            | ChangeError::Taken { .. }
            | ChangeError::Stale { .. }
            | ChangeError::HolderInactive
            | ChangeError::FactorOn => Self::NotFound,
        }
    }
}
