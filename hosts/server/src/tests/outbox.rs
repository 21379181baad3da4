//! What happens to a bundle after it decides here: compression, the object store, the publish job.

use std::io::Read as _;
use std::path::Path;

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
    for url in ["", "bundles", "ftp://x/y", "s3://bucket/x"] {
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
