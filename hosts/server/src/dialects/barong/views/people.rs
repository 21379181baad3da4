//! Users with what they own: read for a whole page at once, one question for each kind of thing.

use std::collections::BTreeMap;

use portcullis_directory::{
    Account, Comment, CommentColumn, DataStorage, DataStorageColumn, Find, Label, LabelColumn, Listed, PageSize, Phone,
    PhoneColumn, Profile, ProfileColumn, UserDocument, UserDocumentColumn,
};
use portcullis_identity::reseal::place;
use portcullis_identity::vault::VaultError;
use serde::Serialize;

use super::{CommentView, DocumentView, LabelView, PhoneView, ProfileView, StorageView, User, seconds, time};
use crate::app::App;
use crate::dialects::barong::errors::Refusal;

#[derive(Serialize)]
pub struct UserWithProfile {
    #[serde(flatten)]
    user: User,
    profiles: Vec<ProfileView>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
pub struct UserWithKyc {
    #[serde(flatten)]
    user: User,
    profiles: Vec<ProfileView>,
    labels: Vec<LabelView>,
    phones: Vec<PhoneView>,
    documents: Vec<DocumentView>,
    data_storages: Vec<StorageView>,
    comments: Vec<CommentView>,
    created_at: String,
    updated_at: String,
}

/// What users own, by the ids of the owners.
type Owned<V> = BTreeMap<String, Vec<V>>;

pub async fn with_profiles(app: &App, accounts: &[Account]) -> Result<Vec<UserWithProfile>, Refusal> {
    let mut profiles = profiles(app, &ids(accounts)).await?;
    let user = |account: &Account| UserWithProfile {
        user: account.into(),
        profiles: profiles.remove(account.user.id.as_str()).unwrap_or_default(),
        created_at: seconds(account.user.created_at),
        updated_at: seconds(account.user.updated_at),
    };
    Ok(accounts.iter().map(user).collect())
}

pub async fn with_kyc(app: &App, accounts: &[Account]) -> Result<Vec<UserWithKyc>, Refusal> {
    let ids = ids(accounts);
    let mut profiles = profiles(app, &ids).await?;
    let mut labels = owned(app, Find::<Label>::all().is_one_of(LabelColumn::UserId, ids.iter().copied()), |row| {
        Ok((row.user_id.clone(), LabelView::from(row)))
    })
    .await?;
    let mut phones = owned(app, Find::<Phone>::all().is_one_of(PhoneColumn::UserId, ids.iter().copied()), |row| {
        Ok((row.user_id.clone(), phone(app, row)?))
    })
    .await?;
    let documents = Find::<UserDocument>::all().is_one_of(UserDocumentColumn::UserId, ids.iter().copied());
    let mut documents = owned(app, documents, |row| Ok((row.user_id.clone(), document(app, row)?))).await?;
    let storages = Find::<DataStorage>::all().is_one_of(DataStorageColumn::UserId, ids.iter().copied());
    let mut storages = owned(app, storages, |row| Ok((row.user_id.clone(), StorageView::from(row)))).await?;
    let comments = Find::<Comment>::all().is_one_of(CommentColumn::UserId, ids.iter().copied());
    let mut comments = owned(app, comments, |row| Ok((row.user_id.clone(), CommentView::from(row)))).await?;
    let user = |account: &Account| {
        let id = account.user.id.as_str();
        UserWithKyc {
            user: account.into(),
            profiles: profiles.remove(id).unwrap_or_default(),
            labels: labels.remove(id).unwrap_or_default(),
            phones: phones.remove(id).unwrap_or_default(),
            documents: documents.remove(id).unwrap_or_default(),
            data_storages: storages.remove(id).unwrap_or_default(),
            comments: comments.remove(id).unwrap_or_default(),
            created_at: seconds(account.user.created_at),
            updated_at: seconds(account.user.updated_at),
        }
    };
    Ok(accounts.iter().map(user).collect())
}

/// A profile with what is sealed in it.
pub fn profile(app: &App, row: &Profile) -> Result<ProfileView, Refusal> {
    let open = |field: &str, sealed: &Option<Vec<u8>>| opened(app, &place("profile", &row.user_id, field), sealed);
    Ok(ProfileView {
        first_name: open("first_name", &row.first_name)?,
        last_name: open("last_name", &row.last_name)?,
        dob: open("dob", &row.dob)?,
        address: open("address", &row.address)?,
        postcode: row.postcode.clone(),
        city: row.city.clone(),
        country: row.country.clone(),
        state: row.state.clone(),
        metadata: row.metadata.clone(),
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
    })
}

async fn profiles(app: &App, ids: &[&str]) -> Result<Owned<ProfileView>, Refusal> {
    let find = Find::<Profile>::all().is_one_of(ProfileColumn::UserId, ids.iter().copied());
    owned(app, find, |row| Ok((row.user_id.clone(), profile(app, row)?))).await
}

fn phone(app: &App, row: &Phone) -> Result<PhoneView, Refusal> {
    let number = opened(app, &place("phone", &row.user_id, "number"), &Some(row.number.clone()))?;
    let validated_at = row.validated_at.map(|at| time(at).replace('Z', ".000Z"));
    Ok(PhoneView { country: row.country.clone(), number, validated_at })
}

fn document(app: &App, row: &UserDocument) -> Result<DocumentView, Refusal> {
    let doc_number = opened(app, &place("document", &row.user_id, "number"), &row.doc_number)?;
    Ok(DocumentView::new(row, doc_number))
}

fn opened(app: &App, place: &str, sealed: &Option<Vec<u8>>) -> Result<Option<String>, Refusal> {
    let Some(sealed) = sealed else { return Ok(None) };
    let text = app.identity.vault.open(place, sealed).map_err(Refusal::internal)?;
    let text = String::from_utf8(text.to_vec()).map_err(|_| Refusal::internal(VaultError::Damaged))?;
    Ok(Some(text))
}

fn ids(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(|account| account.user.id.as_str()).collect()
}

/// Rows of one kind on one page of users.
const MOST: u64 = 10_000;

/// The rows that `find` finds, part by part; those beyond `MOST` are left out.
async fn owned<R: Listed, V>(
    app: &App,
    find: Find<R>,
    view: impl Fn(&R) -> Result<(String, V), Refusal>,
) -> Result<Owned<V>, Refusal> {
    let (mut owned, mut skip) = (Owned::new(), 0);
    while skip < MOST {
        let rows = app.store.find(&find.clone().page(skip, PageSize::LARGEST)).await?;
        for row in &rows {
            let (owner, view) = view(row)?;
            owned.entry(owner).or_default().push(view);
        }
        skip += PageSize::LARGEST.get();
        if rows.len() < usize::try_from(PageSize::LARGEST.get()).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(owned)
}
