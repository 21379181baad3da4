//! Sessions: the directory knows only hashes of cookies.

use std::net::IpAddr;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::change::Change;
use crate::entities::sessions::{self, Column};
use crate::users::{one, stored};
use crate::{Directory, PageSize, SecretHash, StoreError, UnixSeconds, User, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Of the cookie.
    pub hash: SecretHash,
    pub user: UserId,
    /// As it was at the login.
    pub user_ip: String,
    pub user_agent: Option<String>,
    pub created_at: UnixSeconds,
    /// The last use, give or take.
    pub seen_at: UnixSeconds,
}

/// Who logs in, as it was when it proved to be that user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub user: User,
    /// The hash of the password that was shown; `None` when it proved itself without.
    pub password: Option<String>,
}

/// Whose sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// Of those who logged in from this address.
    From(IpAddr),
    Everybody,
}

// === impl Directory ===

impl Directory {
    pub async fn session(&self, hash: SecretHash) -> Result<Option<Session>, StoreError> {
        let row = sessions::Entity::find_by_id(hash.0.to_vec()).one(&self.db).await?;
        Ok(row.map(session).transpose()?)
    }

    /// Sessions of the user, the oldest first.
    pub async fn sessions(&self, user: &UserId, skip: u64, limit: PageSize) -> Result<Vec<Session>, StoreError> {
        let rows = sessions::Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Hash)
            .offset(skip)
            .limit(limit.get())
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(session).collect::<Result<_, DbErr>>()?)
    }

    /// It is used at `at`; one that ended stays ended.
    pub async fn touch_session(&self, hash: SecretHash, at: UnixSeconds) -> Result<(), StoreError> {
        sessions::Entity::update_many()
            .col_expr(Column::SeenAt, Expr::value(at.to_column()))
            .filter(Column::Hash.eq(hash.0.to_vec()))
            .filter(Column::SeenAt.lt(at.to_column()))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// False when there is none.
    pub async fn end_session(&self, hash: SecretHash) -> Result<bool, StoreError> {
        Ok(sessions::Entity::delete_by_id(hash.0.to_vec()).exec(&self.db).await?.rows_affected == 1)
    }

    /// Forgets sessions that began until `created`, or were last used until `seen`.
    pub async fn drop_sessions(&self, created: UnixSeconds, seen: UnixSeconds) -> Result<u64, StoreError> {
        let is_over =
            Condition::any().add(Column::CreatedAt.lte(created.to_column())).add(Column::SeenAt.lte(seen.to_column()));
        Ok(sessions::Entity::delete_many().filter(is_over).exec(&self.db).await?.rows_affected)
    }
}

// === impl Change ===

impl Change {
    /// Adds the session of whoever proved to be a user. False, and there is none, when that user has another password,
    /// state or second factor by now, or is gone.
    pub async fn add_session(&self, session: &Session, proven: &Proven) -> Result<bool, StoreError> {
        let Proven { user: before, password } = proven;
        let Some(user) = one(&self.write, &before.id).await? else { return Ok(false) };
        let has_same = match password {
            Some(shown) => self.credentials(&user.id).await?.password.as_ref() == Some(shown),
            None => true,
        };
        if !has_same || user.state != before.state || user.otp != before.otp {
            return Ok(false);
        }
        let Session { hash, user, user_ip, user_agent, created_at, seen_at } = session.clone();
        let row = sessions::ActiveModel {
            hash: Set(hash.0.to_vec()),
            user_id: Set(user.to_string()),
            user_ip: Set(user_ip),
            user_agent: Set(user_agent),
            created_at: Set(created_at.to_column()),
            seen_at: Set(seen_at.to_column()),
        };
        sessions::Entity::insert(row).exec_without_returning(&self.write).await?;
        Ok(true)
    }

    /// Ends the sessions of the user, but for one; says how many there were.
    pub async fn end_sessions(&self, user: &UserId, but: Option<SecretHash>) -> Result<u64, StoreError> {
        let ended = sessions::Entity::delete_many()
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Condition::all().add_option(but.map(|hash| Column::Hash.ne(hash.0.to_vec()))))
            .exec(&self.write)
            .await?;
        Ok(ended.rows_affected)
    }
}

/// Ends sessions within the transaction `write`.
pub(crate) async fn log_out(write: &impl ConnectionTrait, who: LogOut) -> Result<(), DbErr> {
    let sessions = sessions::Entity::delete_many();
    match who {
        // One text for each address: sessions have the same.
        LogOut::From(address) => sessions.filter(Column::UserIp.eq(address.to_canonical().to_string())),
        LogOut::Everybody => sessions,
    }
    .exec(write)
    .await?;
    Ok(())
}

fn session(row: sessions::Model) -> Result<Session, DbErr> {
    let sessions::Model { hash, user_id, user_ip, user_agent, created_at, seen_at } = row;
    Ok(Session {
        hash: SecretHash(hash.try_into().map_err(|_| DbErr::Type("hash is not 32 bytes".to_owned()))?),
        user: UserId::parse(&user_id).map_err(stored)?,
        user_ip,
        user_agent,
        created_at: UnixSeconds::from_column(created_at),
        seen_at: UnixSeconds::from_column(seen_at),
    })
}
