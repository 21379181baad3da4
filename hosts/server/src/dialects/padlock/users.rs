//! `/v1/user`: users of the directory. Names are shared: others may have them too.

use std::sync::Arc;

use axum::extract::State;
use portcullis_directory::{
    Account, AccountChange, AccountColumn, AccountRow, Find, NewUser, RoleName, RoleSet, UserState,
};

use crate::app::App;
use crate::body::Params;
use crate::dialects::padlock::envelope::Reply;
use crate::dialects::padlock::input::{Input, NewUserParams, NewUserRoles, UserConfig, UserPath, role_set};
use crate::dialects::padlock::pages::{ListParams, Walk};
use crate::dialects::padlock::roles::Roles;
use crate::dialects::padlock::wire;
use crate::error::{ApiError, NO_USER};
use crate::permit::{Author, Permit};

pub async fn list(State(app): State<Arc<App>>, Params(params): Params<ListParams>) -> Result<Reply, ApiError> {
    let users = accounts(&app, Find::all(), params).await?;
    Ok(Reply::default().with("users", users.iter().map(wire::user).collect::<Vec<_>>()))
}

pub async fn create(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    Input(NewUserParams { user, roles }): Input<NewUserParams>,
) -> Result<Reply, ApiError> {
    let roles = known(&app, role_set(roles)?).await?;
    let new = NewUser { id: user.id()?, state: UserState::active(), roles };
    app.store.create_account(&permit, &new, &user.into_details(None)?).await?;
    Ok(Reply::default())
}

pub async fn show(State(app): State<Arc<App>>, UserPath(id): UserPath) -> Result<Reply, ApiError> {
    let account = app.store.account(&id).await?.ok_or(NO_USER)?;
    let held: Vec<&str> = account.user.roles.iter().map(RoleName::as_str).collect();
    let roles = Roles::of_set(&app, &account.user.roles).await?;
    let permissions: Vec<&str> = roles.permissions(held.iter().copied()).into_iter().collect();
    let mut user = wire::user(&account);
    user.insert("associatedPermission".to_owned(), permissions.into());
    user.insert("roles".to_owned(), held.into());
    Ok(Reply::default().with("user", user))
}

/// What the body does not say is gone afterwards; roles stay.
pub async fn replace(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
    Input(user): Input<UserConfig>,
) -> Result<Reply, ApiError> {
    if user.user_id != id.as_str() {
        return Err(ApiError::malformed("`user_id` is not that of the path"));
    }
    let before = app.store.account(&id).await?.ok_or(NO_USER)?;
    let follows = Some(before.user.revision);
    let change = AccountChange { details: Some(user.into_details(Some(before))?), follows, ..AccountChange::default() };
    app.store.update_account(&permit, id, change).await?;
    Ok(Reply::default())
}

pub async fn replace_roles(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
    Input(NewUserRoles { roles }): Input<NewUserRoles>,
) -> Result<Reply, ApiError> {
    let roles = Some(known(&app, role_set(roles)?).await?);
    app.store.update_account(&permit, id, AccountChange { roles, ..AccountChange::default() }).await?;
    Ok(Reply::default())
}

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    UserPath(id): UserPath,
) -> Result<Reply, ApiError> {
    app.store.delete_user(&permit, id).await?;
    Ok(Reply::default())
}

/// The users that `find` finds, by id.
pub async fn accounts(app: &App, find: Find<AccountRow>, params: ListParams) -> Result<Vec<Account>, ApiError> {
    let mut walk = Walk::new(params)?;
    let mut accounts = Vec::new();
    loop {
        let mut find = find.clone().page(0, walk.limit);
        if let Some(after) = &walk.after {
            find = find.after(AccountColumn::Id, after.as_str());
        }
        let page = app.store.accounts(&find).await?;
        let goes_on = walk.goes_on(page.len(), page.last().map(|account| account.user.id.to_string()))?;
        accounts.extend(page);
        if !goes_on {
            return Ok(accounts);
        }
    }
}

/// Only roles that the document has are given.
async fn known(app: &App, roles: RoleSet) -> Result<RoleSet, ApiError> {
    let document = Roles::of_set(app, &roles).await?;
    if let Some(unknown) = roles.iter().find(|role| !document.has(role)) {
        return Err(ApiError::Invalid { detail: format!("the policy document has no role `{unknown}`") });
    }
    Ok(roles)
}
