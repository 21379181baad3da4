//! What works once, and what is counted: one-time tokens, nonces, failed logins. None of these takes a turn among writes, but
//! for a one-time token that allows one.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait as _, PaginatorTrait, QueryFilter,
};

use crate::audit::{Action, Object};
use crate::change::Change;
use crate::entities::{attempts, nonces, one_time_tokens};
use crate::{Directory, SecretHash, StoreError, UnixSeconds};

/// Purpose of tokens that set a password, by the id of the user. Another password makes them void.
pub const PASSWORD_RESET: &str = "password.reset";

/// A token that works once, for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub hash: SecretHash,
    /// What it allows, like `PASSWORD_RESET`.
    pub purpose: String,
    /// Whom it is about: the id of a user, an address.
    pub subject: String,
    pub data: Option<String>,
    pub created_at: UnixSeconds,
    pub expires_at: UnixSeconds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceUse {
    Fresh,
    Used,
    /// The key has as many unexpired nonces as it may have.
    TooMany,
}

/// Hash of what failures are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptKey(pub [u8; 32]);

// === one-time tokens ===

impl Directory {
    pub async fn add_one_time_token(&self, token: &OneTimeToken) -> Result<(), StoreError> {
        Ok(add_token(&self.db, token).await?)
    }

    /// Makes all tokens of that purpose and subject void.
    pub async fn drop_one_time_tokens(&self, purpose: &str, subject: &str) -> Result<(), StoreError> {
        Ok(drop_tokens(&self.db, purpose, subject).await?)
    }

    /// Forgets what has expired: one-time tokens, nonces, and failures counted since before `failures_since`.
    pub async fn drop_expired(&self, at: UnixSeconds, failures_since: UnixSeconds) -> Result<(), StoreError> {
        one_time_tokens::Entity::delete_many()
            .filter(one_time_tokens::Column::ExpiresAt.lte(at.to_column()))
            .exec(&self.db)
            .await?;
        nonces::Entity::delete_many()
            .filter(nonces::Column::ExpiresAt.lt(at.to_column().saturating_mul(1000)))
            .exec(&self.db)
            .await?;
        attempts::Entity::delete_many()
            .filter(attempts::Column::Since.lt(failures_since.to_column()))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}

impl Change {
    /// A token that somebody gives away in its own name, which the trail says.
    pub async fn offer_token(&self, token: &OneTimeToken) -> Result<(), StoreError> {
        add_token(&self.write, token).await?;
        Ok(self.audit(Action::OfferToken, Object::OneTimeToken(&token.purpose), 0).await?)
    }

    /// The token, which is gone once the write is committed; `None` for one that was used, has expired, or is for
    /// something else.
    pub async fn take_one_time_token(
        &self,
        hash: SecretHash,
        purpose: &str,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let find = one_time_tokens::Entity::find_by_id(hash.0.to_vec())
            .filter(one_time_tokens::Column::Purpose.eq(purpose))
            .filter(one_time_tokens::Column::ExpiresAt.gt(self.at.to_column()));
        let Some(row) = find.one(&self.write).await? else { return Ok(None) };
        // A token may be replaced or forgotten without a turn, meanwhile.
        let taken = one_time_tokens::Entity::delete_by_id(hash.0.to_vec()).exec(&self.write).await?;
        let one_time_tokens::Model { hash: _, purpose, subject, data, created_at, expires_at } = row;
        Ok((taken.rows_affected == 1).then(|| OneTimeToken {
            hash,
            purpose,
            subject,
            data,
            created_at: UnixSeconds::from_column(created_at),
            expires_at: UnixSeconds::from_column(expires_at),
        }))
    }
}

async fn add_token(db: &impl ConnectionTrait, token: &OneTimeToken) -> Result<(), DbErr> {
    let OneTimeToken { hash, purpose, subject, data, created_at, expires_at } = token.clone();
    let row = one_time_tokens::ActiveModel {
        hash: Set(hash.0.to_vec()),
        purpose: Set(purpose),
        subject: Set(subject),
        data: Set(data),
        created_at: Set(created_at.to_column()),
        expires_at: Set(expires_at.to_column()),
    };
    one_time_tokens::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

pub(crate) async fn drop_tokens(db: &impl ConnectionTrait, purpose: &str, subject: &str) -> Result<(), DbErr> {
    one_time_tokens::Entity::delete_many()
        .filter(one_time_tokens::Column::Purpose.eq(purpose))
        .filter(one_time_tokens::Column::Subject.eq(subject))
        .exec(db)
        .await?;
    Ok(())
}

// === nonces ===

impl Directory {
    /// Uses a nonce of the key, which is remembered until `expires_at_ms`; at most `limit` of them are at a time.
    pub async fn use_nonce(
        &self,
        key_id: &str,
        nonce: &str,
        (now_ms, expires_at_ms): (u64, u64),
        limit: u64,
    ) -> Result<NonceUse, StoreError> {
        let milliseconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let write = self.begin().await?;
        nonces::Entity::delete_many()
            .filter(nonces::Column::KeyId.eq(key_id))
            .filter(nonces::Column::ExpiresAt.lt(milliseconds(now_ms)))
            .exec(&write)
            .await?;
        let kept = nonces::Entity::find().filter(nonces::Column::KeyId.eq(key_id)).count(&write).await?;
        let row = nonces::ActiveModel {
            key_id: Set(key_id.to_owned()),
            nonce: Set(nonce.to_owned()),
            expires_at: Set(milliseconds(expires_at_ms)),
        };
        let known = OnConflict::columns([nonces::Column::KeyId, nonces::Column::Nonce]).do_nothing().to_owned();
        let inserted = match nonces::Entity::insert(row).on_conflict(known).exec_without_returning(&write).await {
            Err(DbErr::RecordNotInserted) => 0,
            inserted => inserted?,
        };
        if inserted == 0 {
            return Ok(NonceUse::Used);
        }
        if kept >= limit {
            return Ok(NonceUse::TooMany);
        }
        write.commit().await?;
        Ok(NonceUse::Fresh)
    }
}

// === failed logins ===

impl Directory {
    /// Counts one more attempt as failed, in advance, and says how many there were since `since`, this one included.
    /// Attempts at the same time cannot pass each other by.
    pub async fn count_attempt(&self, key: AttemptKey, since: UnixSeconds, at: UnixSeconds) -> Result<u64, StoreError> {
        use attempts::Column;
        let write = self.begin().await?;
        let first = attempts::ActiveModel { key: Set(key.0.to_vec()), failures: Set(0), since: Set(at.to_column()) };
        let known = OnConflict::column(Column::Key).do_nothing().to_owned();
        match attempts::Entity::insert(first).on_conflict(known).exec_without_returning(&write).await {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error.into()),
        }
        let this = || Column::Key.eq(key.0.to_vec());
        attempts::Entity::update_many()
            .col_expr(Column::Failures, Expr::value(0_i64))
            .col_expr(Column::Since, Expr::value(at.to_column()))
            .filter(this())
            .filter(Column::Since.lt(since.to_column()))
            .exec(&write)
            .await?;
        attempts::Entity::update_many()
            .col_expr(Column::Failures, Expr::col(Column::Failures).add(1))
            .filter(this())
            .exec(&write)
            .await?;
        let row = attempts::Entity::find_by_id(key.0.to_vec()).one(&write).await?;
        write.commit().await?;
        Ok(row.map_or(0, |row| row.failures.unsigned_abs()))
    }

    /// The attempt did not fail: it does not count. Those before it do.
    pub async fn uncount_attempt(&self, key: AttemptKey) -> Result<(), StoreError> {
        use attempts::Column;
        attempts::Entity::update_many()
            .col_expr(Column::Failures, Expr::col(Column::Failures).sub(1))
            .filter(Column::Key.eq(key.0.to_vec()))
            .filter(Column::Failures.gt(0))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// The attempt did not fail; those before it are forgotten.
    pub async fn forget_attempts(&self, key: AttemptKey) -> Result<(), StoreError> {
        attempts::Entity::delete_by_id(key.0.to_vec()).exec(&self.db).await?;
        Ok(())
    }
}
