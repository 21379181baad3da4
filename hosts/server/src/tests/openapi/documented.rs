//! Every answer that a test gets is one that the documents describe: its status, its media type, and its body by the schema.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use axum::http::Method;
use jsonschema::Validator;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::openapi::{BARONG, OWN, PADLOCK};
use crate::tests::client::Answer;

/// The server's own, padlock's, Barong's.
pub fn documents() -> &'static [Value; 3] {
    static DOCUMENTS: OnceLock<[Value; 3]> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        [&OWN, &PADLOCK, &BARONG].map(|document| serde_json::from_slice(document.as_ref().unwrap()).unwrap())
    })
}

/// An operation, and the document that it is of.
struct Found {
    document: &'static Value,
    path: &'static str,
    method: String,
    operation: &'static Value,
}

/// Panics when nothing is said about such an answer. What no document describes is refused by the router, or by a test.
#[track_caller]
pub fn expect_documented(method: &Method, uri: &str, answer: &Answer) {
    let Some(found) = find(method, uri.split('?').next().unwrap_or_default()) else { return };
    let asked = format!("{method} {uri} answers {}: {}", answer.status, answer.text());
    let responses = &found.operation["responses"];
    let class = format!("{}XX", answer.status / 100);
    let status = [answer.status.to_string(), class].into_iter().find(|status| responses[status].is_object());
    let status = status.unwrap_or_else(|| panic!("{asked}\nwhich no document says"));
    if answer.body.is_empty() {
        return;
    }
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default().trim();
    let content = &responses[&status]["content"][media_type];
    assert!(content.is_object(), "{asked}\nas {media_type}, which no document says");
    if media_type.ends_with("json") && content["schema"].is_object() {
        let Ok(body) = serde_json::from_slice(&answer.body) else {
            // A number of the client may be larger than any that a `Value` holds.
            assert!(serde_json::from_slice::<&RawValue>(&answer.body).is_ok(), "{asked}\nis no JSON");
            return;
        };
        let place = (found.path, found.method.clone(), status, media_type.to_owned());
        let validator = validator(place, found.document, &content["schema"]);
        let errors: Vec<String> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{asked}\n{}", errors.join("\n"));
    }
}

/// By the path itself, else by the template that it fits.
fn find(method: &Method, path: &str) -> Option<Found> {
    let named = method.as_str().to_lowercase();
    let ways = documents().iter().flat_map(|document| {
        let paths = document["paths"].as_object().unwrap();
        paths.iter().map(move |(template, item)| (document, template, item))
    });
    let mut fitting: Vec<_> = ways.filter(|(_, template, _)| fits(template, path)).collect();
    fitting.sort_by_key(|(_, template, _)| template.contains('{'));
    fitting.into_iter().find_map(|(document, template, item)| {
        // HEAD goes with GET.
        let named = if named == "head" && item.get("head").is_none() { "get" } else { &named };
        let operation = item.get(named)?;
        Some(Found { document, path: template, method: named.to_owned(), operation })
    })
}

fn fits(template: &str, path: &str) -> bool {
    if let Some(above) = template.strip_suffix("{path}") {
        return path.starts_with(above);
    }
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

type Place = (&'static str, String, String, String);

fn validator(place: Place, document: &Value, schema: &Value) -> Arc<Validator> {
    static KNOWN: Mutex<Option<HashMap<Place, Arc<Validator>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap();
    let validator = known.get_or_insert_default().entry(place).or_insert_with(|| {
        let mut root = schema.clone();
        root["components"] = json!({"schemas": document["components"]["schemas"]});
        Arc::new(jsonschema::draft202012::new(&root).unwrap())
    });
    Arc::clone(validator)
}
