//! Comments of administrators about users; only their authors and superadmins change them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portcullis_directory::{Account, Change, Comment, CommentDraft, UserId};

use crate::app::App;
use crate::dialects::barong::admin::{SUPERADMIN_CHANGE, USER, guard, is_above_all, refused, target};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::{Input, Order, Params};
use crate::dialects::barong::views::with_kyc;
use crate::permit::{Author, Permit};

const TITLE: usize = 64;
const DATA: usize = 65_535;
const TITLE_TOO_LONG: &str = "admin.comments.title_too_long";
const DATA_TOO_LONG: &str = "admin.comments.data_too_long";

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let uid = input.required("uid");
    let title = input.required_that("title", Order::RuleFirst, is_title, TITLE_TOO_LONG);
    let data = input.required_that("data", Order::RuleFirst, is_data, DATA_TOO_LONG);
    input.finish()?;
    let write = app.store.begin(&permit).await?;
    let account = target(&write, &uid).await?;
    guard(&app, &permit, &account, SUPERADMIN_CHANGE)?;
    let draft = CommentDraft { author: permit.author().to_string(), title, data };
    write.add::<Comment>(&account.user.id, draft).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok((StatusCode::CREATED, shown(&app, account).await?).into_response())
}

pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let id = input.required_integer("id");
    let title = input.filled_that("title", Order::RuleFirst, is_title, TITLE_TOO_LONG);
    let data = input.filled_that("data", Order::RuleFirst, is_data, DATA_TOO_LONG);
    input.finish()?;
    let write = app.store.begin(&permit).await?;
    let (comment, account) = own(&app, &write, &permit, id).await?;
    let Comment { author, title: old_title, data: old_data, .. } = comment;
    let draft = CommentDraft { author, title: title.unwrap_or(old_title), data: data.unwrap_or(old_data) };
    write.replace::<Comment>(id, draft).await.map_err(refused)?;
    app.store.commit(write).await?;
    shown(&app, account).await
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    let mut input = Input::new(params, USER);
    let id = input.required_integer("id");
    input.finish()?;
    let write = app.store.begin(&permit).await?;
    own(&app, &write, &permit, id).await?;
    write.remove::<Comment>(id).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A comment that the caller may change, and whom it is about.
async fn own(app: &App, write: &Change, permit: &Permit<Author>, id: i64) -> Result<(Comment, Account), Refusal> {
    const NONE: Refusal = Refusal::NotFound("record.not_found");
    let comment: Comment = write.get(id).await?.ok_or(NONE)?;
    let user = UserId::parse(&comment.user_id).map_err(Refusal::internal)?;
    let account = write.account(&user).await?.ok_or(NONE)?;
    guard(app, permit, &account, SUPERADMIN_CHANGE)?;
    match comment.author == permit.author().as_str() || is_above_all(app, permit) {
        true => Ok((comment, account)),
        false => Err(Refusal::Unauthorized("admin.ability.not_permitted")),
    }
}

async fn shown(app: &App, account: Account) -> Result<Response, Refusal> {
    Ok(Json(with_kyc(app, &[account]).await?.pop()).into_response())
}

fn is_title(text: &str) -> bool {
    text.chars().count() <= TITLE
}

fn is_data(text: &str) -> bool {
    text.chars().count() <= DATA
}
