//! Whitelinks: whoever follows one is let in from its address. A link works once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use portcullis_directory::SecretHash;
use portcullis_identity::{Random as _, SystemRandom, hex};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::dialects::barong::admin::restrictions::PREFIX;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::{Input, Params};
use crate::permit::{Author, Permit};

/// What the token is for.
pub const PURPOSE: &str = "barong.whitelink";

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

pub async fn create(State(app): State<Arc<App>>, permit: Permit<Author>, params: Params) -> Result<Response, Refusal> {
    let mut input = Input::new(params, PREFIX);
    let count = input.integer("expire_time", "invalid").unwrap_or(1);
    input.check((1..=30).contains(&count), "invalid_expire");
    let range = input.text_that("range", |text| matches!(text, "day" | "hour"), "invalid_range");
    input.finish()?;
    let unit_s = if range.as_deref() == Some("hour") { HOUR_S } else { DAY_S };
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes).map_err(Refusal::internal)?;
    let token = hex(&bytes);
    let offer = (PURPOSE, hash(&token));
    app.store.offer(&permit, offer, count.unsigned_abs().saturating_mul(unit_s)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "whitelink_token": token }))).into_response())
}

/// By which a token is known.
pub fn hash(token: &str) -> SecretHash {
    SecretHash(Sha256::digest(token).into())
}
