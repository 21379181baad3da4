//! The first start: a token that works once, for creating the first user.

use sea_orm::{ActiveValue::Set, EntityTrait, PaginatorTrait};

use crate::audit::{self, Action, Object};
use crate::entities::setup_tokens;
use crate::tokens::insert_token;
use crate::users::{FIRST_REVISION, has_users, insert_user};
use crate::{AccessToken, CreateUserError, Directory, NewUser, SecretHash, StoreError, UnixSeconds, User};

/// The first user and a token for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstUser {
    pub user: NewUser,
    pub token: AccessToken,
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Never issued, replaced by a newer one, or used.
    #[error("this is not the setup token")]
    WrongToken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Directory ===

impl Directory {
    /// Makes `hash` the setup token, instead of any before it. False when there are users: then there is none.
    pub async fn issue_setup_token(&self, hash: SecretHash, at: UnixSeconds) -> Result<bool, StoreError> {
        let write = self.write().await?;
        setup_tokens::Entity::delete_many().exec(&write).await?;
        let is_new = !has_users(&write).await?;
        if is_new {
            let row = setup_tokens::ActiveModel { hash: Set(hash.0.to_vec()), created_at: Set(at.to_column()) };
            setup_tokens::Entity::insert(row).exec_without_returning(&write).await?;
        }
        write.commit().await?;
        Ok(is_new)
    }

    pub async fn is_setup_token(&self, hash: SecretHash) -> Result<bool, StoreError> {
        Ok(setup_tokens::Entity::find_by_id(hash.0.to_vec()).count(&self.db).await? > 0)
    }

    /// Creates the first user; the setup token is gone afterwards.
    pub async fn set_up(&self, setup: SecretHash, first: &FirstUser, at: UnixSeconds) -> Result<User, SetupError> {
        let write = self.write().await.map_err(StoreError)?;
        let used = setup_tokens::Entity::delete_by_id(setup.0.to_vec()).exec(&write).await.map_err(StoreError)?;
        if used.rows_affected == 0 || has_users(&write).await.map_err(StoreError)? {
            return Err(SetupError::WrongToken);
        }
        let user = insert_user(&write, &first.user, at).await.map_err(|error| match error {
            CreateUserError::Exists => SetupError::WrongToken,
            CreateUserError::Store(error) => SetupError::Store(error),
        })?;
        insert_token(&write, &user.id, &first.token, at).await.map_err(StoreError)?;
        audit::record(&write, &user.id, Action::Setup, Object::User(&user.id), FIRST_REVISION, at)
            .await
            .map_err(StoreError)?;
        write.commit().await.map_err(StoreError)?;
        Ok(user)
    }
}
