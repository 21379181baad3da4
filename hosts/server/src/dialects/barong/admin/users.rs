//! Users: lists, one of them, and what an administrator changes: e-mail address, state, second factor, role.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use portcullis_directory::{
    Account, AccountChange, AccountColumn, AccountRow, Change, Details, Direction, Email, Find, PolicyEntryColumn,
    PolicyEntryRow, RoleName, RoleSet, TenantId, UserState,
};

use crate::app::App;
use crate::dialects::barong::abilities;
use crate::dialects::barong::admin::filters::{Period, Users, order};
use crate::dialects::barong::admin::{NO_USER, SUPERADMIN_CHANGE, USER, guard, is_above_all, refused, target, written};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::facts;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params, user_id};
use crate::dialects::barong::syntax::is_email;
use crate::dialects::barong::views::{User, role, with_kyc, with_profiles};
use crate::permit::{Author, Permit};

/// What lists may be ordered by; passwords are not.
const ORDERS: [&str; 11] =
    ["id", "uid", "username", "email", "role", "data", "level", "otp", "state", "created_at", "updated_at"];

pub async fn list(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let is_extended = input.boolean("extended", "admin.user.non_boolean_extended").unwrap_or(false);
    let users = Users::read(&mut input, &[]);
    let codes = ["user.ordering.invalid_ordering", "user.ordering.invalid_attribute"];
    let (direction, by) = order(&mut input, &ORDERS, codes);
    let period = Period::read(&mut input, ["from", "to"]);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let find = ordered(users.find(&period), by.as_deref(), direction);
    let total = app.store.count(&find).await?;
    let accounts = app.store.accounts(&find.page(page.skip(), page.limit())).await?;
    if is_extended {
        return page.answer(&with_profiles(&app, &accounts).await?, total, (&uri, &query));
    }
    page.answer(&accounts.iter().map(User::from).collect::<Vec<_>>(), total, (&uri, &query))
}

fn ordered(find: Find<AccountRow>, by: Option<&str>, direction: Direction) -> Find<AccountRow> {
    let column = match by.unwrap_or("id") {
        "role" => return find.order_by_role(direction),
        "uid" => AccountColumn::Id,
        "username" => AccountColumn::Username,
        "email" => AccountColumn::Email,
        "data" => AccountColumn::Data,
        "level" => AccountColumn::Level,
        "otp" => AccountColumn::Otp,
        "state" => AccountColumn::State,
        "updated_at" => AccountColumn::UpdatedAt,
        // Numbers of users are the order in which they came.
        _ => AccountColumn::CreatedAt,
    };
    find.order(column, direction)
}

pub async fn show(State(app): State<Arc<App>>, Path(uid): Path<String>) -> Result<Response, Refusal> {
    let id = user_id(&uid).ok_or(NO_USER)?;
    let account = app.store.account(&id).await?.ok_or(NO_USER)?;
    Ok(Json(with_kyc(&app, &[account]).await?.pop()).into_response())
}

/// A user who is called like a path that is written to.
pub async fn show_word(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    let word = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    show(State(app), Path(word)).await
}

/// E-mail address, state or second factor.
pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let uid = input.required("uid");
    let given = ["email", "state", "otp"].into_iter().filter(|name| input.has(name)).count();
    let wanted =
        Wanted { email: input.filled("email"), state: input.filled("state"), otp: input.filled_boolean("otp") };
    input.check(given == 1, "admin.user.one_of_state_otp_email");
    input.finish()?;
    change(&app, &permit, &uid, wanted).await?;
    Ok(written(StatusCode::OK))
}

/// State or second factor.
pub async fn update_state(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let uid = input.required("uid");
    let given = ["state", "otp"].into_iter().filter(|name| input.has(name)).count();
    let wanted = Wanted { email: None, state: input.filled("state"), otp: input.filled_boolean("otp") };
    input.check(given == 1, "admin.user.one_of_state_otp");
    input.finish()?;
    change(&app, &permit, &uid, wanted).await?;
    Ok(written(StatusCode::CREATED))
}

/// What is to change; one of them.
struct Wanted {
    email: Option<String>,
    state: Option<String>,
    otp: Option<bool>,
}

async fn change(app: &App, permit: &Permit<Author>, uid: &str, wanted: Wanted) -> Result<(), Refusal> {
    let write = app.store.begin(permit).await?;
    let account = another(app, &write, permit, uid).await?;
    let change = wanted.change(app, permit, &account)?;
    if change.otp == Some(false) {
        forget_factor(&write, &account).await?;
    }
    write.update_user(&account.user.id, &change).await.map_err(refused)?;
    Ok(app.store.commit(write).await?)
}

/// The user of a write that nobody does to itself.
async fn another(app: &App, write: &Change, permit: &Permit<Author>, uid: &str) -> Result<Account, Refusal> {
    let account = target(write, uid).await?;
    guard(app, permit, &account, SUPERADMIN_CHANGE)?;
    match account.user.id == *permit.author() {
        true => Err(Refusal::invalid("admin.user.update_himself")),
        false => Ok(account),
    }
}

impl Wanted {
    fn change(self, app: &App, permit: &Permit<Author>, account: &Account) -> Result<AccountChange, Refusal> {
        let Self { email, state, otp } = self;
        let same = |what| Err(Refusal::invalid(format!("admin.user.{what}_no_change")));
        let mut change = AccountChange::default();
        if let Some(email) = email {
            if !is_above_all(app, permit) {
                return Err(Refusal::invalid("superadmin.user.update_email"));
            }
            if account.details.email.as_ref().is_some_and(|before| before.as_str() == email) {
                return same("email");
            }
            change.details = Some(Details { email: Some(address(&email)?), ..account.details.clone() });
        }
        if let Some(state) = state {
            if account.user.state.as_str() == state {
                return same("state");
            }
            change.state = Some(UserState::parse(&state).map_err(|_| Refusal::invalid("state.invalid"))?);
        }
        match otp {
            Some(true) => return Err(Refusal::invalid("admin.user.enable_2fa")),
            Some(false) if !account.user.otp => return same("otp"),
            otp => change.otp = otp,
        }
        Ok(change)
    }
}

fn address(text: &str) -> Result<Email, Refusal> {
    let email = Email::parse(text).ok().filter(|_| is_email(text));
    email.ok_or_else(|| Refusal::invalid("email.invalid"))
}

/// The secret, and the private label that says that there is one; state and level do not follow it.
async fn forget_factor(write: &Change, account: &Account) -> Result<(), Refusal> {
    write.set_totp_seed(&account.user.id, None).await.map_err(refused)?;
    facts::remove(write, &account.user.id, facts::FACTOR).await.map_err(refused)
}

pub async fn update_role(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<Response, Refusal> {
    let mut input = Input::new(params, USER);
    let (uid, name) = (input.required("uid"), input.required("role"));
    input.finish()?;
    let write = app.store.begin(&permit).await?;
    let account = another(&app, &write, &permit, &uid).await?;
    let held = &account.user.roles;
    if held.iter().count() == 1 && role(held).is_some_and(|held| held.as_str() == name) {
        return Err(Refusal::invalid("admin.user.role_no_change"));
    }
    let roles = known(&write, &name).await?;
    // Nobody gives away what it does not have.
    if !is_above_all(&app, &permit) && !abilities::may_grant(&app, permit.roles(), &roles) {
        return Err(Refusal::invalid(SUPERADMIN_CHANGE));
    }
    let change = AccountChange { roles: Some(roles), ..AccountChange::default() };
    write.update_user(&account.user.id, &change).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok(written(StatusCode::CREATED))
}

/// A role that the document has.
async fn known(write: &Change, name: &str) -> Result<RoleSet, Refusal> {
    let unknown = || Refusal::invalid("role.doesnt_exist");
    let role = RoleName::parse(name).map_err(|_| unknown())?;
    let find = Find::<PolicyEntryRow>::all()
        .is(PolicyEntryColumn::Tenant, TenantId::default().as_str())
        .is(PolicyEntryColumn::Kind, "role")
        .is(PolicyEntryColumn::Name, name);
    match write.find(&find).await?.is_empty() {
        true => Err(unknown()),
        false => RoleSet::new([role]).map_err(Refusal::internal),
    }
}
