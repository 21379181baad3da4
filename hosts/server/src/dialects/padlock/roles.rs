//! Roles: those of the policy document, with what they inherit. They are changed with the document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use portcullis_directory::{
    AccountRow, Direction, Find, PageSize, PolicyEntryColumn, PolicyEntryRow, RoleName, RoleSet, TenantId,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::body::Params;
use crate::dialects::padlock::envelope::Reply;
use crate::dialects::padlock::input::RolePath;
use crate::dialects::padlock::pages::{ListParams, Walk};
use crate::dialects::padlock::users::accounts;
use crate::dialects::padlock::wire;
use crate::error::ApiError;

/// Some roles of the document, and all that they inherit.
pub struct Roles(BTreeMap<String, Role>);

/// An entry of the document.
#[derive(Default, Deserialize)]
struct Role {
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    inherits: Vec<String>,
}

const NO_ROLE: ApiError = ApiError::NotFound { detail: "there is no role of this name" };

pub async fn list(State(app): State<Arc<App>>, Params(params): Params<ListParams>) -> Result<Reply, ApiError> {
    let names = names(&app, params).await?;
    let roles = Roles::of(&app, names.iter().cloned()).await?;
    let shown: Map<String, Value> = names.into_iter().map(|name| (name.clone(), roles.shown(&name))).collect();
    Ok(Reply::default().with("roles", shown))
}

pub async fn show(
    State(app): State<Arc<App>>,
    RolePath(name): RolePath,
    Params(params): Params<ListParams>,
) -> Result<Reply, ApiError> {
    let roles = Roles::of(&app, [name.to_string()]).await?;
    if !roles.has(&name) {
        return Err(NO_ROLE);
    }
    let holders = accounts(&app, Find::<AccountRow>::all().has_role(&name), params).await?;
    let reply = Reply::default().with("role", roles.shown(name.as_str()));
    Ok(match holders.is_empty() {
        true => reply,
        false => reply.with("assigned_users", holders.iter().map(wire::user).collect::<Vec<_>>()),
    })
}

async fn names(app: &App, params: ListParams) -> Result<Vec<String>, ApiError> {
    let mut walk = Walk::new(params)?;
    let mut names = Vec::new();
    loop {
        let mut find = entries().order(PolicyEntryColumn::Name, Direction::Ascending).page(0, walk.limit);
        if let Some(after) = &walk.after {
            find = find.after(PolicyEntryColumn::Name, after.as_str());
        }
        let page = app.store.find(&find).await?;
        let goes_on = walk.goes_on(page.len(), page.last().map(|row| row.name.clone()))?;
        names.extend(page.into_iter().map(|row| row.name));
        if !goes_on {
            return Ok(names);
        }
    }
}

fn entries() -> Find<PolicyEntryRow> {
    let find = Find::all().is(PolicyEntryColumn::Tenant, TenantId::default().as_str());
    find.is(PolicyEntryColumn::Kind, "role")
}

// === impl Roles ===

impl Roles {
    /// Those of these names that the document has.
    pub async fn of(app: &App, names: impl IntoIterator<Item = String>) -> Result<Self, ApiError> {
        let mut roles = Self(BTreeMap::new());
        let mut asked: BTreeSet<String> = BTreeSet::new();
        let mut wanted: BTreeSet<String> = names.into_iter().collect();
        let limit = PageSize::new(PageSize::MAX).unwrap_or(PageSize::DEFAULT);
        while !wanted.is_empty() {
            let some: Vec<String> = wanted.iter().take(usize::try_from(limit.get()).unwrap_or(1)).cloned().collect();
            let find = entries().is_one_of(PolicyEntryColumn::Name, some.iter().map(String::as_str));
            for row in app.store.find(&find.page(0, limit)).await? {
                let role: Option<Role> = serde_json::from_str(&row.body).map_err(ApiError::internal)?;
                let role = role.unwrap_or_default();
                wanted.extend(role.inherits.iter().filter(|name| !asked.contains(*name)).cloned());
                roles.0.insert(row.name, role);
            }
            asked.extend(some);
            wanted.retain(|name| !asked.contains(name));
        }
        Ok(roles)
    }

    /// Those of a user.
    pub async fn of_set(app: &App, set: &RoleSet) -> Result<Self, ApiError> {
        Self::of(app, set.iter().map(RoleName::to_string)).await
    }

    pub fn has(&self, name: &RoleName) -> bool {
        self.0.contains_key(name.as_str())
    }

    /// What the roles of these names permit together.
    pub fn permissions<'a>(&'a self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut permissions = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = names.into_iter().collect();
        while let Some(name) = open.pop() {
            if let Some(role) = self.0.get(name).filter(|_| seen.insert(name)) {
                permissions.extend(role.permissions.iter().map(String::as_str));
                open.extend(role.inherits.iter().map(String::as_str));
            }
        }
        permissions
    }

    fn shown(&self, name: &str) -> Value {
        json!({"permissions": self.permissions([name])})
    }
}
