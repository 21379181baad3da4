//! Levels of the policy document.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_directory::{Direction, Find, PageSize, PolicyEntryColumn, PolicyEntryRow, TenantId};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;

#[derive(Deserialize)]
struct Level {
    key: String,
    value: String,
}

#[derive(Serialize)]
pub struct LevelView {
    /// The level itself.
    id: i64,
    key: String,
    value: String,
}

/// All of them: there are a handful.
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<LevelView>>, Refusal> {
    let find = Find::<PolicyEntryRow>::all()
        .is(PolicyEntryColumn::Tenant, TenantId::default().as_str())
        .is(PolicyEntryColumn::Kind, "level")
        .order(PolicyEntryColumn::Position, Direction::Ascending)
        .page(0, PageSize::LARGEST);
    let mut levels = Vec::new();
    for row in app.store.find(&find).await? {
        let Level { key, value } = serde_json::from_str(&row.body).map_err(Refusal::internal)?;
        levels.push(LevelView { id: row.position + 1, key, value });
    }
    Ok(Json(levels))
}
