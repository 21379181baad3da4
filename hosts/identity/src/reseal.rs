//! After a change of keys: everything that is sealed by another key than the current one is sealed anew.

use portcullis_directory::{
    ApiKey, ApiKeyColumn, ChangeError, ColumnOf, Directory, Find, PageSize, Phone, PhoneColumn, Profile, ProfileColumn,
    Record, StoreError, UnixSeconds, UserDocument, UserDocumentColumn, UserId,
};

use crate::random::Random;
use crate::vault::{Vault, VaultError};
use crate::{api_keys, token, totp};

#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who does it, and when.
#[derive(Clone, Copy)]
pub struct Reseal<'r> {
    pub directory: &'r Directory,
    pub vault: &'r Vault,
    pub random: &'r dyn Random,
    pub by: &'r UserId,
    pub at: UnixSeconds,
}

/// A field of a person's record, where it is sealed.
pub fn place(kind: &str, owner: &str, field: &str) -> String {
    format!("{kind}/{owner}/{field}")
}

impl Reseal<'_> {
    /// Says how many there were. Page by page; stopped in between it goes on where it was, and other writes get their turn.
    pub async fn all(&self) -> Result<u64, ResealError> {
        let mut count = self.api_keys().await? + self.seeds().await? + self.signing_keys().await?;
        count += self.records(phone_fields).await?;
        count += self.records(document_fields).await?;
        count += self.records(profile_fields).await?;
        Ok(count)
    }

    fn one(&self, place: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        self.vault.reseal(place, sealed, self.random)
    }

    async fn api_keys(&self) -> Result<u64, ResealError> {
        let (mut count, mut after) = (0, 0);
        loop {
            let change = self.directory.change(self.by, self.at).await?;
            let page = Find::<ApiKey>::all().after(ApiKeyColumn::Id, after).page(0, PageSize::DEFAULT);
            let keys = change.find(&page).await?;
            let Some(last) = keys.last() else { return Ok(count) };
            after = last.id;
            for key in keys {
                if let Some(sealed) = self.one(&api_keys::place(&key.kid), &key.secret)? {
                    change.reseal_api_key(key.id, sealed).await?;
                    count += 1;
                }
            }
            change.commit().await?;
        }
    }

    async fn seeds(&self) -> Result<u64, ResealError> {
        let (mut count, mut after) = (0, None);
        loop {
            let change = self.directory.change(self.by, self.at).await?;
            let seeds = change.totp_seeds(after.as_ref(), PageSize::DEFAULT).await?;
            let Some((last, _)) = seeds.last() else { return Ok(count) };
            after = Some(last.clone());
            for (user, seed) in seeds {
                if let Some(sealed) = self.one(&totp::place(user.as_str()), &seed)? {
                    change.reseal_totp_seed(&user, sealed).await?;
                    count += 1;
                }
            }
            change.commit().await?;
        }
    }

    async fn signing_keys(&self) -> Result<u64, ResealError> {
        let change = self.directory.change(self.by, self.at).await?;
        let mut count = 0;
        for key in change.signing_keys().await? {
            if let Some(sealed) = self.one(&token::place(&key.kid), &key.private)? {
                change.reseal_signing_key(&key.kid, sealed).await?;
                count += 1;
            }
        }
        change.commit().await?;
        Ok(count)
    }

    async fn records<R: Record>(&self, fields: fn(&R) -> Vec<Field<'_, R>>) -> Result<u64, ResealError> {
        let (mut count, mut after) = (0, 0);
        loop {
            let change = self.directory.change(self.by, self.at).await?;
            let rows = change.find(&Find::<R>::all().after(R::COLUMNS.id, after).page(0, PageSize::DEFAULT)).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            after = last.id();
            for row in &rows {
                for Field { name, column, sealed } in fields(row) {
                    let place = place(R::KIND, row.owner(), name);
                    if let Some(sealed) = sealed.map(|sealed| self.one(&place, sealed)).transpose()?.flatten() {
                        change.reseal::<R>(row.id(), column, sealed).await?;
                        count += 1;
                    }
                }
            }
            change.commit().await?;
        }
    }
}

struct Field<'f, R: Record> {
    name: &'static str,
    column: ColumnOf<R>,
    sealed: Option<&'f [u8]>,
}

fn phone_fields(row: &Phone) -> Vec<Field<'_, Phone>> {
    vec![Field { name: "number", column: PhoneColumn::Number, sealed: Some(&row.number) }]
}

fn document_fields(row: &UserDocument) -> Vec<Field<'_, UserDocument>> {
    vec![Field { name: "number", column: UserDocumentColumn::DocNumber, sealed: row.doc_number.as_deref() }]
}

fn profile_fields(row: &Profile) -> Vec<Field<'_, Profile>> {
    let field = |name, column, sealed| Field { name, column, sealed };
    vec![
        field("first_name", ProfileColumn::FirstName, row.first_name.as_deref()),
        field("last_name", ProfileColumn::LastName, row.last_name.as_deref()),
        field("dob", ProfileColumn::Dob, row.dob.as_deref()),
        field("address", ProfileColumn::Address, row.address.as_deref()),
    ]
}
