//! Private labels that the server itself writes: what it found out about a user.

use portcullis_directory::{Change, ChangeError, Find, Label, LabelColumn, LabelDraft, UserId};

/// The scope of labels that users see and do not write.
pub const PRIVATE: &str = "private";

/// Says `enabled` of whoever has a second factor.
pub const FACTOR: &str = "otp";

/// In place of what was said under that key.
pub async fn set(change: &Change, user: &UserId, key: &str, value: &str) -> Result<(), ChangeError> {
    let label =
        LabelDraft { key: key.to_owned(), value: value.to_owned(), scope: PRIVATE.to_owned(), description: None };
    match change.find(&of(user, key)).await?.first() {
        Some(found) => change.replace::<Label>(found.id, label).await?,
        None => change.add::<Label>(user, label).await?,
    };
    Ok(())
}

pub async fn remove(change: &Change, user: &UserId, key: &str) -> Result<(), ChangeError> {
    for label in change.find(&of(user, key)).await? {
        change.remove::<Label>(label.id).await?;
    }
    Ok(())
}

fn of(user: &UserId, key: &str) -> Find<Label> {
    let find = Find::<Label>::all().is(LabelColumn::UserId, user.as_str());
    find.is(LabelColumn::Key, key).is(LabelColumn::Scope, PRIVATE)
}
