//! Users with all that is known about them, and what follows from a change.

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter,
    QuerySelect,
};

use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::entities::{activities, labels, profiles, service_accounts, user_groups, user_roles, users};
use crate::records::{ColumnOf, Direction, Find, Listed, record};
use crate::users::{FIRST_REVISION, find_row, ids, load, one, replace_groups, replace_roles, stored};
use crate::{
    Directory, Email, GroupName, GroupSet, NewUser, RoleName, RoleSet, StoreError, User, UserId, UserState, keys,
    revocations,
};

record!(AccountRow, AccountColumn, users, "user");

/// A user, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: User,
    pub details: Details,
}

/// What decisions do not depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Of no other user, without case.
    pub email: Option<Email>,
    pub username: Option<Username>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub language: Option<String>,
    /// JSON.
    pub preferences: Option<String>,
    /// Text of whoever integrates.
    pub data: Option<String>,
    /// Who brought this user.
    pub referral: Option<UserId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Username {
    /// Others may have it too.
    Shared(String),
    /// Of no other user who claims it, without case.
    Own(String),
}

/// What to change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    pub state: Option<UserState>,
    pub roles: Option<RoleSet>,
    pub groups: Option<GroupSet>,
    pub level: Option<u32>,
    pub otp: Option<bool>,
    /// In place of all there were.
    pub details: Option<Details>,
    /// Refused as stale when the user has another revision.
    pub follows: Option<u64>,
}

const WHAT: &str = "user";

// === impl Username ===

impl Username {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Shared(text) | Self::Own(text) => text,
        }
    }
}

// === impl Find<AccountRow> ===

impl Find<AccountRow> {
    /// Without case.
    pub fn has_email(self, email: &Email) -> Self {
        self.is(AccountColumn::EmailKey, email.key())
    }

    pub fn has_role(self, role: &RoleName) -> Self {
        let held = Query::select()
            .column(user_roles::Column::UserId)
            .from(user_roles::Entity)
            .and_where(user_roles::Column::Role.eq(role.as_str()))
            .to_owned();
        self.only(AccountColumn::Id.in_subquery(held))
    }

    pub fn is_in_group(self, group: &GroupName) -> Self {
        let members = Query::select()
            .column(user_groups::Column::UserId)
            .from(user_groups::Entity)
            .and_where(user_groups::Column::Name.eq(group.as_str()))
            .to_owned();
        self.only(AccountColumn::Id.in_subquery(members))
    }

    /// Users with a profile that passes all tests of `find`.
    pub fn has_profile(self, find: &Find<profiles::Model>) -> Self {
        self.owns(profiles::Column::UserId, find)
    }

    /// Users with a label that passes all tests of `find`.
    pub fn has_label(self, find: &Find<labels::Model>) -> Self {
        self.owns(labels::Column::UserId, find)
    }

    fn owns<R: Listed>(self, owner: ColumnOf<R>, find: &Find<R>) -> Self {
        self.only(AccountColumn::Id.in_subquery(find.values_of(owner)))
    }

    /// By the first of the roles that each holds.
    pub fn order_by_role(self, direction: Direction) -> Self {
        let first = Query::select()
            .expr(Expr::col((user_roles::Entity, user_roles::Column::Role)).min())
            .from(user_roles::Entity)
            .and_where(
                Expr::col((user_roles::Entity, user_roles::Column::UserId)).equals((users::Entity, users::Column::Id)),
            )
            .to_owned();
        self.order_by(Expr::SubQuery(None, Box::new(first.into())), direction)
    }
}

// === impl Find<Label> and Find<Activity> ===

impl Find<labels::Model> {
    /// Labels of users that pass all tests of `find`.
    pub fn of_users(self, find: &Find<AccountRow>) -> Self {
        self.only(labels::Column::UserId.in_subquery(find.values_of(AccountColumn::Id)))
    }
}

impl Find<activities::Model> {
    /// What users did that pass all tests of `find`.
    pub fn by_users(self, find: &Find<AccountRow>) -> Self {
        self.only(activities::Column::UserId.in_subquery(find.values_of(AccountColumn::Id)))
    }
}

// === impl Directory ===

impl Directory {
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        Ok(account(&self.db, id).await?)
    }

    pub async fn accounts(&self, find: &Find<AccountRow>) -> Result<Vec<Account>, StoreError> {
        Ok(accounts(&self.db, find).await?)
    }

    pub async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let found = ids(|ids| ids.and_where(users::Column::EmailKey.eq(email.key())));
        Ok(load(&self.db, found).await?.pop())
    }

    /// Whoever claims that name as its own.
    pub async fn user_by_username(&self, name: &str) -> Result<Option<User>, StoreError> {
        let found = ids(|ids| ids.and_where(users::Column::UsernameKey.eq(name.to_lowercase())));
        Ok(load(&self.db, found).await?.pop())
    }
}

// === impl Change ===

impl Change {
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        Ok(account(&self.write, id).await?)
    }

    pub async fn create_account(&self, user: &NewUser, details: &Details) -> Result<Account, ChangeError> {
        let is_taken = find_row(&self.write, &user.id).await?.is_some() || is_service(&self.write, &user.id).await?;
        if is_taken {
            return Err(ChangeError::Taken { what: WHAT });
        }
        self.refuse_same(&user.id, details).await?;
        let row = users::ActiveModel {
            id: Set(user.id.to_string()),
            state: Set(user.state.to_string()),
            created_at: Set(self.at.to_column()),
            revision: Set(FIRST_REVISION),
            ..details_row(details)
        };
        let row = users::ActiveModel { updated_at: Set(self.at.to_column()), ..row };
        users::Entity::insert(row).exec_without_returning(&self.write).await?;
        replace_roles(&self.write, &user.id, &user.roles).await?;
        self.audit(Action::CreateUser, Object::User(&user.id), FIRST_REVISION).await?;
        self.account(&user.id).await?.ok_or(ChangeError::NotFound { what: WHAT })
    }

    /// A change that takes something away voids the tokens that say otherwise. Who is no longer active, or gives up the
    /// second factor, loses its API keys; service accounts follow the state of their owner.
    pub async fn update_user(&self, id: &UserId, change: &AccountChange) -> Result<User, ChangeError> {
        let before = one(&self.write, id).await?.ok_or(ChangeError::NotFound { what: WHAT })?;
        if change.follows.is_some_and(|revision| revision != before.revision) {
            return Err(ChangeError::Stale { current: before.revision });
        }
        if let Some(details) = &change.details {
            self.refuse_same(id, details).await?;
        }
        let revision = i64::try_from(before.revision).unwrap_or(i64::MAX).saturating_add(1);
        let mut row = change.details.as_ref().map(details_row).unwrap_or_default();
        row.id = Set(id.to_string());
        row.state = Set(change.state.as_ref().unwrap_or(&before.state).to_string());
        row.level = Set(i64::from(change.level.unwrap_or(before.level)));
        row.otp = Set(change.otp.unwrap_or(before.otp));
        row.updated_at = Set(self.at.to_column());
        row.revision = Set(revision);
        users::Entity::update(row).exec(&self.write).await?;
        if let Some(roles) = &change.roles {
            replace_roles(&self.write, id, roles).await?;
        }
        if let Some(groups) = &change.groups {
            replace_groups(&self.write, id, groups).await?;
        }
        self.audit(Action::UpdateUser, Object::User(id), revision).await?;
        let after = one(&self.write, id).await?.ok_or(ChangeError::NotFound { what: WHAT })?;
        self.follow(&before, &after).await?;
        Ok(after)
    }

    pub async fn delete_user(&self, id: &UserId) -> Result<(), ChangeError> {
        let row = find_row(&self.write, id).await?.ok_or(ChangeError::NotFound { what: WHAT })?;
        keys::delete_all(&self.write, id).await?;
        users::Entity::delete_by_id(id.to_string()).exec(&self.write).await?;
        revocations::record(&self.write, id, self.at).await?;
        Ok(self.audit(Action::DeleteUser, Object::User(id), row.revision).await?)
    }

    async fn follow(&self, before: &User, after: &User) -> Result<(), StoreError> {
        if outdates_tokens(before, after) {
            revocations::record(&self.write, &after.id, self.at).await?;
        }
        if is_banned(before, after) {
            self.end_sessions(&after.id, None).await?;
        }
        let is_inactive = after.state != UserState::active();
        if is_inactive {
            service_accounts::Entity::update_many()
                .col_expr(service_accounts::Column::State, Expr::value(after.state.as_str()))
                .col_expr(service_accounts::Column::UpdatedAt, Expr::value(self.at.to_column()))
                .filter(service_accounts::Column::UserId.eq(after.id.as_str()))
                .filter(service_accounts::Column::State.ne(after.state.as_str()))
                .exec(&self.write)
                .await?;
        }
        if is_inactive || (before.otp && !after.otp) {
            keys::deactivate_all(&self.write, &after.id, self.at).await?;
        }
        Ok(())
    }

    /// Addresses and own names are of one user; addresses of service accounts count too.
    async fn refuse_same(&self, id: &UserId, details: &Details) -> Result<(), ChangeError> {
        let others = Condition::all().add(users::Column::Id.ne(id.as_str()));
        if let Some(key) = details.email.as_ref().map(Email::key) {
            let same = others.clone().add(users::Column::EmailKey.eq(key.as_str()));
            let service = service_accounts::Column::EmailKey.eq(key.as_str());
            let is_service = service_accounts::Entity::find().filter(service).one(&self.write).await?.is_some();
            if is_service || users::Entity::find().filter(same).one(&self.write).await?.is_some() {
                return Err(ChangeError::Taken { what: "email" });
            }
        }
        if let Some(key) = username_key(details) {
            let same = others.add(users::Column::UsernameKey.eq(key));
            if users::Entity::find().filter(same).one(&self.write).await?.is_some() {
                return Err(ChangeError::Taken { what: "username" });
            }
        }
        Ok(())
    }
}

/// Whether the id is of a service account.
async fn is_service(write: &impl ConnectionTrait, id: &UserId) -> Result<bool, DbErr> {
    let same = service_accounts::Column::Uid.eq(id.as_str());
    Ok(service_accounts::Entity::find().filter(same).limit(1).one(write).await?.is_some())
}

fn is_banned(before: &User, after: &User) -> bool {
    before.state != after.state && after.state != UserState::active()
}

/// Whether a token issued before the change may say more than the user may do after it.
fn outdates_tokens(before: &User, after: &User) -> bool {
    let holds_others = before.roles != after.roles || before.groups != after.groups;
    let is_less = after.level < before.level || (before.otp && !after.otp);
    is_banned(before, after) || holds_others || is_less
}

fn username_key(details: &Details) -> Option<String> {
    match &details.username {
        Some(Username::Own(name)) => Some(name.to_lowercase()),
        Some(Username::Shared(_)) | None => None,
    }
}

fn details_row(details: &Details) -> users::ActiveModel {
    let Details { email, username, first_name, last_name, language, preferences, data, referral } = details.clone();
    users::ActiveModel {
        email_key: Set(email.as_ref().map(Email::key)),
        email: Set(email.map(|email| email.to_string())),
        username_key: Set(username_key(details)),
        username: Set(username.map(|name| name.as_str().to_owned())),
        first_name: Set(first_name),
        last_name: Set(last_name),
        language: Set(language),
        preferences: Set(preferences),
        data: Set(data),
        referral: Set(referral.map(|id| id.to_string())),
        ..Default::default()
    }
}

async fn account(db: &impl ConnectionTrait, id: &UserId) -> Result<Option<Account>, DbErr> {
    Ok(accounts(db, &Find::all().is(AccountColumn::Id, id.as_str())).await?.pop())
}

async fn accounts(db: &impl ConnectionTrait, find: &Find<AccountRow>) -> Result<Vec<Account>, DbErr> {
    let rows = find.run(db).await?;
    let wanted = rows.iter().map(|row| row.id.as_str());
    let users = load(db, ids(|ids| ids.and_where(users::Column::Id.is_in(wanted)))).await?;
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        // Who was deleted between the two statements is not there.
        let found = users.binary_search_by(|user| user.id.as_str().cmp(&row.id));
        if let Some(user) = found.ok().and_then(|at| users.get(at)) {
            accounts.push(Account { user: user.clone(), details: details(row)? });
        }
    }
    Ok(accounts)
}

fn details(row: users::Model) -> Result<Details, DbErr> {
    let username = row.username.map(|name| match row.username_key {
        Some(_) => Username::Own(name),
        None => Username::Shared(name),
    });
    Ok(Details {
        email: row.email.map(|text| Email::parse(&text).map_err(stored)).transpose()?,
        username,
        first_name: row.first_name,
        last_name: row.last_name,
        language: row.language,
        preferences: row.preferences,
        data: row.data,
        referral: row.referral.map(|text| UserId::parse(&text).map_err(stored)).transpose()?,
    })
}
