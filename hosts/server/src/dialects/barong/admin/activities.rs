//! What people did, the newest first: users themselves, or administrators with whom they did it to.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use portcullis_directory::{AccountColumn, AccountRow, Activity, ActivityColumn, Direction, Find, PageSize};
use serde::Serialize;

use crate::app::App;
use crate::dialects::barong::admin::filters::{Period, by_email};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::views::{User, time};

#[derive(Serialize)]
struct Facts {
    user_ip: String,
    user_ip_country: Option<String>,
    user_agent: String,
    topic: String,
    action: String,
    result: String,
    data: Option<String>,
}

#[derive(Serialize)]
struct ActivityWithUser {
    #[serde(flatten)]
    facts: Facts,
    /// Null when there is no such user any more.
    user: Option<User>,
    created_at: String,
}

#[derive(Serialize)]
struct AdminActivity {
    #[serde(flatten)]
    facts: Facts,
    admin: Option<User>,
    target: Option<User>,
    created_at: String,
}

pub async fn of_users(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "admin.activity");
    let find = filtered(&mut input, "user");
    let (find, page) = (timed(&mut input, find), Page::read(&mut input));
    let query = input.finish()?;
    let (rows, total) = read(&app, find, page).await?;
    let users = users(&app, &rows).await?;
    let shown = |row: &Activity| ActivityWithUser {
        facts: facts(row),
        user: users.get(&row.user_id).map(User::from),
        created_at: time(row.created_at),
    };
    page.answer(&rows.iter().map(shown).collect::<Vec<_>>(), total, (&uri, &query))
}

pub async fn of_admins(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, "admin.activity");
    let mut find = filtered(&mut input, "admin");
    if let Some(target) = input.text("target_uid") {
        find = find.is(ActivityColumn::TargetUid, target);
    }
    input.text_that("range", |text| text == "created", "admin.activity.invalid_range");
    let (find, page) = (timed(&mut input, find), Page::read(&mut input));
    let query = input.finish()?;
    let (rows, total) = read(&app, find, page).await?;
    let users = users(&app, &rows).await?;
    let shown = |row: &Activity| AdminActivity {
        facts: facts(row),
        admin: users.get(&row.user_id).map(User::from),
        target: row.target_uid.as_ref().and_then(|uid| users.get(uid)).map(User::from),
        created_at: time(row.created_at),
    };
    page.answer(&rows.iter().map(shown).collect::<Vec<_>>(), total, (&uri, &query))
}

fn filtered(input: &mut Input, category: &str) -> Find<Activity> {
    let mut find = Find::<Activity>::all().is(ActivityColumn::Category, category);
    for (name, column) in
        [("topic", ActivityColumn::Topic), ("action", ActivityColumn::Action), ("uid", ActivityColumn::UserId)]
    {
        if let Some(value) = input.text(name) {
            find = find.is(column, value);
        }
    }
    match input.text("email") {
        Some(email) => find.by_users(&by_email(Find::<AccountRow>::all(), &email)),
        None => find,
    }
}

fn timed(input: &mut Input, find: Find<Activity>) -> Find<Activity> {
    let period = Period::read(input, ["from", "to"]);
    period.of(find, ActivityColumn::CreatedAt).order(ActivityColumn::Id, Direction::Descending)
}

async fn read(app: &App, find: Find<Activity>, page: Page) -> Result<(Vec<Activity>, u64), Refusal> {
    let total = app.store.count(&find).await?;
    Ok((app.store.find(&find.page(page.skip(), page.limit())).await?, total))
}

/// Everybody that the rows name: two for each of a hundred at most.
async fn users(app: &App, rows: &[Activity]) -> Result<BTreeMap<String, portcullis_directory::Account>, Refusal> {
    let named = rows.iter().flat_map(|row| std::iter::once(&row.user_id).chain(row.target_uid.as_ref()));
    let find = Find::<AccountRow>::all().is_one_of(AccountColumn::Id, named.map(String::as_str));
    let limit = PageSize::LARGEST;
    let accounts = app.store.accounts(&find.page(0, limit)).await?;
    Ok(accounts.into_iter().map(|account| (account.user.id.to_string(), account)).collect())
}

fn facts(row: &Activity) -> Facts {
    Facts {
        user_ip: row.user_ip.clone(),
        user_ip_country: row.user_ip_country.clone(),
        user_agent: row.user_agent.clone(),
        topic: row.topic.clone(),
        action: row.action.clone(),
        result: row.result.clone(),
        data: row.data.clone(),
    }
}
