//! Numbers of a period: sign-ups and logins by day, and documents that wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_directory::{Activity, ActivityColumn, Find, Label, LabelColumn};
use serde::Serialize;

use crate::app::App;
use crate::dialects::barong::admin::USER;
use crate::dialects::barong::admin::filters::Period;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::time;

type Days = BTreeMap<String, i64>;

#[derive(Serialize)]
pub struct Metrics {
    signups: Days,
    /// Spelled so by the original.
    sucessful_logins: Days,
    failed_logins: Days,
    pending_applications: u64,
}

pub async fn show(State(app): State<Arc<App>>, params: Params) -> Result<Json<Metrics>, Refusal> {
    let mut input = Input::new(params, USER);
    let period = Period::read(&mut input, ["created_from", "created_to"]);
    input.finish()?;
    let pending = Find::<Label>::all()
        .is(LabelColumn::Key, "document")
        .is(LabelColumn::Value, "pending")
        .is(LabelColumn::Scope, "private");
    Ok(Json(Metrics {
        signups: days(&app, &period, ["account", "signup", "succeed"]).await?,
        sucessful_logins: days(&app, &period, ["session", "login", "succeed"]).await?,
        failed_logins: days(&app, &period, ["session", "login", "failed"]).await?,
        pending_applications: app.store.count(&pending).await?,
    }))
}

async fn days(app: &App, period: &Period, [topic, action, result]: [&str; 3]) -> Result<Days, Refusal> {
    let find = Find::<Activity>::all()
        .is(ActivityColumn::Topic, topic)
        .is(ActivityColumn::Action, action)
        .is(ActivityColumn::Result, result);
    let days = app.store.activity_days(&period.of(find, ActivityColumn::CreatedAt)).await?;
    let date = |day: i64| time(day.saturating_mul(86_400)).chars().take("YYYY-MM-DD".len()).collect();
    Ok(days.into_iter().map(|(day, count)| (date(day), count)).collect())
}
