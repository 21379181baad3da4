//! Users: an id, a state, roles.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, RelationDef, SqlErr,
};

use crate::audit::{self, Action, Object};
use crate::entities::{user_roles, users};
use crate::revocations;
use crate::{Directory, PageSize, RoleName, StoreError, UnixSeconds, UserId, UserState};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub state: UserState,
    pub roles: RoleSet,
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

/// At most 256 roles, the most that a decision accepts; sorted by bytes, no duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSet(BTreeSet<RoleName>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{roles} roles are too many, the limit is {max}", max = RoleSet::MAX_ROLES)]
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

// === impl RoleSet ===

impl RoleSet {
    pub const MAX_ROLES: usize = 256;

    pub fn new(roles: impl IntoIterator<Item = RoleName>) -> Result<Self, TooManyRoles> {
        let roles: BTreeSet<RoleName> = roles.into_iter().collect();
        match roles.len() {
            0..=Self::MAX_ROLES => Ok(Self(roles)),
            roles => Err(TooManyRoles { roles }),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &RoleName> {
        self.0.iter()
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
        at: UnixSeconds,
    ) -> Result<User, UpdateUserError> {
        let write = self.write().await.map_err(StoreError)?;
        let row = find_row(&write, id).await?.ok_or(UpdateUserError::NotFound)?;
        let before = one(&write, id).await.map_err(StoreError)?.ok_or(UpdateUserError::NotFound)?;
        let revision = row.revision.saturating_add(1);
        let updated = users::ActiveModel {
            id: Set(row.id),
            state: Set(change.state.as_ref().map_or(row.state, UserState::to_string)),
            updated_at: Set(at.to_column()),
            revision: Set(revision),
            ..Default::default()
        };
        users::Entity::update(updated).exec(&write).await.map_err(StoreError)?;
        if let Some(roles) = &change.roles {
            replace_roles(&write, id, roles).await.map_err(StoreError)?;
        }
        audit::record(&write, by, Action::UpdateUser, Object::User(id), revision, at).await.map_err(StoreError)?;
        let user = one(&write, id).await.map_err(StoreError)?.ok_or(UpdateUserError::NotFound)?;
        if outdates_tokens(&before, &user) {
            revocations::record(&write, id, at).await.map_err(StoreError)?;
        }
        write.commit().await.map_err(StoreError)?;
        Ok(user)
    }

    /// Removes the user with roles and tokens; the audit trail stays.
    pub async fn delete_user(&self, id: &UserId, by: &UserId, at: UnixSeconds) -> Result<(), UpdateUserError> {
        let write = self.write().await.map_err(StoreError)?;
        let row = find_row(&write, id).await?.ok_or(UpdateUserError::NotFound)?;
        users::Entity::delete_by_id(id.to_string()).exec(&write).await.map_err(StoreError)?;
        revocations::record(&write, id, at).await.map_err(StoreError)?;
        audit::record(&write, by, Action::DeleteUser, Object::User(id), row.revision, at).await.map_err(StoreError)?;
        Ok(write.commit().await.map_err(StoreError)?)
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
    };
    users::Entity::insert(row).exec_without_returning(write).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => CreateUserError::Exists,
        _ => CreateUserError::Store(StoreError(error)),
    })?;
    insert_roles(write, &user.id, &user.roles).await.map_err(StoreError)?;
    let NewUser { id, state, roles } = user.clone();
    Ok(User { id, state, roles, created_at: at, updated_at: at, revision: 1 })
}

async fn one(db: &impl ConnectionTrait, id: &UserId) -> Result<Option<User>, DbErr> {
    Ok(load(db, ids(|ids| ids.and_where(users::Column::Id.eq(id.as_str())))).await?.pop())
}

/// Whether a token issued before the change may say more than the user may do after it.
fn outdates_tokens(before: &User, after: &User) -> bool {
    let is_banned = before.state != after.state && after.state != UserState::active();
    is_banned || before.roles != after.roles
}

async fn replace_roles(write: &impl ConnectionTrait, id: &UserId, roles: &RoleSet) -> Result<(), DbErr> {
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

/// A selection of user ids.
pub(crate) fn ids(narrow: impl FnOnce(&mut SelectStatement) -> &mut SelectStatement) -> SelectStatement {
    let mut ids = Query::select();
    ids.column(users::Column::Id).from(users::Entity);
    narrow(&mut ids).to_owned()
}

/// The users whose ids `ids` selects, in byte order. One statement, so state and roles belong together.
pub(crate) async fn load(db: &impl ConnectionTrait, ids: SelectStatement) -> Result<Vec<User>, DbErr> {
    let rows: Vec<(String, String, i64, i64, i64, Option<String>)> = users::Entity::find()
        .select_only()
        .columns([
            users::Column::Id,
            users::Column::State,
            users::Column::CreatedAt,
            users::Column::UpdatedAt,
            users::Column::Revision,
        ])
        .column(user_roles::Column::Role)
        .join(JoinType::LeftJoin, roles_of_user())
        .filter(users::Column::Id.in_subquery(ids))
        .order_by_asc(users::Column::Id)
        .order_by_asc(user_roles::Column::Role)
        .into_tuple()
        .all(db)
        .await?;
    let mut users: Vec<User> = Vec::new();
    for (id, state, created_at, updated_at, revision, role) in rows {
        if users.last().is_none_or(|user| user.id.as_str() != id) {
            users.push(User {
                id: UserId::parse(&id).map_err(stored)?,
                state: UserState::parse(&state).map_err(stored)?,
                roles: RoleSet::default(),
                created_at: UnixSeconds::from_column(created_at),
                updated_at: UnixSeconds::from_column(updated_at),
                revision: u64::try_from(revision).unwrap_or(0),
            });
        }
        if let (Some(user), Some(role)) = (users.last_mut(), role) {
            user.roles.0.insert(RoleName::parse(&role).map_err(stored)?);
        }
    }
    Ok(users)
}

fn roles_of_user() -> RelationDef {
    let user_of_role: RelationDef =
        user_roles::Entity::belongs_to(users::Entity).from(user_roles::Column::UserId).to(users::Column::Id).into();
    user_of_role.rev()
}

/// A stored name that is not legal: somebody else wrote to the database.
pub(crate) fn stored(error: crate::NameError) -> DbErr {
    DbErr::Type(error.to_string())
}
