//! Service accounts, and API keys of them and of users.

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, QueryFilter,
    QuerySelect,
};

use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::entities::{api_keys, service_accounts, users};
use crate::records::record;
use crate::users::{find_row, one};
use crate::{Directory, Email, RoleName, StoreError, UnixSeconds, User, UserId, UserState};

record!(ServiceAccount, ServiceAccountColumn, service_accounts, "service account");
record!(ApiKey, ApiKeyColumn, api_keys, "API key");

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountDraft {
    pub owner: Option<UserId>,
    pub email: Email,
    pub role: RoleName,
    pub level: u32,
    pub state: UserState,
}

/// Who holds an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    User(User),
    ServiceAccount(ServiceAccount),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderKind {
    User,
    ServiceAccount,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    pub kid: String,
    pub algorithm: String,
    /// Sealed.
    pub secret: Vec<u8>,
    /// JSON list of texts.
    pub scope: String,
}

/// The state in which a key works.
pub const ACTIVE_KEY: &str = "active";
pub const INACTIVE_KEY: &str = "inactive";

// === impl HolderKind ===

impl HolderKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServiceAccount => "service_account",
        }
    }
}

// === impl Directory ===

impl Directory {
    pub async fn service_account(&self, uid: &UserId) -> Result<Option<ServiceAccount>, StoreError> {
        Ok(service_account(&self.db, uid).await?)
    }

    /// The key of that id with its holder, whatever the states of both; `None` also when the holder is gone.
    pub async fn api_key(&self, kid: &str) -> Result<Option<(ApiKey, Holder)>, StoreError> {
        let Some(key) = api_keys::Entity::find().filter(ApiKeyColumn::Kid.eq(kid)).one(&self.db).await? else {
            return Ok(None);
        };
        let id = UserId::parse(&key.user_id).map_err(crate::users::stored)?;
        let holder = match key.holder == HolderKind::User.name() {
            true => one(&self.db, &id).await?.map(Holder::User),
            false => service_account(&self.db, &id).await?.map(Holder::ServiceAccount),
        };
        Ok(holder.map(|holder| (key, holder)))
    }
}

// === impl Change ===

impl Change {
    pub async fn create_service_account(
        &self,
        uid: &UserId,
        draft: &ServiceAccountDraft,
    ) -> Result<ServiceAccount, ChangeError> {
        if service_account(&self.write, uid).await?.is_some() || find_row(&self.write, uid).await?.is_some() {
            return Err(ChangeError::Taken { what: "uid" });
        }
        self.refuse_same_email(uid, &draft.email).await?;
        let row = service_accounts::ActiveModel {
            uid: Set(uid.to_string()),
            created_at: Set(self.at.to_column()),
            ..self.account_row(draft).await?
        };
        let added = service_accounts::Entity::insert(row).exec_with_returning(&self.write).await?;
        self.audit(Action::CreateServiceAccount, Object::ServiceAccount(uid.as_str()), 0).await?;
        Ok(added)
    }

    /// Puts `draft` in place of all that the account was. One that is not active loses its keys.
    pub async fn replace_service_account(
        &self,
        uid: &UserId,
        draft: &ServiceAccountDraft,
    ) -> Result<ServiceAccount, ChangeError> {
        let before = service_account(&self.write, uid).await?.ok_or(NO_ACCOUNT)?;
        self.refuse_same_email(uid, &draft.email).await?;
        let row = service_accounts::ActiveModel { id: Set(before.id), ..self.account_row(draft).await? };
        let after = service_accounts::Entity::update(row).exec(&self.write).await?;
        if draft.state != UserState::active() {
            let keys = Condition::all().add(ApiKeyColumn::UserId.eq(uid.as_str()));
            deactivate(&self.write, keys, self.at).await?;
        }
        self.audit(Action::UpdateServiceAccount, Object::ServiceAccount(uid.as_str()), 0).await?;
        Ok(after)
    }

    /// Removes it with its keys.
    pub async fn delete_service_account(&self, uid: &UserId) -> Result<(), ChangeError> {
        let account = service_account(&self.write, uid).await?.ok_or(NO_ACCOUNT)?;
        api_keys::Entity::delete_many().filter(ApiKeyColumn::UserId.eq(uid.as_str())).exec(&self.write).await?;
        service_accounts::Entity::delete_by_id(account.id).exec(&self.write).await?;
        Ok(self.audit(Action::DeleteServiceAccount, Object::ServiceAccount(uid.as_str()), 0).await?)
    }

    /// Gives a key to a holder, who must be active.
    pub async fn create_api_key(&self, holder: HolderKind, id: &UserId, key: NewApiKey) -> Result<ApiKey, ChangeError> {
        self.require_active(holder, id).await?;
        if api_keys::Entity::find().filter(ApiKeyColumn::Kid.eq(key.kid.as_str())).one(&self.write).await?.is_some() {
            return Err(ChangeError::Taken { what: "kid" });
        }
        let NewApiKey { kid, algorithm, secret, scope } = key;
        let row = api_keys::ActiveModel {
            user_id: Set(id.to_string()),
            holder: Set(holder.name().to_owned()),
            kid: Set(kid),
            algorithm: Set(algorithm),
            secret: Set(secret),
            scope: Set(scope),
            state: Set(ACTIVE_KEY.to_owned()),
            created_at: Set(self.at.to_column()),
            updated_at: Set(self.at.to_column()),
            ..Default::default()
        };
        let added = api_keys::Entity::insert(row).exec_with_returning(&self.write).await?;
        self.audit(Action::CreateKey, Object::Key { holder: id.as_str(), kid: &added.kid }, 0).await?;
        Ok(added)
    }

    /// Changes state and scope; a key gets active only while its holder is.
    pub async fn update_api_key(&self, kid: &str, state: &str, scope: &str) -> Result<ApiKey, ChangeError> {
        let before = self.key(kid).await?;
        if state == ACTIVE_KEY {
            let holder = match before.holder == HolderKind::User.name() {
                true => HolderKind::User,
                false => HolderKind::ServiceAccount,
            };
            self.require_active(holder, &UserId::parse(&before.user_id).map_err(crate::users::stored)?).await?;
        }
        let row = api_keys::ActiveModel {
            id: Set(before.id),
            state: Set(state.to_owned()),
            scope: Set(scope.to_owned()),
            updated_at: Set(self.at.to_column()),
            ..Default::default()
        };
        let after = api_keys::Entity::update(row).exec(&self.write).await?;
        self.audit(Action::UpdateKey, Object::Key { holder: &after.user_id, kid }, 0).await?;
        Ok(after)
    }

    /// Seals the secret anew, by another key of the server; nothing else changes.
    pub async fn reseal_api_key(&self, id: i64, secret: Vec<u8>) -> Result<(), StoreError> {
        let row = api_keys::ActiveModel { id: Set(id), secret: Set(secret), ..Default::default() };
        api_keys::Entity::update(row).exec(&self.write).await?;
        Ok(())
    }

    pub async fn delete_api_key(&self, kid: &str) -> Result<(), ChangeError> {
        let key = self.key(kid).await?;
        api_keys::Entity::delete_by_id(key.id).exec(&self.write).await?;
        Ok(self.audit(Action::DeleteKey, Object::Key { holder: &key.user_id, kid }, 0).await?)
    }

    async fn key(&self, kid: &str) -> Result<ApiKey, ChangeError> {
        let found = api_keys::Entity::find().filter(ApiKeyColumn::Kid.eq(kid)).one(&self.write).await?;
        found.ok_or(ChangeError::NotFound { what: "API key" })
    }

    async fn require_active(&self, holder: HolderKind, id: &UserId) -> Result<(), ChangeError> {
        let state = match holder {
            HolderKind::User => find_row(&self.write, id).await?.map(|user| user.state),
            HolderKind::ServiceAccount => service_account(&self.write, id).await?.map(|account| account.state),
        };
        match state {
            None => Err(ChangeError::NotFound { what: "holder" }),
            Some(state) if state == UserState::active().as_str() => Ok(()),
            Some(_) => Err(ChangeError::HolderInactive),
        }
    }

    async fn account_row(&self, draft: &ServiceAccountDraft) -> Result<service_accounts::ActiveModel, ChangeError> {
        if let Some(owner) = &draft.owner {
            find_row(&self.write, owner).await?.ok_or(ChangeError::NotFound { what: "user" })?;
        }
        let ServiceAccountDraft { owner, email, role, level, state } = draft.clone();
        Ok(service_accounts::ActiveModel {
            user_id: Set(owner.map_or_else(String::new, |owner| owner.to_string())),
            email_key: Set(email.key()),
            email: Set(email.to_string()),
            role: Set(role.to_string()),
            level: Set(i64::from(level)),
            state: Set(state.to_string()),
            updated_at: Set(self.at.to_column()),
            ..Default::default()
        })
    }

    async fn refuse_same_email(&self, uid: &UserId, email: &Email) -> Result<(), ChangeError> {
        let of_user = users::Column::EmailKey.eq(email.key());
        let of_other = ServiceAccountColumn::EmailKey.eq(email.key()).and(ServiceAccountColumn::Uid.ne(uid.as_str()));
        let is_user = users::Entity::find().filter(of_user).one(&self.write).await?.is_some();
        if is_user || service_accounts::Entity::find().filter(of_other).one(&self.write).await?.is_some() {
            return Err(ChangeError::Taken { what: "email" });
        }
        Ok(())
    }
}

const NO_ACCOUNT: ChangeError = ChangeError::NotFound { what: "service account" };

async fn service_account(db: &impl ConnectionTrait, uid: &UserId) -> Result<Option<ServiceAccount>, DbErr> {
    service_accounts::Entity::find().filter(ServiceAccountColumn::Uid.eq(uid.as_str())).limit(1).one(db).await
}

/// Keys of the user and of its service accounts.
fn of_user(id: &UserId) -> Condition {
    let accounts = Query::select()
        .column(ServiceAccountColumn::Uid)
        .from(service_accounts::Entity)
        .and_where(ServiceAccountColumn::UserId.eq(id.as_str()))
        .to_owned();
    Condition::any().add(ApiKeyColumn::UserId.eq(id.as_str())).add(ApiKeyColumn::UserId.in_subquery(accounts))
}

pub(crate) async fn deactivate_all(write: &impl ConnectionTrait, id: &UserId, at: UnixSeconds) -> Result<(), DbErr> {
    deactivate(write, of_user(id), at).await
}

async fn deactivate(write: &impl ConnectionTrait, keys: Condition, at: UnixSeconds) -> Result<(), DbErr> {
    api_keys::Entity::update_many()
        .col_expr(ApiKeyColumn::State, Expr::value(INACTIVE_KEY))
        .col_expr(ApiKeyColumn::UpdatedAt, Expr::value(at.to_column()))
        .filter(keys)
        .filter(ApiKeyColumn::State.eq(ACTIVE_KEY))
        .exec(write)
        .await?;
    Ok(())
}

/// Of a user that goes, with its service accounts.
pub(crate) async fn delete_all(write: &impl ConnectionTrait, id: &UserId) -> Result<(), DbErr> {
    api_keys::Entity::delete_many().filter(of_user(id)).exec(write).await?;
    service_accounts::Entity::delete_many().filter(ServiceAccountColumn::UserId.eq(id.as_str())).exec(write).await?;
    Ok(())
}
