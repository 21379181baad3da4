//! `/docs` of a real server in a headless Chromium: all that the documents describe, and nothing from elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_rig::{Request, Server};
use serde_json::Value;
use tempfile::TempDir;

use super::schemas::js::ask;
use crate::engines::portcullis;

const DOCUMENTS: [(&str, &str); 3] =
    [("own", "/openapi.json"), ("padlock", "/openapi/padlock.json"), ("barong", "/openapi/barong.json")];
const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// `own get /healthz`, as the page names them.
fn described(name: &str, document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let has = |method: &&str| item.get(*method).is_some();
        METHODS.into_iter().filter(has).map(|method| format!("{name} {method} {path}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_shows_every_operation_and_loads_nothing_from_elsewhere() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&portcullis().unwrap(), folder.path()).unwrap();
    let mut expected = BTreeSet::new();
    for (name, path) in DOCUMENTS {
        let document = server.send(Request::get(path)).unwrap().expect_status(200).unwrap().json().unwrap();
        expected.extend(described(name, &document));
    }
    let address = server.address().to_string();
    let seen = ask("docs.js", Path::new(&address), "\"signing-keys\"\n").pop().unwrap();
    assert_eq!(texts(&seen["failed"]), BTreeSet::new());
    assert_eq!(texts(&seen["operations"]), expected);
    assert_eq!(texts(&seen["broken"]), BTreeSet::new());
    assert_eq!(texts(&seen["shown"]), BTreeSet::from(["own post /identity/signing-keys".to_owned()]));
    assert_eq!(seen["opens"], true);
    for operation in seen["rendered"].as_array().unwrap() {
        assert!(operation["tables"].as_u64().unwrap() >= 1, "{operation}");
        assert!(!operation["text"].as_str().unwrap().contains("undefined"), "{operation}");
    }
    for url in texts(&seen["asked"]) {
        assert!(url.starts_with(&format!("http://{address}/")) || url.starts_with("data:"), "{url}");
    }
}
