//! Data that integrations keep about users.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use portcullis_directory::{DataStorage, DataStorageColumn, Find};

use crate::app::App;
use crate::dialects::barong::admin::{SUPERADMIN_CHANGE, USER, guard, refused, target};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::{Input, Params};
use crate::permit::{Author, Permit};

pub async fn delete(
    State(app): State<Arc<App>>,
    permit: Permit<Author>,
    params: Params,
) -> Result<StatusCode, Refusal> {
    let mut input = Input::new(params, USER);
    let (uid, title) = (input.required("uid"), input.required("title"));
    input.finish()?;
    let write = app.store.begin(&permit).await?;
    let account = target(&write, &uid).await?;
    guard(&app, &permit, &account, SUPERADMIN_CHANGE)?;
    let find = Find::<DataStorage>::all()
        .is(DataStorageColumn::UserId, account.user.id.as_str())
        .is(DataStorageColumn::Title, title);
    let storage = write.find(&find).await?.pop().ok_or(Refusal::NotFound("admin.storage.doesnt_exist"))?;
    write.remove::<DataStorage>(storage.id).await.map_err(refused)?;
    app.store.commit(write).await?;
    Ok(StatusCode::NO_CONTENT)
}
