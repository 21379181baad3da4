//! Labels of users. A private one may change state and level of its user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use portcullis_directory::{Account, AccountRow, Change, ChangeError, Find, Label, LabelColumn, LabelDraft};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::app::App;
use crate::dialects::barong::admin::{SUPERADMIN_CHANGE, USER, guard, refused, target, written};
use crate::dialects::barong::errors::{Code, Refusal};
use crate::dialects::barong::facts::PRIVATE;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::standing::Standing;
use crate::dialects::barong::views::User;
use crate::permit::{Author, Permit};

const NO_LABEL: Refusal = Refusal::NotFound("admin.label.doesnt_exist");
const SHORTEST: usize = 3;
const LONGEST: usize = 255;
/// Most kinds of labels in a list.
const KINDS: u64 = 10_000;

/// Users with that label, each once.
pub async fn users(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let (key, value) = (input.present("key"), input.present("value"));
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let label = Find::<Label>::all().is(LabelColumn::Key, key).is(LabelColumn::Value, value);
    let find = Find::<AccountRow>::all().has_label(&label);
    let total = app.store.count(&find).await?;
    let accounts = app.store.accounts(&find.page(page.skip(), page.limit())).await?;
    page.answer(&accounts.iter().map(User::from).collect::<Vec<_>>(), total, (&uri, &query))
}

/// How often there is each private label, by `["key", "value"]`.
struct Counts(Vec<(String, String, i64)>);

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value, count) in &self.0 {
            // Keys and values are plain: nothing in them needs an escape.
            map.serialize_entry(&format!("[\"{key}\", \"{value}\"]"), count)?;
        }
        map.end()
    }
}

pub async fn list(State(app): State<Arc<App>>) -> Result<Json<impl Serialize>, Refusal> {
    let private = Find::<Label>::all().is(LabelColumn::Scope, PRIVATE);
    Ok(Json(Counts(app.store.label_counts(&private, KINDS).await?)))
}

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let (uid, key, value) = (input.required("uid"), input.required("key"), input.required("value"));
    let (description, scope) = (input.filled("description"), input.filled("scope"));
    input.finish()?;
    let scope = scope.unwrap_or_else(|| "public".to_owned());
    let draft = LabelDraft { key: folded(&key), value: folded(&value), scope, description };
    let standing = Standing::read(&app).await?;
    let (write, account) = begin(&app, &permit, &uid).await?;
    checked(&draft)?;
    let before = standing.labels(&write, &account.user.id).await?;
    write.add::<Label>(&account.user.id, draft).await.map_err(taken)?;
    standing.settle(&write, &account.user.id, &before).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok(written(StatusCode::CREATED))
}

/// The value, and the description when it is given.
pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let wanted = Wanted::read(&mut input);
    input.finish()?;
    put(&app, &permit, wanted, false).await?;
    Ok(written(StatusCode::OK))
}

/// As `update`; without a label one is made, unless `replace` is false.
pub async fn replace(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let wanted = Wanted::read(&mut input);
    let replaces = input.boolean("replace", "admin.user.non_boolean_replace").unwrap_or(true);
    input.finish()?;
    put(&app, &permit, wanted, replaces).await?;
    Ok(written(StatusCode::CREATED))
}

struct Wanted {
    uid: String,
    key: String,
    scope: String,
    value: String,
    description: Option<String>,
}

impl Wanted {
    fn read(input: &mut Input) -> Self {
        let (uid, key, scope) = (input.required("uid"), input.required("key"), input.required("scope"));
        let (value, description) = (input.required("value"), input.filled("description"));
        Self { uid, key, scope, value, description }
    }
}

async fn put(app: &App, permit: &Permit<Author>, wanted: Wanted, creates: bool) -> Result<(), Refusal> {
    let Wanted { uid, key, scope, value, description } = wanted;
    let standing = Standing::read(app).await?;
    let (write, account) = begin(app, permit, &uid).await?;
    let before = standing.labels(&write, &account.user.id).await?;
    let label = of_user(&write, &account, &key, &scope).await?;
    let described = label.as_ref().and_then(|label| label.description.clone());
    let (key, value) = (folded(&key), folded(&value));
    let draft = LabelDraft { key, value, scope, description: description.or(described) };
    match label {
        Some(label) => {
            checked(&draft)?;
            write.replace::<Label>(label.id, draft).await.map_err(refused)?;
        }
        None if creates => {
            checked(&draft)?;
            write.add::<Label>(&account.user.id, draft).await.map_err(taken)?;
        }
        None => return Err(NO_LABEL),
    }
    standing.settle(&write, &account.user.id, &before).await.map_err(refused)?;
    Ok(app.store.commit(write).await?)
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    let mut input = Input::new(params, USER);
    let (uid, key, scope) = (input.required("uid"), input.required("key"), input.required("scope"));
    input.finish()?;
    let standing = Standing::read(&app).await?;
    let (write, account) = begin(&app, &permit, &uid).await?;
    let label = of_user(&write, &account, &key, &scope).await?.ok_or(NO_LABEL)?;
    let before = standing.labels(&write, &account.user.id).await?;
    write.remove::<Label>(label.id).await.map_err(refused)?;
    standing.settle(&write, &account.user.id, &before).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn begin(app: &App, permit: &Permit<Author>, uid: &str) -> Result<(Change, Account), Refusal> {
    let write = app.store.begin(permit).await?;
    let account = target(&write, uid).await?;
    guard(app, permit, &account, SUPERADMIN_CHANGE)?;
    Ok((write, account))
}

async fn of_user(write: &Change, account: &Account, key: &str, scope: &str) -> Result<Option<Label>, Refusal> {
    let find = Find::<Label>::all()
        .is(LabelColumn::UserId, account.user.id.as_str())
        .is(LabelColumn::Key, folded(key))
        .is(LabelColumn::Scope, scope);
    Ok(write.find(&find).await?.pop())
}

/// As keys and values are stored: lower case, single spaces inside.
fn folded(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn checked(draft: &LabelDraft) -> Result<(), Refusal> {
    let mut codes: Vec<Code> = Vec::new();
    for (name, text) in [("key", &draft.key), ("value", &draft.value)] {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        for (is_broken, word) in [
            (text.chars().count() < SHORTEST, "too_short"),
            (text.chars().count() > LONGEST, "too_long"),
            (!text.bytes().all(legal), "invalid"),
        ] {
            if is_broken {
                codes.push(format!("{name}.{word}").into());
            }
        }
    }
    if !matches!(draft.scope.as_str(), "public" | PRIVATE) {
        codes.push("scope.inclusion".into());
    }
    if draft.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
        codes.push("description.too_long".into());
    }
    if codes.is_empty() { Ok(()) } else { Err(Refusal::Invalid(codes)) }
}

fn taken(error: ChangeError) -> Refusal {
    match error {
        ChangeError::Taken { .. } => Refusal::invalid("key.taken"),
        error => refused(error),
    }
}
