//! What users own: comments, keys, storages, documents.

use portcullis_directory::{DataStorage, DataStorageDraft, HolderKind, NewApiKey, UserId};
use serde_json::json;

use super::place::Place;
use super::{Barong, each};
use crate::tests::client::NOW;

pub async fn comments_are_of_their_authors(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    let support = barong.app.holder_of(&token_of(&barong, "support").await);
    let made = barong.ask(&support, "POST users/comments uid=ID1&title=Seen&data=a%0ab").await.expect_status(201);
    let comment = made.json()["comments"][0].clone();
    assert_eq!(
        (&comment["author_uid"], &comment["title"], &comment["data"]),
        (&json!("support"), &json!("Seen"), &json!("a\nb"))
    );
    let id = comment["id"].as_i64().unwrap();
    let changed = barong.ask(&barong.root, &format!("PUT users/comments id={id}&title=Read")).await.expect_status(200);
    assert_eq!(
        (each(&changed.json()["comments"], "title"), each(&changed.json()["comments"], "data")),
        (vec!["Read"], vec!["a\nb"])
    );
    let long = format!("POST users/comments uid=ID1&title={}&data=x", "t".repeat(65));
    let by_admin = [
        (format!("PUT users/comments id={id}&title=x"), "401 admin.ability.not_permitted"),
        (format!("DELETE users/comments id={id}"), "401 admin.ability.not_permitted"),
        (format!("PUT users/comments id={id}&title="), "422 admin.user.empty_title"),
        ("PUT users/comments id=999&title=x".to_owned(), "404 record.not_found"),
        ("DELETE users/comments id=999".to_owned(), "404 record.not_found"),
        ("DELETE users/comments".to_owned(), "422 admin.user.missing_id admin.user.empty_id"),
        ("DELETE users/comments id=x".to_owned(), "422 invalid"),
        (
            "POST users/comments uid=ID1&data=x".to_owned(),
            "422 admin.user.missing_title admin.comments.title_too_long admin.user.empty_title",
        ),
        (long, "422 admin.comments.title_too_long"),
        (
            format!("POST users/comments uid=ID1&title=x&data={}", "d".repeat(65_536)),
            "422 admin.comments.data_too_long",
        ),
        ("POST users/comments uid=nobody&title=x&data=x".to_owned(), "404 admin.user.doesnt_exist"),
        ("POST users/comments uid=superadmin&title=x&data=x".to_owned(), "422 admin.user.superadmin_change"),
    ];
    let by_admin: Vec<_> = by_admin.iter().map(|(line, expected)| (line.as_str(), *expected)).collect();
    barong.expect(&barong.admin, &by_admin).await;
    barong.ask(&support, &format!("DELETE users/comments id={id}")).await.expect_status(204);
    assert_eq!(barong.user("ID1").await["comments"], json!([]));
}

pub async fn keys_and_storages_of_a_user(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    let (by, id) = (UserId::parse("root").unwrap(), UserId::parse("ID1").unwrap());
    let change = barong.directory.change(&by, NOW).await.unwrap();
    for (kid, scope) in [("bb", "[]"), ("aa", r#"["trade"]"#)] {
        let (kid, algorithm) = (kid.to_owned(), "HS256".to_owned());
        let key = NewApiKey { kid, algorithm, secret: b"sealed".to_vec(), scope: scope.to_owned() };
        change.create_api_key(HolderKind::User, &id, key).await.unwrap();
    }
    let draft = DataStorageDraft { title: "Notes".to_owned(), data: "{}".to_owned() };
    change.add::<DataStorage>(&id, draft).await.unwrap();
    change.commit().await.unwrap();
    let keys = barong.ask(&barong.root, "GET api_keys uid=ID1&order_by=kid").await.expect_status(200);
    let expected = r#"{"kid":"aa","algorithm":"HS256","scope":["trade"],"state":"active","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z"}"#;
    assert!(keys.text().starts_with(&format!("[{expected},")), "{}", keys.text());
    assert_eq!(keys.header("total"), "2");
    let cases = [
        ("GET api_keys", "422 admin.apikey.missing_uid admin.apikey.empty_uid"),
        ("GET api_keys uid=ID1&ordering=up", "422 api_keys.ordering.invalid_ordering"),
        ("GET api_keys uid=ID1&order_by=secret_encrypted", "422 api_keys.ordering.invalid_attribute"),
        ("GET api_keys uid=nobody", "404 admin.user.doesnt_exist"),
        ("DELETE users/data_storage uid=ID1&title=notes", "404 admin.storage.doesnt_exist"),
        ("DELETE users/data_storage uid=nobody&title=Notes", "404 admin.user.doesnt_exist"),
        ("DELETE users/data_storage uid=ID1", "422 admin.user.missing_title admin.user.empty_title"),
        ("DELETE users/data_storage uid=ID1&title=Notes", "204"),
        ("DELETE users/data_storage uid=ID1&title=Notes", "404 admin.storage.doesnt_exist"),
    ];
    barong.expect(&barong.root, &cases).await;
}

pub async fn documents_that_wait_are_found(place: Place) {
    let barong = Barong::new(&place).await;
    for (uid, scope, value) in [
        ("ID1", "private", "pending"),
        ("ID2", "public", "pending"),
        ("ID3", "private", "replaced"),
        ("ID4", "private", "verified"),
    ] {
        barong.member(uid, "active").await;
        barong.json(&format!("POST users/labels uid={uid}&key=document&value={value}&scope={scope}")).await;
    }
    for _ in 0..2 {
        // Verified profiles do not make a user appear twice.
        barong.json("POST profiles uid=ID1&first_name=Ann").await;
        barong.json("PUT profiles uid=ID1&state=verified").await;
    }
    let answer = barong.ask(&barong.root, "GET users/documents/pending").await.expect_status(200);
    assert_eq!((each(&answer.json(), "uid"), answer.header("total")), (vec!["ID1", "ID3"], "2"));
    assert_eq!(each(&barong.json("GET users/documents/pending uid=ID3&first_name=x").await, "uid"), ["ID3"]);
    let extended = barong.json("GET users/documents/pending extended=1&limit=1").await;
    assert_eq!(
        (extended[0]["profiles"].as_array().unwrap().len(), &extended[0]["labels"][0]["key"]),
        (2, &json!("document"))
    );
    barong
        .expect(
            &barong.root,
            &[("GET users/documents/pending extended=x&range=y", "422 invalid admin.user.invalid_range")],
        )
        .await;
}

async fn token_of(barong: &Barong, user: &str) -> String {
    let answer = barong.admin.post(&format!("/directory/users/{user}/tokens")).send().await.expect_status(201);
    answer.json()["token"].as_str().unwrap().to_owned()
}
