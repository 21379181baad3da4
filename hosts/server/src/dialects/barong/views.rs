//! What is answered, key by key in the order of the original. Times are `YYYY-MM-DDTHH:MM:SSZ`; nulls are written.

mod people;

use portcullis_directory::{
    Account, ApiKey, Comment, DataStorage, Find, Label, LabelColumn, PageSize, RoleName, RoleSet, UnixSeconds,
    UserDocument,
};
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::facts::PRIVATE;
use crate::dialects::time::rfc3339;

pub use people::{profile, with_kyc, with_profiles};

#[derive(Serialize)]
pub struct User {
    pub email: Option<String>,
    pub uid: String,
    pub role: Option<String>,
    pub level: u32,
    pub otp: bool,
    pub state: String,
    pub referral_uid: Option<String>,
    pub data: Option<String>,
    pub username: Option<String>,
}

#[derive(Serialize)]
pub struct LabelView {
    pub key: String,
    pub value: String,
    pub scope: String,
    pub description: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct ProfileView {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub dob: Option<String>,
    pub address: Option<String>,
    pub postcode: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub state: String,
    pub metadata: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct PhoneView {
    pub country: Option<String>,
    pub number: Option<String>,
    /// With milliseconds.
    pub validated_at: Option<String>,
}

#[derive(Serialize)]
pub struct DocumentView {
    pub upload: Upload,
    pub doc_type: String,
    pub doc_number: Option<String>,
    pub doc_expire: Option<String>,
    pub metadata: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct Upload {
    pub url: String,
}

#[derive(Serialize)]
pub struct StorageView {
    pub title: String,
    pub data: String,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct CommentView {
    pub id: i64,
    pub author_uid: String,
    pub title: String,
    pub data: String,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Serialize)]
pub struct ApiKeyView {
    pub kid: String,
    pub algorithm: String,
    pub scope: Value,
    pub state: String,
    pub created_at: String,
    pub updated_at: String,
}

impl From<&Account> for User {
    fn from(account: &Account) -> Self {
        let Account { user, details } = account;
        Self {
            email: details.email.as_ref().map(ToString::to_string),
            uid: user.id.to_string(),
            role: role(&user.roles).map(ToString::to_string),
            level: user.level,
            otp: user.otp,
            state: user.state.to_string(),
            referral_uid: details.referral.as_ref().map(ToString::to_string),
            data: details.data.clone(),
            username: details.username.as_ref().map(|name| name.as_str().to_owned()),
        }
    }
}

impl From<&Label> for LabelView {
    fn from(label: &Label) -> Self {
        Self {
            key: label.key.clone(),
            value: label.value.clone(),
            scope: label.scope.clone(),
            description: label.description.clone(),
            created_at: time(label.created_at),
            updated_at: time(label.updated_at),
        }
    }
}

impl LabelView {
    /// As its user sees it: what is noted beside a private one is for others.
    fn own(label: &Label) -> Self {
        let described = label.description.clone().filter(|_| label.scope != PRIVATE);
        Self { description: described, ..label.into() }
    }
}

impl DocumentView {
    fn new(row: &UserDocument, doc_number: Option<String>) -> Self {
        Self {
            upload: Upload { url: row.upload.clone() },
            doc_type: row.doc_type.clone(),
            doc_number,
            doc_expire: row.doc_expire.clone(),
            metadata: row.metadata.clone(),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
}

impl From<&DataStorage> for StorageView {
    fn from(row: &DataStorage) -> Self {
        Self {
            title: row.title.clone(),
            data: row.data.clone(),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
}

impl From<&Comment> for CommentView {
    fn from(row: &Comment) -> Self {
        Self {
            id: row.id,
            author_uid: row.author.clone(),
            title: row.title.clone(),
            data: row.data.clone(),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
}

impl From<&ApiKey> for ApiKeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            kid: key.kid.clone(),
            algorithm: key.algorithm.clone(),
            // Written as a list of texts by whoever made the key.
            scope: serde_json::from_str(&key.scope).unwrap_or_default(),
            state: key.state.clone(),
            created_at: time(key.created_at),
            updated_at: time(key.updated_at),
        }
    }
}

/// What users are shown about themselves.
#[derive(Serialize)]
pub struct Own {
    #[serde(flatten)]
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    labels: Vec<LabelView>,
    created_at: String,
    updated_at: String,
}

pub async fn own(app: &App, account: &Account, csrf_token: Option<String>) -> Result<Own, Refusal> {
    let labels = Find::<Label>::all().is(LabelColumn::UserId, account.user.id.as_str()).page(0, PageSize::LARGEST);
    let labels = app.identity.directory.find(&labels).await?;
    Ok(Own {
        user: account.into(),
        csrf_token,
        labels: labels.iter().map(LabelView::own).collect(),
        created_at: rfc3339(account.user.created_at),
        updated_at: rfc3339(account.user.updated_at),
    })
}

/// The one role that the dialect knows of a user: the highest, else the first by name.
pub fn role(roles: &RoleSet) -> Option<&RoleName> {
    roles.iter().find(|role| role.as_str() == SUPERADMIN).or_else(|| roles.iter().next())
}

pub const SUPERADMIN: &str = "superadmin";

/// Of a column in unix seconds.
pub fn time(seconds: i64) -> String {
    rfc3339(UnixSeconds(u64::try_from(seconds).unwrap_or(0)))
}

pub fn seconds(time: UnixSeconds) -> String {
    rfc3339(time)
}
