//! Profiles: who a person is. An administrator's is submitted at once; another decides about it.

mod fields;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use portcullis_directory::{
    Account, Change, Find, Label, LabelColumn, LabelDraft, Profile, ProfileColumn, ProfileDraft,
};

use crate::app::App;
use crate::dialects::barong::admin::profiles::fields::Fields;
use crate::dialects::barong::admin::{SUPERADMIN_CHANGE, guard, refused, target};
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::pages::Page;
use crate::dialects::barong::params::{Input, Params};
use crate::dialects::barong::standing::Standing;
use crate::dialects::barong::views::profile;
use crate::permit::{Author, Permit};

const PROFILE: &str = "admin.profile";
const SUBMITTED: &str = "submitted";
const NONE: Refusal = Refusal::NotFound("admin.profiles.doesnt_exist_or_not_editable");

pub async fn list(State(app): State<Arc<App>>, uri: Uri, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PROFILE);
    let page = Page::read(&mut input);
    let query = input.finish()?;
    let find = Find::<Profile>::all();
    let total = app.store.count(&find).await?;
    let rows = app.store.find(&find.page(page.skip(), page.limit())).await?;
    let shown = rows.iter().map(|row| profile(&app, row)).collect::<Result<Vec<_>, _>>()?;
    page.answer(&shown, total, (&uri, &query))
}

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PROFILE);
    let uid = input.present("uid");
    let fields = Fields::read(&mut input);
    input.finish()?;
    let standing = Standing::read(&app).await?;
    let write = app.store.begin(&permit).await?;
    let account = target(&write, &uid).await?;
    guard(&app, &permit, &account, SUPERADMIN_CHANGE)?;
    let under_way = of_states(&account, &["drafted", SUBMITTED]);
    if !write.find(&under_way).await?.is_empty() {
        return Err(Refusal::invalid("state.exists"));
    }
    fields.check(&app)?;
    let draft = fields.draft(&app, &account.user.id, permit.author())?;
    let added = write.add::<Profile>(&account.user.id, draft).await.map_err(refused)?;
    set_label(&standing, &write, &account, SUBMITTED).await?;
    app.store.commit(write).await?;
    Ok((StatusCode::CREATED, Json(profile(&app, &added)?)).into_response())
}

/// Decides about the profile that waits.
pub async fn update(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PROFILE);
    let (uid, state) = (input.present("uid"), input.present("state"));
    input.finish()?;
    let standing = Standing::read(&app).await?;
    let write = app.store.begin(&permit).await?;
    let account = target(&write, &uid).await.map_err(|error| match error {
        Refusal::NotFound(_) => NONE,
        error => error,
    })?;
    guard(&app, &permit, &account, "admin.profiles.superadmin_change")?;
    let row = write.find(&of_states(&account, &[SUBMITTED])).await?.pop().ok_or(NONE)?;
    require_another(&app, &permit, &row)?;
    if !matches!(state.as_str(), "drafted" | SUBMITTED | "verified" | "rejected") {
        return Err(Refusal::invalid("state.inclusion"));
    }
    let draft = ProfileDraft { state: state.clone(), ..as_draft(row.clone()) };
    let after = write.replace::<Profile>(row.id, draft).await.map_err(refused)?;
    set_label(&standing, &write, &account, &state).await?;
    app.store.commit(write).await?;
    Ok(Json(profile(&app, &after)?).into_response())
}

/// Who made a profile does not decide about it, where that is configured.
fn require_another(app: &App, permit: &Permit<Author>, row: &Profile) -> Result<(), Refusal> {
    let settings = &app.barong;
    let is_author = row.author.as_deref() == Some(permit.author().as_str());
    let is_exempt = permit
        .roles()
        .iter()
        .any(|role| settings.profile_verification_roles.iter().any(|exempt| exempt == role.as_str()));
    match settings.profile_double_verification && is_author && !is_exempt {
        true => Err(Refusal::invalid("admin.profiles.second_admin_approval")),
        false => Ok(()),
    }
}

/// The private label `profile` says the state of the profile.
async fn set_label(standing: &Standing, write: &Change, account: &Account, state: &str) -> Result<(), Refusal> {
    let find = Find::<Label>::all()
        .is(LabelColumn::UserId, account.user.id.as_str())
        .is(LabelColumn::Key, "profile")
        .is(LabelColumn::Scope, "private");
    let before = standing.labels(write, &account.user.id).await?;
    let label = write.find(&find).await?.pop();
    let description = label.as_ref().and_then(|label| label.description.clone());
    let scope = "private".to_owned();
    let draft = LabelDraft { key: "profile".to_owned(), value: state.to_owned(), scope, description };
    match label {
        Some(label) => write.replace::<Label>(label.id, draft).await.map_err(refused)?,
        None => write.add::<Label>(&account.user.id, draft).await.map_err(refused)?,
    };
    standing.settle(write, &account.user.id, &before).await.map_err(refused)?;
    Ok(())
}

fn of_states(account: &Account, states: &[&str]) -> Find<Profile> {
    Find::<Profile>::all()
        .is(ProfileColumn::UserId, account.user.id.as_str())
        .is_one_of(ProfileColumn::State, states.iter().copied())
}

/// All that the row says, to be written again.
fn as_draft(row: Profile) -> ProfileDraft {
    ProfileDraft {
        author: row.author,
        applicant_id: row.applicant_id,
        first_name: row.first_name,
        last_name: row.last_name,
        dob: row.dob,
        address: row.address,
        postcode: row.postcode,
        city: row.city,
        country: row.country,
        state: row.state,
        metadata: row.metadata,
    }
}
