//! What users prove themselves with. Only hashes and sealed seeds get here.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::audit::{Action, Object};
use crate::change::{Change, ChangeError};
use crate::entities::credentials::{self, Column};
use crate::once::{PASSWORD_RESET, drop_tokens};
use crate::users::{find_row, stored};
use crate::{Directory, PageSize, SecretHash, StoreError, UnixSeconds, UserId, revocations};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Argon2id in PHC form; without, no password lets in.
    pub password: Option<String>,
    pub password_changed_at: Option<UnixSeconds>,
    /// Sealed.
    pub totp_seed: Option<Vec<u8>>,
}

// === impl Directory ===

impl Directory {
    /// Nothing for a user without, and for nobody.
    pub async fn credentials(&self, user: &UserId) -> Result<Credentials, StoreError> {
        Ok(credentials_of(&self.db, user).await?)
    }

    /// The same password by another hash. False, and nothing is stored, when it is no longer that hash.
    pub async fn rehash_password(&self, user: &UserId, from: &str, to: String) -> Result<bool, StoreError> {
        let rehashed = credentials::Entity::update_many()
            .col_expr(Column::Password, Expr::value(to))
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Column::Password.eq(from))
            .exec(&self.db)
            .await?;
        Ok(rehashed.rows_affected == 1)
    }
}

// === impl Change ===

impl Change {
    /// As the write sees them.
    pub async fn credentials(&self, user: &UserId) -> Result<Credentials, StoreError> {
        Ok(credentials_of(&self.write, user).await?)
    }

    /// `None` lets no password in. Whoever knew the one before loses what it got by it: sessions but `kept`, tokens, and
    /// tokens that would set another one.
    pub async fn set_password(
        &self,
        user: &UserId,
        hash: Option<String>,
        kept: Option<SecretHash>,
    ) -> Result<(), ChangeError> {
        let found = find_row(&self.write, user).await?.ok_or(ChangeError::NotFound { what: "user" })?;
        let before = self.credentials(user).await?;
        let row = credentials::ActiveModel {
            user_id: Set(user.to_string()),
            password: Set(hash),
            password_changed_at: Set(Some(self.at.to_column())),
            ..Default::default()
        };
        self.put(row, [Column::Password, Column::PasswordChangedAt]).await?;
        if before.password.is_some() {
            revocations::record(&self.write, user, self.at).await?;
        }
        self.end_sessions(user, kept).await?;
        drop_tokens(&self.write, PASSWORD_RESET, user.as_str()).await?;
        Ok(self.audit(Action::SetPassword, Object::User(user), found.revision).await?)
    }

    /// A seed that is not the one before starts with no step used. None replaces that of a factor that is on.
    pub async fn set_totp_seed(&self, user: &UserId, seed: Option<Vec<u8>>) -> Result<(), ChangeError> {
        let found = find_row(&self.write, user).await?.ok_or(ChangeError::NotFound { what: "user" })?;
        if found.otp && seed.is_some() {
            return Err(ChangeError::FactorOn);
        }
        let row = credentials::ActiveModel {
            user_id: Set(user.to_string()),
            totp_seed: Set(seed),
            totp_step: Set(None),
            ..Default::default()
        };
        self.put(row, [Column::TotpSeed, Column::TotpStep]).await?;
        Ok(self.audit(Action::SetTotp, Object::User(user), found.revision).await?)
    }

    /// True once for each step that is later than all before: a code works once, and older ones no longer.
    pub async fn use_totp_step(&self, user: &UserId, step: u64) -> Result<bool, StoreError> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let is_earlier = Condition::any().add(Column::TotpStep.is_null()).add(Column::TotpStep.lt(step));
        let used = credentials::Entity::update_many()
            .col_expr(Column::TotpStep, Expr::value(step))
            .filter(Column::UserId.eq(user.as_str()))
            .filter(is_earlier)
            .exec(&self.write)
            .await?;
        Ok(used.rows_affected == 1)
    }

    /// Sealed seeds by user, after `after`: for sealing them anew.
    pub async fn totp_seeds(
        &self,
        after: Option<&UserId>,
        limit: PageSize,
    ) -> Result<Vec<(UserId, Vec<u8>)>, StoreError> {
        let rows = credentials::Entity::find()
            .filter(Condition::all().add_option(after.map(|after| Column::UserId.gt(after.as_str()))))
            .filter(Column::TotpSeed.is_not_null())
            .order_by_asc(Column::UserId)
            .limit(limit.get())
            .all(&self.write)
            .await?;
        let seed = |row: credentials::Model| {
            Ok((UserId::parse(&row.user_id).map_err(stored)?, row.totp_seed.unwrap_or_default()))
        };
        Ok(rows.into_iter().map(seed).collect::<Result<_, DbErr>>()?)
    }

    /// The same seed, sealed by another key of the server.
    pub async fn reseal_totp_seed(&self, user: &UserId, seed: Vec<u8>) -> Result<(), StoreError> {
        credentials::Entity::update_many()
            .col_expr(Column::TotpSeed, Expr::value(seed))
            .filter(Column::UserId.eq(user.as_str()))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    async fn put(&self, row: credentials::ActiveModel, columns: [Column; 2]) -> Result<(), StoreError> {
        let replace = OnConflict::column(Column::UserId).update_columns(columns).to_owned();
        credentials::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.write).await?;
        Ok(())
    }
}

async fn credentials_of(db: &impl ConnectionTrait, user: &UserId) -> Result<Credentials, DbErr> {
    let row = credentials::Entity::find_by_id(user.to_string()).one(db).await?;
    Ok(row.map(Credentials::from).unwrap_or_default())
}

impl From<credentials::Model> for Credentials {
    fn from(row: credentials::Model) -> Self {
        let credentials::Model { user_id: _, password, password_changed_at, totp_seed, totp_step: _ } = row;
        let password_changed_at = password_changed_at.map(UnixSeconds::from_column);
        Self { password, password_changed_at, totp_seed }
    }
}
