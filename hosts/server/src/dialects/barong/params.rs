//! What callers send: query, form and JSON body are one set of names with one value each.
//!
//! A name that is there twice is refused, wherever it stands: two readers would see two values. Then the component checks
//! all of it by a schema.

mod input;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use portcullis_runtime::{Verdict, Violation};
use serde_json::Value;

use crate::app::App;
use crate::body::{self, BODY_BYTES, MediaType};
use crate::dialects::barong::errors::Refusal;
use crate::error::ApiError;

pub use input::{Input, Order, user_id};

/// Values by their names; texts, unless the body was JSON.
#[derive(Debug, Default)]
pub struct Params {
    values: BTreeMap<String, Value>,
    /// The query as it came, for links to other pages.
    query: Vec<(String, String)>,
}

/// The schema of the management policy.
const SCHEMA: &str = "barong-params";

impl FromRequest<Arc<App>> for Params {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let mut params = Self::default();
        params.read_query(request.uri().query().unwrap_or_default())?;
        let headers = request.headers().clone();
        let body = body::read(request, BODY_BYTES).await?;
        params.read_body(&headers, body).await?;
        params.check(app)?;
        Ok(params)
    }
}

impl Params {
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    fn read_query(&mut self, query: &str) -> Result<(), ApiError> {
        for (name, value) in pairs(query.as_bytes())? {
            self.query.push((name.clone(), value.clone()));
            self.add(name, value.into())?;
        }
        Ok(())
    }

    async fn read_body(&mut self, headers: &HeaderMap, body: Vec<u8>) -> Result<(), ApiError> {
        let MediaType { essence, is_utf8 } = MediaType::of(headers)?;
        match essence.as_str() {
            _ if body.is_empty() => Ok(()),
            "application/x-www-form-urlencoded" if is_utf8 => {
                pairs(&body)?.into_iter().try_for_each(|(name, value)| self.add(name, value.into()))
            }
            "application/json" if is_utf8 => self.read_json(&body::utf8(body)?),
            "multipart/form-data" => self.read_parts(headers, body).await,
            _ => Err(ApiError::MediaType { expected: "a form or JSON" }),
        }
    }

    fn read_json(&mut self, text: &str) -> Result<(), ApiError> {
        let members: Members = serde_json::from_str(text).map_err(|error| ApiError::malformed(error.to_string()))?;
        members.0.into_iter().try_for_each(|(name, value)| self.add(name, value))
    }

    async fn read_parts(&mut self, headers: &HeaderMap, body: Vec<u8>) -> Result<(), ApiError> {
        let wrong = |error: multer::Error| ApiError::malformed(error.to_string());
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(kind).map_err(wrong)?;
        let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(body))]);
        let mut parts = multer::Multipart::new(body, boundary);
        while let Some(part) = parts.next_field().await.map_err(wrong)? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                return Err(ApiError::malformed(format!("`{name}` is a file")));
            }
            let value = body::utf8(part.bytes().await.map_err(wrong)?.into())?;
            self.add(name, value.into())?;
        }
        Ok(())
    }

    fn add(&mut self, name: String, value: Value) -> Result<(), ApiError> {
        match self.values.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(ApiError::malformed("there is a parameter twice")),
        }
    }

    fn check(&self, app: &App) -> Result<(), Refusal> {
        let document = serde_json::to_vec(&self.values).map_err(Refusal::internal)?;
        let report = app.gate.validate(SCHEMA, &document).map_err(ApiError::from)?;
        let is_type = |violation: &Violation| violation.keyword == "type";
        match report.verdict {
            Verdict::Valid => Ok(()),
            // A list or an object where the dialect has texts.
            Verdict::Invalid if report.violations.iter().all(is_type) => {
                Err(Refusal::Invalid(report.violations.iter().map(|_| "invalid".into()).collect()))
            }
            _ => Err(ApiError::Violations(report).into_malformed().into()),
        }
    }
}

/// The members of a JSON object, those of one name side by side.
struct Members(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

/// Names and values of a form; what decodes to no UTF-8 is refused, not replaced.
fn pairs(form: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
    let decoded = decode(form);
    if !is_text(&decoded) {
        return Err(ApiError::malformed("the parameters are not UTF-8"));
    }
    Ok(url::form_urlencoded::parse(form).into_owned().collect())
}

/// The bytes that percent-encodings stand for, in place of each.
fn decode(form: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (mut decoded, mut rest) = (Vec::with_capacity(form.len()), form);
    while let Some((&first, after)) = rest.split_first() {
        let pair = match (first, after) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|pair| (pair, after)),
            _ => None,
        };
        match pair {
            Some(((high, low), after)) => {
                decoded.push(high * 16 + low);
                rest = after;
            }
            None => {
                decoded.push(first);
                rest = after;
            }
        }
    }
    decoded
}
