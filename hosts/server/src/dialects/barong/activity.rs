//! What users do about their own accounts, for the list of activities.

use portcullis_directory::{NewActivity, UserId};
use serde_json::json;

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::visitor::Visitor;
use crate::permit::Permit;

#[derive(Clone, Copy)]
pub struct Did<'d> {
    pub topic: &'d str,
    pub action: &'d str,
    /// Why it failed.
    pub reason: Option<&'d str>,
}

impl<'d> Did<'d> {
    pub fn because(self, reason: &'d str) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

pub async fn succeeded<W>(
    app: &App,
    permit: &Permit<W>,
    visitor: &Visitor,
    user: &UserId,
    did: Did<'_>,
) -> Result<(), Refusal> {
    write(app, permit, visitor, user, (did, "succeed")).await
}

pub async fn failed<W>(
    app: &App,
    permit: &Permit<W>,
    visitor: &Visitor,
    user: &UserId,
    did: Did<'_>,
) -> Result<(), Refusal> {
    write(app, permit, visitor, user, (did, "failed")).await
}

async fn write<W>(
    app: &App,
    permit: &Permit<W>,
    visitor: &Visitor,
    user: &UserId,
    (Did { topic, action, reason }, result): (Did<'_>, &str),
) -> Result<(), Refusal> {
    let new = NewActivity {
        user_id: user.to_string(),
        category: "user".to_owned(),
        target_uid: None,
        user_ip: visitor.address.to_string(),
        user_ip_country: visitor.country.clone(),
        user_agent: visitor.user_agent.clone().unwrap_or_default(),
        topic: topic.to_owned(),
        action: action.to_owned(),
        result: result.to_owned(),
        data: reason.map(|reason| json!({ "reason": reason }).to_string()),
        at: app.store.now(),
    };
    Ok(app.store.add_activities(permit, vec![new]).await?)
}
