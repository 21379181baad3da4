//! Restrictions by address and place: those of the policy document. Places are told by their ISO codes.

mod row;
mod whitelink;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use portcullis_compiler::Entry;
use portcullis_compiler::edit::{Edit, Section};
use portcullis_directory::PolicyEntryColumn;

use crate::app::App;
use crate::dialects::barong::admin::filters::{Period, Range};
use crate::dialects::barong::admin::policy::{Rows, new_name, of_kind, write};
use crate::dialects::barong::admin::restrictions::row::{RestrictionView, Row};
use crate::dialects::barong::admin::written;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Order, Params};
use crate::permit::{Author, Permit};

pub use whitelink::create as create_whitelink;

const PREFIX: &str = "admin.restriction";
const KIND: &str = "restriction";
const ROWS: Rows = Rows { kind: KIND, section: Section::Restrictions, none: "admin.restriction.doesnt_exist" };
const BAD_SCOPE: &str = "admin.restriction.invalid_scope";
const BAD_CATEGORY: &str = "admin.restriction.invalid_category";
const BAD_STATE: &str = "admin.restriction.invalid_state";

pub async fn list(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PREFIX);
    let scope = input.filled_that("scope", Order::BlankFirst, row::is_scope, BAD_SCOPE);
    let category = input.filled_that("category", Order::BlankFirst, row::is_category, BAD_CATEGORY);
    let range = Range::read(&mut input, "admin.restriction.invalid_range");
    let period = Period::read(&mut input, ["from", "to"]);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let mut find = of_kind(KIND);
    if let Some(scope) = scope {
        find = find.is(PolicyEntryColumn::Scope, scope);
    }
    if let Some(category) = category {
        find = find.is_one_of(PolicyEntryColumn::Class, row::spellings(&category));
    }
    let find = match range {
        Range::Created => period.of(find, PolicyEntryColumn::CreatedAt),
        Range::Updated => period.of(find, PolicyEntryColumn::UpdatedAt),
    };
    let total = app.store.count(&find).await?;
    let rows = app.store.find(&find.page(page.skip(), page.limit())).await?;
    let shown = rows.iter().map(RestrictionView::of).collect::<Result<Vec<_>, _>>()?;
    page.answer(&shown, total, (&uri, &query))
}

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PREFIX);
    let scope = input.required_that("scope", Order::BlankFirst, row::is_scope, BAD_SCOPE);
    let value = input.required("value");
    let category = input.required_that("category", Order::BlankFirst, row::is_category, BAD_CATEGORY);
    let state = input.filled_that("state", Order::BlankFirst, row::is_state, BAD_STATE);
    let code = input.filled_integer("code", "invalid");
    input.finish()?;
    let state = state.unwrap_or_else(|| row::ENABLED.to_owned());
    let row = Row { category, scope, value, state, code }.checked()?;
    let name = new_name(KIND)?;
    write(&app, &permit, |entries| {
        require_unique(entries, &row, &name)?;
        let body = row.body(&name).to_string();
        Ok((Edit::Put { section: ROWS.section, name: name.clone(), body }, row.logs_out()))
    })
    .await?;
    Ok(written(StatusCode::CREATED))
}

pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PREFIX);
    let number = input.required_integer("id");
    let scope = input.filled_that("scope", Order::BlankFirst, row::is_scope, BAD_SCOPE);
    let category = input.filled_that("category", Order::BlankFirst, row::is_category, BAD_CATEGORY);
    let value = input.filled("value");
    let state = input.filled_that("state", Order::BlankFirst, row::is_state, BAD_STATE);
    let code = input.filled_integer("code", "invalid");
    input.finish()?;
    let name = ROWS.name_of(&app, number).await?;
    write(&app, &permit, |entries| {
        let before = Row::read(&ROWS.entry(entries, &name)?.body)?;
        let blocked = before.logs_out().map(|_| (before.scope.clone(), before.value.clone()));
        let row = Row {
            category: category.clone().unwrap_or(before.category),
            scope: scope.clone().unwrap_or(before.scope),
            value: value.clone().unwrap_or(before.value),
            state: state.clone().unwrap_or(before.state),
            code: code.or(before.code),
        };
        let row = row.checked()?;
        require_unique(entries, &row, &name)?;
        let body = row.body(&name).to_string();
        let logs_out = row.logs_out().filter(|_| blocked != Some((row.scope, row.value)));
        Ok((Edit::Put { section: ROWS.section, name: name.clone(), body }, logs_out))
    })
    .await?;
    Ok(written(StatusCode::OK))
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    ROWS.remove(&app, &permit, Input::new(params, PREFIX)).await
}

fn require_unique(entries: &[Entry], row: &Row, name: &str) -> Result<(), Refusal> {
    for other in entries.iter().filter(|entry| entry.kind == KIND && entry.name != name) {
        let other = Row::read(&other.body)?;
        if other.scope == row.scope && other.category == row.category && other.value == row.value {
            return Err(Refusal::invalid("value.taken"));
        }
    }
    Ok(())
}
