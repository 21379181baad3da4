//! Users that were read before, in memory, for whoever asks about the same ones again and again.
//!
//! A write of this process that changes a user makes it forgotten before the write is answered. What other processes
//! write, `Directory::audit_entries` tells, and whoever follows the trail passes it on by `Directory::forget_user`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{Directory, StoreError, User, UserId};

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<RwLock<Users>>);

#[derive(Default)]
struct Users {
    by_id: HashMap<UserId, Arc<User>>,
    /// How often something was forgotten.
    forgotten: u64,
}

/// Users that are kept; some hundred bytes each.
const MOST: usize = 100_000;

// === impl Directory ===

impl Directory {
    /// The user as it is, or as it was before writes of other processes of which nobody has told.
    pub async fn known_user(&self, id: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        let forgotten = match self.known.find(id) {
            Ok(user) => return Ok(Some(user)),
            Err(forgotten) => forgotten,
        };
        // Boxed, so that whoever finds the user in memory does not carry room for a query.
        let user = Box::pin(self.user(id)).await?.map(Arc::new);
        if let Some(user) = &user {
            self.known.keep(user, forgotten);
        }
        Ok(user)
    }

    /// Somebody else changed the user.
    pub fn forget_user(&self, id: &UserId) {
        self.known.forget(id);
    }
}

// === impl Known ===

impl Known {
    /// Else how often something was forgotten until now.
    fn find(&self, id: &UserId) -> Result<Arc<User>, u64> {
        let users = self.read();
        users.by_id.get(id).cloned().ok_or(users.forgotten)
    }

    /// Keeps what was read. `forgotten` is of before the reading: when something was forgotten since then, it may have
    /// been this user.
    fn keep(&self, user: &Arc<User>, forgotten: u64) {
        let mut users = self.write();
        if users.forgotten != forgotten {
            return;
        }
        if users.by_id.len() >= MOST {
            users.by_id.clear();
        }
        users.by_id.insert(user.id.clone(), Arc::clone(user));
    }

    pub(crate) fn forget(&self, id: &UserId) {
        let mut users = self.write();
        users.by_id.remove(id);
        users.forgotten = users.forgotten.wrapping_add(1);
    }

    fn read(&self) -> RwLockReadGuard<'_, Users> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Users> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
