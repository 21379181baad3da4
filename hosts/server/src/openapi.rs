//! What the server offers, as OpenAPI 3.1 documents: one for its own API, one for each dialect, and a page that shows them.
//!
//! Operations are described here in one place for each group of handlers. Tests compare them with the routes of the router,
//! and every answer that a test gets with what is said here about it (ADR 0040).

mod field;
mod operation;
mod page;
mod schemas;

mod barong;
mod own;
mod padlock;

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApiBuilder, Server, Tag};

use crate::app::App;
use crate::error::ApiError;
use crate::openapi::operation::{Group, Op};
use crate::openapi::schemas::{SchemaError, Schemas};

/// A document before it is one.
struct Draft {
    title: &'static str,
    about: &'static str,
    groups: Vec<(Group, &'static str, Vec<Op>)>,
    callers: Vec<(&'static str, SecurityScheme)>,
    /// Schemas of answers.
    schemas: &'static str,
}

/// Its JSON.
pub(crate) type Document = LazyLock<Result<Bytes, SchemaError>>;

pub(crate) static OWN: Document = LazyLock::new(|| own::draft().document().map(bytes));
pub(crate) static PADLOCK: Document = LazyLock::new(|| padlock::draft().document().map(bytes));
pub(crate) static BARONG: Document = LazyLock::new(|| barong::draft().document().map(bytes));

/// The paths, and what each method does there.
pub(crate) fn routes() -> [(&'static str, MethodRouter<Arc<App>>); 6] {
    [
        ("/openapi.json", get(|| async { answer(&OWN) })),
        ("/openapi/padlock.json", get(|| async { answer(&PADLOCK) })),
        ("/openapi/barong.json", get(|| async { answer(&BARONG) })),
        ("/docs", get(page::html)),
        ("/docs/docs.css", get(page::css)),
        ("/docs/docs.js", get(page::js)),
    ]
}

fn answer(document: &'static Document) -> Result<Response, ApiError> {
    let json = document.as_ref().map_err(ApiError::internal)?;
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), json.clone()).into_response())
}

fn bytes(document: Value) -> Bytes {
    document.to_string().into()
}

// === impl Draft ===

impl Draft {
    fn document(self) -> Result<Value, SchemaError> {
        let Self { title, about, groups, callers, schemas } = self;
        let mut paths = Paths::new();
        let mut tags = Vec::new();
        for (group, words, operations) in groups {
            let mut tag = Tag::new(group.tag);
            tag.description = Some(words.to_owned());
            tags.push(tag);
            for op in operations {
                let path = op.path;
                let item = paths.paths.entry(path.to_owned()).or_default();
                for (method, operation) in op.in_group(&group) {
                    item.merge_operations(PathItem::new(method, operation));
                }
            }
        }
        let components = callers
            .into_iter()
            .fold(ComponentsBuilder::new(), |components, (name, scheme)| components.security_scheme(name, scheme));
        let info = InfoBuilder::new().title(title).version(env!("CARGO_PKG_VERSION")).description(Some(about));
        let document = OpenApiBuilder::new()
            .info(info.build())
            // Wherever the document was read from: nothing of the request becomes a URL.
            .servers(Some([Server::new("/")]))
            .paths(paths)
            .components(Some(components.build()))
            .tags(Some(tags))
            .build();
        let mut document = json!(document);
        document["components"]["schemas"] = Schemas::read(schemas)?.named_in(&document)?.into();
        Ok(document)
    }
}

fn bearer(text: &str) -> SecurityScheme {
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build())
}

fn header(name: &str, text: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, text)))
}

fn cookie(name: &str, text: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, text)))
}
