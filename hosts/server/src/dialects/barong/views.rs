//! What is answered, key by key in the order of the original. Times are `YYYY-MM-DDTHH:MM:SSZ`; nulls are written.

use portcullis_directory::{Account, Find, Label, LabelColumn, PageSize, RoleName, RoleSet, UnixSeconds};
use serde::Serialize;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::time::rfc3339;

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
        labels: labels.iter().map(LabelView::from).collect(),
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
