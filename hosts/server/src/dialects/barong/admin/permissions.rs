//! Permissions: rules of the policy document, one role, verb and path each.
//!
//! What a rule lets through ends at a segment of the path; what it refuses or audits is all that begins so, as in the
//! original.

mod row;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use portcullis_compiler::Entry;
use portcullis_compiler::edit::{Edit, Section};

use crate::app::App;
use crate::dialects::barong::admin::permissions::row::{PermissionView, Row};
use crate::dialects::barong::admin::policy::{Rows, new_name, of_kind, write};
use crate::dialects::barong::admin::written;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Order, Params};
use crate::permit::{Author, Permit};

const PERMISSION: &str = "admin.permission";
const ROWS: Rows = Rows { kind: "rule", section: Section::Rules, none: "admin.permission.doesnt_exist" };
const BAD_VERB: &str = "admin.permissions.invalid_verb";
const BAD_ACTION: &str = "admin.permissions.invalid_action";
const NO_ROLE: &str = "admin.permission.role_doesnt_exist";

const VERBS: [&str; 7] = ["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "ALL"];

/// In the order of their numbers.
pub async fn list(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PERMISSION);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let find = of_kind(ROWS.kind);
    let total = app.store.count(&find).await?;
    let rows = app.store.find(&find.page(page.skip(), page.limit())).await?;
    let shown = rows.iter().map(PermissionView::of).collect::<Result<Vec<_>, _>>()?;
    page.answer(&shown, total, (&uri, &query))
}

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PERMISSION);
    let role = input.required("role");
    let verb = input.required_that("verb", Order::BlankFirst, is_verb, BAD_VERB).to_uppercase();
    let path = input.required("path");
    let action = input.required_that("action", Order::BlankFirst, is_action, BAD_ACTION).to_uppercase();
    let topic = input.filled("topic");
    input.finish()?;
    let row = Row { role, verb, path, action, topic };
    let name = new_name("permission")?;
    write(&app, &permit, |entries| {
        require_role(entries, &row.role)?;
        let body = row.body(&name, None)?.to_string();
        Ok((Edit::Put { section: ROWS.section, name: name.clone(), body }, None))
    })
    .await?;
    Ok(written(StatusCode::CREATED))
}

pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PERMISSION);
    let number = input.required_integer("id");
    let role = input.filled("role");
    let verb = input.filled_that("verb", Order::BlankFirst, is_verb, BAD_VERB);
    let path = input.filled("path");
    let action = input.filled_that("action", Order::BlankFirst, is_action, BAD_ACTION);
    let topic = input.filled("topic");
    input.finish()?;
    let name = ROWS.name_of(&app, number).await?;
    write(&app, &permit, |entries| {
        let entry = ROWS.entry(entries, &name)?;
        // A rule that says more than a row could would lose it.
        let before = Row::read(entry)?.ok_or_else(|| Refusal::invalid("admin.permission.not_editable"))?;
        let keeps_path = path.is_none() && action.is_none();
        let row = Row {
            role: role.clone().unwrap_or(before.role),
            verb: verb.as_ref().map_or(before.verb, |verb| verb.to_uppercase()),
            path: path.clone().unwrap_or(before.path),
            action: action.as_ref().map_or(before.action, |action| action.to_uppercase()),
            topic: topic.clone().or(before.topic),
        };
        require_role(entries, &row.role)?;
        let body = row.body(&name, keeps_path.then_some(entry))?.to_string();
        Ok((Edit::Put { section: ROWS.section, name: name.clone(), body }, None))
    })
    .await?;
    Ok(written(StatusCode::OK))
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    ROWS.remove(&app, &permit, Input::new(params, PERMISSION)).await
}

fn require_role(entries: &[Entry], role: &str) -> Result<(), Refusal> {
    let is_known = entries.iter().any(|entry| entry.kind == "role" && entry.name == role);
    if is_known { Ok(()) } else { Err(Refusal::invalid(NO_ROLE)) }
}

fn is_verb(text: &str) -> bool {
    VERBS.iter().any(|verb| text.eq_ignore_ascii_case(verb))
}

fn is_action(text: &str) -> bool {
    row::ACTIONS.iter().any(|(action, _)| text.eq_ignore_ascii_case(action))
}
