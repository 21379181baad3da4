//! What an account is not taken over by: an old password, a mail that went to somebody else, a form of another site.

use std::fs;

use serde_json::{Value, json};

use crate::tests::barong::people::{PASSWORD, People};
use crate::tests::barong::place::Place;
use crate::tests::client::Draft;

/// Tokens, and codes that would set another password.
pub async fn a_new_password_voids_what_the_old_one_gave(place: Place) {
    const NEW: &str = "Tecohvi0-boat-lamp";
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let login = |password: &str| json!({"email": "ada@example.org", "password": password});
    let me = async |token: &str| {
        let draft = people.app.anonymous().get("/api/v2/barong/resource/users/me").header("authorization", token);
        draft.send().await
    };
    let browser = people.login(&login(PASSWORD)).await;
    let before = browser.token().await;
    me(&before).await.expect_status(200);
    people.post("users/password/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    let unused = people.code();
    let change = json!({"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW});
    browser.resource("PUT", "users/password", &change).await.expect_status(201);
    me(&before).await.expect_error(401, "jwt.decode_and_verify");
    people.app.clock.advance_ms(1_000);
    let since = browser.token().await;
    me(&since).await.expect_status(200);
    let reset = |code: &str| json!({"reset_password_token": code, "password": PASSWORD, "confirm_password": PASSWORD});
    const PATH: &str = "users/password/confirm_code";
    people.post(PATH, &reset(&unused)).await.expect_error(422, "identity.user.utilized_token");
    people.post("users/password/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    people.post(PATH, &reset(&people.code())).await.expect_status(201);
    me(&since).await.expect_error(401, "jwt.decode_and_verify");
}

pub async fn a_revocation_ends_sessions_and_tokens(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let uid = people.uid("ada@example.org").await;
    for revoke in [
        people.admin.post(&format!("/directory/users/{uid}/revoke")),
        people.admin.delete(&format!("/directory/users/{uid}/tokens")),
    ] {
        let browser = people.login(&json!({"email": "ada@example.org", "password": PASSWORD})).await;
        let token = browser.token().await;
        let me = people.app.anonymous().get("/api/v2/barong/resource/users/me").header("authorization", &token);
        let answer = revoke.send().await;
        assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
        browser.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
        me.send().await.expect_error(401, "jwt.decode_and_verify");
        people.app.clock.advance_ms(1_000);
    }
}

/// Who got a mail at an address has a say as long as the user has that address.
pub async fn a_code_is_of_an_address(place: Place) {
    let people = People::new(&place).await;
    let root = people.app.user(&people.admin, "superadmin").await;
    let moved = async |uid: &str, email: &str| {
        let draft = root.request("PUT".parse().unwrap(), "/api/v2/barong/admin/users");
        draft.json(&json!({"uid": uid, "email": email})).send().await.expect_status(200);
    };
    people.post("users", &json!({"email": "ada@example.org", "password": PASSWORD})).await.expect_status(201);
    let (uid, code) = (people.uid("ada@example.org").await, people.code());
    people.post("users/password/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    let reset = people.code();
    let reset = json!({"reset_password_token": reset, "password": PASSWORD, "confirm_password": PASSWORD});
    moved(&uid, "eve@example.org").await;
    const USED: &str = "identity.user.utilized_token";
    people.post("users/email/confirm_code", &json!({"token": code})).await.expect_error(422, USED);
    people.post("users/password/confirm_code", &reset).await.expect_error(422, USED);
    moved(&uid, "Ada@example.org").await;
    people.post("users/email/confirm_code", &json!({"token": code})).await.expect_status(201);
    people.post("users/password/confirm_code", &reset).await.expect_status(201);
}

/// Whether there is an account is not told by what happens to its mail.
pub async fn a_mail_that_cannot_be_written_is_not_told(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    fs::remove_dir_all(people.app.folder.path().join("mail")).unwrap();
    fs::write(people.app.folder.path().join("mail"), "").unwrap();
    for path in ["users/password/generate_code", "users/email/generate_code"] {
        for email in ["ada@example.org", "nobody@example.org"] {
            let answer = people.post(path, &json!({"email": email})).await.expect_status(201);
            assert_eq!(answer.text(), "201", "{path} {email}");
        }
    }
    people.post("users", &json!({"email": "eve@example.org", "password": PASSWORD})).await.expect_status(201);
}

/// A form of another site would log its visitor in as somebody else.
pub async fn pages_of_other_sites_log_nobody_in(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    for (headers, status) in [
        (&[][..], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[("sec-fetch-site", "same-site"), ("origin", "https://app.shop.test")], 200),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")], 403),
        (&[("sec-fetch-site", "other")], 403),
        (&[("origin", "https://shop.test"), ("host", "shop.test")], 200),
        (&[("origin", "https://shop.test"), ("host", "server:8080"), ("x-forwarded-host", "shop.test")], 200),
        (&[("origin", "https://evil.test"), ("host", "shop.test")], 403),
        (&[("origin", "https://evil.test")], 403),
        (&[("origin", "null"), ("host", "shop.test")], 403),
    ] {
        let add = |draft: Draft| headers.iter().fold(draft, |draft, &(name, value)| draft.header(name, value));
        let answer = add(people.identity("sessions", &login)).send().await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert_eq!(answer.header("set-cookie").is_empty(), status == 403, "{headers:?}");
        let out = people.app.anonymous().delete("/api/v2/barong/identity/sessions");
        let out = add(out.header("x-forwarded-for", "10.1.2.3")).send().await;
        assert_eq!(out.status, if status == 403 { 403 } else { 404 }, "{headers:?}: {}", out.text());
    }
}

/// What is noted beside a private label is for others.
pub async fn users_see_no_notes_about_themselves(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let root = people.app.user(&people.admin, "superadmin").await;
    let uid = people.uid("ada@example.org").await;
    for scope in ["public", "private"] {
        let label = json!({"uid": uid, "key": "risk", "value": "high", "scope": scope, "description": "asked twice"});
        root.post("/api/v2/barong/admin/users/labels").json(&label).send().await.expect_status(201);
    }
    let login = people.post("sessions", &json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let labels = login.expect_status(200).json()["labels"].clone();
    let told: Vec<_> = labels.as_array().unwrap().iter().filter(|label| label["key"] == "risk").collect();
    assert_eq!(told.len(), 2);
    for label in told {
        let expected = if label["scope"] == "public" { json!("asked twice") } else { Value::Null };
        assert_eq!(label["description"], expected);
    }
    let shown = root.get(&format!("/api/v2/barong/admin/users/{uid}")).send().await.expect_status(200).text();
    assert_eq!(shown.matches("asked twice").count(), 2);
}
