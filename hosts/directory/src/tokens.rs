//! Access tokens: the directory knows only their hashes.

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::audit::{self, Action, Object};
use crate::entities::{access_tokens, users};
use crate::revocations;
use crate::users::{find_row, ids, load};
use crate::{Directory, StoreError, TokenLabel, UnixSeconds, User, UserId, When};

/// SHA-256 of a random secret of 32 bytes. The secret has full entropy, so the hash needs no salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

/// A token to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    pub hash: SecretHash,
    pub label: Option<TokenLabel>,
}

#[derive(Debug, thiserror::Error)]
pub enum IssueTokenError {
    #[error("there is no user of this id")]
    NoUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Directory ===

impl Directory {
    /// The owner of a token that was not revoked.
    pub async fn user_by_token(&self, hash: SecretHash) -> Result<Option<User>, StoreError> {
        let owner = Query::select()
            .column(access_tokens::Column::UserId)
            .from(access_tokens::Entity)
            .and_where(access_tokens::Column::Hash.eq(hash.0.to_vec()))
            .and_where(access_tokens::Column::RevokedAt.is_null())
            .to_owned();
        Ok(load(&self.db, ids(|ids| ids.and_where(users::Column::Id.in_subquery(owner)))).await?.pop())
    }

    pub async fn issue_token(
        &self,
        user: &UserId,
        token: &AccessToken,
        by: &UserId,
        at: UnixSeconds,
    ) -> Result<(), IssueTokenError> {
        let write = self.write().await.map_err(StoreError)?;
        let row = find_row(&write, user).await?.ok_or(IssueTokenError::NoUser)?;
        insert_token(&write, user, token, at).await.map_err(StoreError)?;
        audit::record(&write, by, Action::IssueToken, Object::User(user), row.revision, at)
            .await
            .map_err(StoreError)?;
        Ok(write.commit().await.map_err(StoreError)?)
    }

    /// Revokes every token of the user and ends its sessions; says how many tokens there were.
    pub async fn revoke_tokens(&self, user: &UserId, by: &UserId, at: impl When) -> Result<u64, IssueTokenError> {
        let change = self.change(by, at).await?;
        let row = find_row(&change.write, user).await?.ok_or(IssueTokenError::NoUser)?;
        let revoked = revoke_all(&change.write, user, change.at).await.map_err(StoreError)?;
        change.end_sessions(user, None).await?;
        // An edge may have asked who the owner of a token is, and remember the answer.
        revocations::record(&change.write, user, change.at).await.map_err(StoreError)?;
        change.audit(Action::RevokeTokens, Object::User(user), row.revision).await.map_err(StoreError)?;
        change.commit().await?;
        Ok(revoked)
    }
}

pub(crate) async fn revoke_all(write: &impl ConnectionTrait, user: &UserId, at: UnixSeconds) -> Result<u64, DbErr> {
    let revoked = access_tokens::Entity::update_many()
        .col_expr(access_tokens::Column::RevokedAt, Expr::value(at.to_column()))
        .filter(access_tokens::Column::UserId.eq(user.as_str()))
        .filter(access_tokens::Column::RevokedAt.is_null())
        .exec(write)
        .await?;
    Ok(revoked.rows_affected)
}

pub(crate) async fn insert_token(
    write: &impl ConnectionTrait,
    user: &UserId,
    token: &AccessToken,
    at: UnixSeconds,
) -> Result<(), DbErr> {
    let row = access_tokens::ActiveModel {
        hash: Set(token.hash.0.to_vec()),
        user_id: Set(user.to_string()),
        label: Set(token.label.as_ref().map(TokenLabel::to_string)),
        created_at: Set(at.to_column()),
        revoked_at: Set(None),
    };
    access_tokens::Entity::insert(row).exec_without_returning(write).await?;
    Ok(())
}
