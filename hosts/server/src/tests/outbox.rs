//! What happens to a bundle after it decides here: compression, the object store, the publish job.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use portcullis_directory::{Directory, Location, NewDocument, TenantId, UserId};
use serde_json::{Value, json};

use crate::publish::archive::Archive;
use crate::tests::client::{NOW, POLICY, TestApp};

fn archive(folder: &Path) -> Archive {
    Archive::open(&format!("file://{}/bundles", folder.display()), []).unwrap()
}

async fn app_with_archive(folder: &Path) -> TestApp {
    let location = Location::File(folder.join("portcullis.db"));
    TestApp::with(location, |parts| parts.archive = Some(archive(folder))).await
}

fn pointer(folder: &Path) -> Option<Value> {
    let text = std::fs::read(folder.join("bundles/default/current.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// Objects by path, as a store that speaks the protocol of S3 keeps them.
type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

async fn answer(State(objects): State<Objects>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let is_signed = headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256 Credential=key/");
    let mut objects = objects.lock().unwrap();
    let meta = [("etag", "\"1\""), ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT")];
    match (is_signed, method) {
        (false, _) => StatusCode::FORBIDDEN.into_response(),
        (_, Method::PUT) => {
            objects.insert(uri.path().to_owned(), body);
            meta.into_response()
        }
        _ => match objects.get(uri.path()) {
            Some(object) => (meta, object.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

#[tokio::test]
async fn a_bundle_goes_to_a_bucket() {
    let objects = Objects::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let bucket = Router::new().fallback(answer).with_state(Arc::clone(&objects));
    let server = tokio::spawn(async move { axum::serve(listener, bucket).await });

    let settings = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let archive = Archive::open("s3://bundles/eu", settings).unwrap();
    let app = TestApp::with(Location::Memory, |parts| parts.archive = Some(archive)).await;
    let admin = app.admin().await;
    let digest = admin.publish(POLICY).await.json()["digest"].as_str().unwrap().to_owned();
    while app.app.store.publish_job(&TenantId::default()).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    let served = admin.get("/policy/bundle").send().await.expect_status(200);
    let objects = objects.lock().unwrap().clone();
    assert_eq!(objects.keys().collect::<Vec<_>>().len(), 2, "{:?}", objects.keys());
    assert_eq!(objects[&format!("/bundles/eu/default/{digest}.bundle")], served.body);
    let pointer: Value = serde_json::from_slice(&objects["/bundles/eu/default/current.json"]).unwrap();
    assert_eq!(pointer, json!({"tenant": "default", "revision": 1, "digest": digest}));
    server.abort();
}

#[test]
fn every_cloud_is_part_of_the_server() {
    let account = [("AZURE_STORAGE_ACCOUNT_NAME".to_owned(), "acme".to_owned())];
    for (url, settings) in
        [("gs://bundles/eu", vec![]), ("az://bundles/eu", account.to_vec()), ("s3://bundles", vec![])]
    {
        assert!(Archive::open(url, settings).is_ok(), "{url}");
    }
    assert!(Archive::open("ftp://bundles/eu", []).is_err());
}

/// Waits until the outbox has done its work for `revision`.
async fn published(app: &TestApp, folder: &Path, revision: u64) -> Value {
    loop {
        let job = app.app.store.publish_job(&TenantId::default()).await.unwrap();
        match pointer(folder) {
            Some(pointer) if pointer["revision"] == revision && job.is_none() => return pointer,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn a_bundle_goes_to_the_object_store() {
    let folder = tempfile::tempdir().unwrap();
    let app = app_with_archive(folder.path()).await;
    let admin = app.admin().await;
    let digest = admin.publish(POLICY).await.json()["digest"].clone();
    let found = published(&app, folder.path(), 1).await;
    assert_eq!(found, json!({"tenant": "default", "revision": 1, "digest": digest}));
    let stored = std::fs::read(folder.path().join(format!("bundles/default/{}.bundle", digest.as_str().unwrap())));
    let served = admin.get("/policy/bundle").send().await.expect_status(200);
    assert_eq!(stored.unwrap(), served.body);
    admin.publish("version: 1\nrules: []\n").await;
    assert_ne!(published(&app, folder.path(), 2).await["digest"], digest);
}

#[tokio::test]
async fn a_server_that_died_after_the_commit_publishes_at_its_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("portcullis.db"));
    let directory = Directory::open(location).await.unwrap();
    let document = NewDocument {
        follows: None,
        text: POLICY.to_owned(),
        media_type: "application/yaml".to_owned(),
        digest: [0; 32],
        entries: Vec::new(),
        created_at: NOW,
        logs_out: None,
    };
    let author = UserId::parse("root").unwrap();
    directory.append_document(&TenantId::default(), document, &author).await.unwrap();
    assert!(directory.publish_job(&TenantId::default()).await.unwrap().is_some());
    directory.close().await.unwrap();

    let app = app_with_archive(folder.path()).await;
    published(&app, folder.path(), 1).await;
    let admin = app.admin().await;
    admin.get("/policy/bundle").send().await.expect_status(200);
}

#[tokio::test]
async fn an_object_store_that_fails_or_is_newer_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let newer = json!({"tenant": "default", "revision": 9, "digest": "x"});
    std::fs::create_dir_all(folder.path().join("bundles/default")).unwrap();
    std::fs::write(folder.path().join("bundles/default/current.json"), newer.to_string()).unwrap();
    let app = app_with_archive(folder.path()).await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    admin.get("/policy/bundle").send().await.expect_status(200);
    assert!(app.app.store.publish_job(&TenantId::default()).await.unwrap().is_some(), "it is tried again");
    assert_eq!(pointer(folder.path()), Some(newer));
    for url in ["", "bundles", "ftp://x/y"] {
        assert!(Archive::open(url, []).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_bundle_is_compressed_for_who_asks() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    let plain = admin.get("/policy/bundle").send().await.expect_status(200);
    let get = |coding: &str| admin.get("/policy/bundle").header("accept-encoding", coding).send();
    for coding in ["gzip", "zstd"] {
        let answer = get(coding).await.expect_status(200);
        assert_eq!((answer.header("content-encoding"), answer.header("vary")), (coding, "accept-encoding"));
        assert_eq!(answer.header("etag"), plain.header("etag"));
        let mut bytes = Vec::new();
        match coding {
            "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut bytes).unwrap()),
            _ => bytes = zstd::stream::decode_all(&answer.body[..]).unwrap(),
        }
        assert!(answer.body.len() < plain.body.len());
        assert_eq!(bytes, plain.body);
    }
    assert_eq!(get("br").await.header("content-encoding"), "");
    let bundle = app.app.default_tenant().unwrap().publisher.bundle().unwrap();
    let once = bundle.encoded(crate::publish::Coding::Gzip).await.unwrap();
    let again = bundle.encoded(crate::publish::Coding::Gzip).await.unwrap();
    assert_eq!(once.as_ptr(), again.as_ptr(), "compressed once");
}
