//! A write: everything that is to become true together, or not at all.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use sea_orm::{ConnectionTrait, DbErr};

use crate::audit::{self, Action, Object};
use crate::known::Known;
use crate::records::{self, ColumnOf, Find, Listed, Record};
use crate::write::Write;
use crate::{Directory, StoreError, UnixSeconds, UserId, When};

/// An open write of one author at one time. Dropped without `commit`, nothing of it happens.
///
/// Writes take turns, so a read through the write stays true until it ends.
pub struct Change {
    pub(crate) write: Write,
    pub(crate) by: UserId,
    pub(crate) at: UnixSeconds,
    known: Known,
    /// Whose entries the trail gets.
    changed: Mutex<BTreeSet<UserId>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Another one has what must be of one alone; what that is, like `email`.
    #[error("{what} is taken")]
    Taken { what: &'static str },
    #[error("there is no such {what}")]
    NotFound { what: &'static str },
    /// Somebody else was faster.
    #[error("it was changed meanwhile, to revision {current}")]
    Stale { current: u64 },
    /// What a key needs to work: an active holder.
    #[error("the holder is not active")]
    HolderInactive,
    #[error("the second factor is on")]
    FactorOn,
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Change ===

impl Change {
    pub async fn commit(self) -> Result<(), StoreError> {
        // After a statement that failed PostgreSQL answers a commit by taking everything back, and says nothing.
        self.write.execute_unprepared("SELECT 1").await?;
        let Self { write, known, changed, .. } = self;
        let done = write.commit().await;
        // Also after an error: nobody knows then whether it was stored.
        changed.into_inner().unwrap_or_else(PoisonError::into_inner).iter().for_each(|id| known.forget(id));
        Ok(done?)
    }

    /// The same write by another author, who turned out to be the one.
    pub fn in_name_of(self, by: UserId) -> Self {
        Self { by, ..self }
    }

    /// Adds what belongs to a user.
    pub async fn add<R: Record>(&self, owner: &UserId, draft: R::Draft) -> Result<R, ChangeError> {
        records::add(self, owner, draft).await
    }

    /// Puts `draft` in place of all that row `id` says.
    pub async fn replace<R: Record>(&self, id: i64, draft: R::Draft) -> Result<R, ChangeError> {
        records::replace(self, id, draft).await
    }

    pub async fn remove<R: Record>(&self, id: i64) -> Result<R, ChangeError> {
        records::remove(self, id).await
    }

    /// Seals a column of row `id` anew, by another key of the server; what it says stays, so that is no update.
    pub async fn reseal<R: Record>(&self, id: i64, column: ColumnOf<R>, sealed: Vec<u8>) -> Result<(), StoreError> {
        Ok(records::reseal::<R>(self, id, column, sealed).await?)
    }

    pub async fn get<R: Listed>(&self, id: i64) -> Result<Option<R>, StoreError> {
        Ok(records::get(&self.write, id).await?)
    }

    pub async fn find<R: Listed>(&self, find: &Find<R>) -> Result<Vec<R>, StoreError> {
        Ok(find.run(&self.write).await?)
    }

    pub(crate) async fn audit(&self, action: Action, object: Object<'_>, revision: i64) -> Result<(), DbErr> {
        if let Object::User(id) = object {
            self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        }
        audit::record(&self.write, &self.by, action, object, revision, self.at).await
    }
}

// === impl Directory ===

impl Directory {
    /// Begins a write; others wait until it ends. What it voids was issued before its turn came, so whoever has a clock
    /// says it then.
    pub async fn change(&self, by: &UserId, at: impl When) -> Result<Change, StoreError> {
        let write = self.write().await?;
        Ok(Change { write, by: by.clone(), at: at.time(), known: self.known.clone(), changed: Mutex::default() })
    }

    pub async fn get<R: Listed>(&self, id: i64) -> Result<Option<R>, StoreError> {
        Ok(records::get(&self.db, id).await?)
    }

    pub async fn find<R: Listed>(&self, find: &Find<R>) -> Result<Vec<R>, StoreError> {
        Ok(find.run(&self.db).await?)
    }

    /// How many there are on all pages.
    pub async fn count<R: Listed>(&self, find: &Find<R>) -> Result<u64, StoreError> {
        Ok(find.count(&self.db).await?)
    }
}

impl From<DbErr> for ChangeError {
    fn from(error: DbErr) -> Self {
        Self::Store(StoreError(error))
    }
}
