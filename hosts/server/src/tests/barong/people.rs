//! People: from signing up to a signed request, and what is refused on the way.

use std::fs;

use portcullis_compiler::import;
use portcullis_directory::{Activity, ActivityColumn, Email, Find, UnixSeconds};
use portcullis_identity::api_keys::sign;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::clock::Clock as _;
use crate::pep::Proxies;
use crate::tests::barong::place::Place;
use crate::tests::client::{Actor, Answer, Draft, TestApp};

const SEEDS: &str = "permissions:
  - {role: member, verb: ALL, path: api/v2/barong/resource, action: ACCEPT}
  - {role: member, verb: GET, path: api/v2/shop, action: ACCEPT}
levels:
  - {key: email, value: verified}
";
pub(super) const PASSWORD: &str = "Iequ4geiEWQw";
const AGENT: &str = "test";

pub(super) struct People {
    pub(super) app: TestApp,
    pub(super) admin: Actor,
}

/// A browser: its cookie and its token against forged requests.
pub(super) struct Browser<'p> {
    people: &'p People,
    cookie: String,
    csrf: String,
}

impl People {
    pub(super) async fn new(place: &Place) -> Self {
        let proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
        let app = TestApp::with(place.location.clone(), |parts| parts.proxies = proxies).await;
        let admin = app.admin().await;
        admin.put_document(import::barong(SEEDS).unwrap().document).send().await.expect_status(201);
        Self { app, admin }
    }

    pub(super) fn identity(&self, path: &str, params: &Value) -> Draft {
        let draft = self.app.anonymous().post(&format!("/api/v2/barong/identity/{path}")).json(params);
        draft.header("x-forwarded-for", "10.1.2.3").header("user-agent", AGENT)
    }

    /// With all that it leaves to be done.
    pub(super) async fn post(&self, path: &str, params: &Value) -> Answer {
        let answer = self.identity(path, params).send().await;
        self.app.app.later.done().await;
        answer
    }

    /// The id of whoever has that address.
    pub(super) async fn uid(&self, email: &str) -> String {
        let email = Email::parse(email).unwrap();
        self.app.app.identity.directory.user_by_email(&email).await.unwrap().unwrap().id.to_string()
    }

    /// The last line of the newest mail; mails are taken away as they are read.
    pub(super) fn code(&self) -> String {
        let mut mails: Vec<_> = self.mails();
        assert_eq!(mails.len(), 1);
        let text = fs::read_to_string(mails.remove(0)).unwrap();
        for path in self.mails() {
            fs::remove_file(path).unwrap();
        }
        text.trim_end().lines().last().unwrap().to_owned()
    }

    fn mails(&self) -> Vec<std::path::PathBuf> {
        let Ok(new) = fs::read_dir(self.app.folder.path().join("mail/new")) else { return Vec::new() };
        new.map(|entry| entry.unwrap().path()).collect()
    }

    pub(super) async fn confirmed(&self, email: &str) {
        let signed_up = self.post("users", &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(signed_up.expect_status(201).text(), "201");
        let code = self.code();
        self.post("users/email/confirm_code", &json!({"token": code})).await.expect_status(201);
    }

    pub(super) async fn login(&self, params: &Value) -> Browser<'_> {
        let answer = self.post("sessions", params).await.expect_status(200);
        let cookie = answer.header("set-cookie").to_owned();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser { people: self, cookie, csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned() }
    }

    async fn activities(&self, uid: &str) -> Vec<String> {
        let find = Find::<Activity>::all().is(ActivityColumn::UserId, uid).is(ActivityColumn::Category, "user");
        let rows = self.app.app.identity.directory.find(&find).await.unwrap();
        rows.into_iter().map(|row| format!("{}/{}/{}", row.topic, row.action, row.result)).collect()
    }

    /// What an app shows for the address of a seed.
    fn totp(&self, url: &str) -> String {
        let secret = url.split("secret=").nth(1).unwrap().split('&').next().unwrap();
        let secret = Secret::try_from_base32(secret).unwrap();
        Builder::new().with_secret(secret).build().unwrap().generate(self.app.clock.now().0).to_string()
    }
}

impl Browser<'_> {
    pub(super) fn gateway(&self, method: &str, path: &str) -> Draft {
        let method = method.parse().unwrap();
        let draft = self.people.app.anonymous().request(method, &format!("/api/v2/auth/{path}"));
        draft
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf)
            .header("x-forwarded-for", "10.1.2.3")
            .header("user-agent", AGENT)
    }

    /// What an upstream gets from the gateway.
    pub(super) async fn token(&self) -> String {
        let allowed = self.gateway("GET", "api/v2/barong/resource/users/me").send().await.expect_status(200);
        allowed.header("authorization").to_owned()
    }

    /// Through the gateway, then to this server as the upstream.
    pub(super) async fn resource(&self, method: &str, path: &str, params: &Value) -> Answer {
        let path = format!("api/v2/barong/resource/{path}");
        let allowed = self.gateway(method, &path).send().await.expect_status(200);
        let token = allowed.header("authorization").to_owned();
        let draft = self.people.app.anonymous().request(method.parse().unwrap(), &format!("/{path}"));
        let draft = draft.header("authorization", &token).header("cookie", &self.cookie);
        let draft = draft.header("x-forwarded-for", "10.1.2.3").header("user-agent", AGENT);
        if params.is_null() { draft.send().await } else { draft.json(params).send().await }
    }
}

impl Answer {
    #[track_caller]
    pub(super) fn expect_error(self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.json(), json!({"errors": [code]}));
    }
}

pub async fn from_signing_up_to_a_signed_request(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let browser = people.login(&json!({"email": "Ada@Example.org", "password": PASSWORD})).await;
    let me = browser.resource("GET", "users/me", &Value::Null).await.expect_status(200).json();
    let uid = me["uid"].as_str().unwrap().to_owned();
    assert!(uid.starts_with("ID") && uid.len() == 12, "{uid}");
    for (key, expected) in [
        ("email", json!("ada@example.org")),
        ("role", json!("member")),
        ("level", json!(1)),
        ("otp", json!(false)),
        ("state", json!("active")),
    ] {
        assert_eq!(me[key], expected, "{key}");
    }
    assert_eq!((me["labels"][0]["key"].as_str(), me["labels"][0]["scope"].as_str()), (Some("email"), Some("private")));
    assert!(me["csrf_token"].is_null());

    // A second factor.
    let without = browser.resource("POST", "api_keys", &json!({"algorithm": "HS256", "totp_code": "1"})).await;
    without.expect_error(400, "resource.api_key.2fa_disabled");
    let seed = browser.resource("POST", "otp/generate_qrcode", &Value::Null).await.expect_status(200).json();
    let url = seed["data"]["url"].as_str().unwrap().to_owned();
    browser.resource("POST", "otp/enable", &json!({"code": "000000"})).await.expect_error(422, "resource.otp.invalid");
    let other = people.login(&json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let code = people.totp(&url);
    browser.resource("POST", "otp/enable", &json!({"code": code})).await.expect_status(200);
    other.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
    browser.gateway("GET", "api/v2/shop").send().await.expect_status(200);
    browser.resource("POST", "otp/verify", &json!({"code": code})).await.expect_error(422, "resource.otp.invalid");
    browser
        .resource("POST", "otp/generate_qrcode", &Value::Null)
        .await
        .expect_error(400, "resource.otp.already_enabled");

    // Logging in takes it.
    let login = |code: Option<String>| json!({"email": "ada@example.org", "password": PASSWORD, "otp_code": code});
    people.post("sessions", &login(None)).await.expect_error(401, "identity.session.missing_otp");
    people.post("sessions", &login(Some(code))).await.expect_error(403, "identity.session.invalid_otp");
    people.app.clock.advance_ms(30_000);
    let browser = people.login(&login(Some(people.totp(&url)))).await;

    // A key.
    people.app.clock.advance_ms(30_000);
    let key = json!({"algorithm": "HS256", "scope": "trade, read", "totp_code": people.totp(&url)});
    let key = browser.resource("POST", "api_keys", &key).await.expect_status(201).json();
    assert_eq!(key["scope"], json!(["trade", "read"]));
    let (kid, secret) = (key["kid"].as_str().unwrap().to_owned(), key["secret"].as_str().unwrap().to_owned());
    let list = browser.resource("GET", "api_keys", &Value::Null).await.expect_status(200);
    assert_eq!((list.header("total"), list.json()[0]["kid"].as_str()), ("1", Some(kid.as_str())));
    assert!(list.json()[0]["secret"].is_null());
    let signed = || {
        let nonce = people.app.clock.now_ms().to_string();
        let draft = people.app.anonymous().get("/api/v2/auth/api/v2/shop").header("x-auth-apikey", &kid);
        draft
            .header("x-auth-signature", &sign(secret.as_bytes(), &format!("{nonce}{kid}")))
            .header("x-auth-nonce", &nonce)
    };
    signed().send().await.expect_status(200);
    people.app.clock.advance_ms(30_000);
    let off = json!({"state": "inactive", "totp_code": people.totp(&url)});
    browser.resource("PATCH", &format!("api_keys/{kid}"), &off).await.expect_status(200);
    signed().send().await.expect_error(401, "authz.apikey_not_active");
    people.app.clock.advance_ms(30_000);
    let wrong = json!({"state": "sleeping", "totp_code": people.totp(&url)});
    browser.resource("PATCH", &format!("api_keys/{kid}"), &wrong).await.expect_error(422, "state.invalid");
    people.app.clock.advance_ms(30_000);
    let on = json!({"state": "active", "totp_code": people.totp(&url)});
    browser.resource("PATCH", &format!("api_keys/{kid}"), &on).await.expect_status(200);
    signed().send().await.expect_status(200);

    // A code that allowed nothing is as good as before.
    people.app.clock.advance_ms(30_000);
    let code = people.totp(&url);
    let nobodys = browser.resource("DELETE", &format!("api_keys/x?totp_code={code}"), &Value::Null).await;
    nobodys.expect_error(404, "record.not_found");
    browser.resource("POST", "otp/verify", &json!({"code": code})).await.expect_status(200);

    // Without the second factor no key works.
    people.app.clock.advance_ms(30_000);
    let code = people.totp(&url);
    browser.resource("POST", "otp/disable", &json!({"code": code})).await.expect_status(200);
    signed().send().await.expect_error(401, "authz.apikey_not_active");
    // Tokens of that second say more than the user may do now.
    people.app.clock.advance_ms(1_000);
    browser.resource("POST", "otp/disable", &json!({"code": "1"})).await.expect_error(400, "resource.otp.not_enabled");

    let out = people.app.anonymous().delete("/api/v2/barong/identity/sessions").header("cookie", &browser.cookie);
    let out = out.header("x-forwarded-for", "10.1.2.3").header("user-agent", AGENT).send().await.expect_status(200);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    browser.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
    let told = people.activities(&uid).await;
    for expected in [
        "account/signup/succeed",
        "session/login/succeed",
        "session/login::2fa/failed",
        "session/login::2fa/succeed",
        "session/logout/succeed",
        "otp/enable 2FA/failed",
        "otp/enable 2FA/succeed",
        "otp/disable 2FA/succeed",
    ] {
        assert!(told.iter().any(|one| one == expected), "{expected}: {told:?}");
    }
}

pub async fn a_key_is_deleted_by_its_owner_only(place: Place) {
    let people = People::new(&place).await;
    let mut keys = Vec::new();
    for email in ["ada@example.org", "bob@example.org"] {
        people.confirmed(email).await;
        let browser = people.login(&json!({"email": email, "password": PASSWORD})).await;
        let seed = browser.resource("POST", "otp/generate_qrcode", &Value::Null).await.json();
        let url = seed["data"]["url"].as_str().unwrap().to_owned();
        browser.resource("POST", "otp/enable", &json!({"code": people.totp(&url)})).await.expect_status(200);
        people.app.clock.advance_ms(30_000);
        let key = json!({"algorithm": "HS256", "totp_code": people.totp(&url)});
        let key = browser.resource("POST", "api_keys", &key).await.expect_status(201).json();
        keys.push((browser, url, key["kid"].as_str().unwrap().to_owned()));
    }
    let (ada, url, own) = &keys[0];
    let delete = async |kid: &str| {
        people.app.clock.advance_ms(30_000);
        let path = format!("api_keys/{kid}?totp_code={}", people.totp(url));
        ada.resource("DELETE", &path, &Value::Null).await
    };
    delete(&keys[1].2).await.expect_error(404, "record.not_found");
    delete(own).await.expect_status(204);
    delete(own).await.expect_error(404, "record.not_found");
    people.app.clock.advance_ms(30_000);
    let wrong = json!({"algorithm": "RS256", "totp_code": people.totp(url)});
    ada.resource("POST", "api_keys", &wrong).await.expect_error(422, "algorithm.inclusion");
    ada.resource("POST", "api_keys", &json!({"algorithm": "HS256"}))
        .await
        .expect_error(422, "resource.api_key.missing_otp");
}

pub async fn what_is_wrong_with_a_new_account_is_said(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    for (params, codes) in [
        (
            json!({}),
            vec![
                "identity.user.missing_email",
                "identity.user.empty_email",
                "identity.user.missing_password",
                "identity.user.empty_password",
            ],
        ),
        (json!({"email": "nobody", "password": PASSWORD}), vec!["email.invalid"]),
        (json!({"email": "ADA@example.org", "password": PASSWORD}), vec!["email.taken"]),
        (json!({"email": "b@example.org", "password": "X2qL32"}), vec!["password.requirements", "password.weak"]),
        (json!({"email": "b@example.org", "password": "Password1"}), vec!["password.weak"]),
        (json!({"email": "b@example.org", "password": "iequ4geiewqw"}), vec!["password.requirements"]),
        (
            json!({"email": "b@example.org", "password": PASSWORD, "refid": "ID0000000000"}),
            vec!["identity.user.referral_doesnt_exist"],
        ),
    ] {
        let answer = people.post("users", &params).await.expect_status(422);
        assert_eq!(answer.json(), json!({"errors": codes}), "{params}");
    }
    assert!(people.mails().is_empty());
}

pub async fn a_code_from_a_mail_works_once_and_for_a_while(place: Place) {
    let people = People::new(&place).await;
    people.post("users", &json!({"email": "ada@example.org", "password": PASSWORD})).await.expect_status(201);
    let first = people.code();
    people.post("users/email/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    let second = people.code();
    let confirm = async |token: &str| people.post("users/email/confirm_code", &json!({"token": token})).await;
    const USED: &str = "identity.user.utilized_token";
    confirm(&first).await.expect_error(422, USED);
    confirm("x").await.expect_error(422, USED);
    let reset = json!({"reset_password_token": second, "password": PASSWORD, "confirm_password": PASSWORD});
    people.post("users/password/confirm_code", &reset).await.expect_error(422, USED);
    people.app.clock.advance_ms(86_400_000);
    confirm(&second).await.expect_error(422, USED);
    people.post("users/email/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    let third = people.code();
    confirm(&third).await.expect_status(201);
    confirm(&third).await.expect_error(422, USED);
    for email in ["ada@example.org", "nobody@example.org", "x"] {
        people.post("users/email/generate_code", &json!({"email": email})).await.expect_status(201);
    }
    assert!(people.mails().is_empty(), "who is confirmed, or nobody, gets no mail");
}

pub async fn a_new_password_ends_the_sessions_of_the_old_one(place: Place) {
    const NEW: &str = "Tecohvi0-boat-lamp";
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let login = |password: &str| json!({"email": "ada@example.org", "password": password});
    let browser = people.login(&login(PASSWORD)).await;
    let other = people.login(&login(PASSWORD)).await;
    let change = |old: &str, new: &str, again: &str| json!({"old_password": old, "new_password": new, "confirm_password": again});
    for (params, status, code) in [
        (change(PASSWORD, NEW, "x"), 422, "resource.password.doesnt_match"),
        (change("x", NEW, NEW), 400, "resource.password.prev_pass_not_correct"),
        (change(PASSWORD, PASSWORD, PASSWORD), 400, "resource.password.no_change_provided"),
        (change(PASSWORD, "Password1", "Password1"), 422, "password.weak"),
    ] {
        browser.resource("PUT", "users/password", &params).await.expect_error(status, code);
    }
    browser.resource("PUT", "users/password", &change(PASSWORD, NEW, NEW)).await.expect_status(201);
    browser.gateway("GET", "api/v2/shop").send().await.expect_status(200);
    other.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
    people.post("sessions", &login(PASSWORD)).await.expect_error(401, "identity.session.invalid_params");

    people.post("users/password/generate_code", &json!({"email": "ada@example.org"})).await.expect_status(201);
    let code = people.code();
    let reset = |password: &str, again: &str| json!({"reset_password_token": code, "password": password, "confirm_password": again});
    let path = "users/password/confirm_code";
    people.post(path, &reset(PASSWORD, NEW)).await.expect_error(422, "identity.user.passwords_doesnt_match");
    people.post(path, &reset("Password1", "Password1")).await.expect_error(422, "password.weak");
    people.post(path, &reset(PASSWORD, PASSWORD)).await.expect_status(201);
    people.post(path, &reset(PASSWORD, PASSWORD)).await.expect_error(422, "identity.user.utilized_token");
    browser.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
    people.login(&login(PASSWORD)).await;
    people.post("users/password/generate_code", &json!({"email": "nobody@example.org"})).await.expect_status(201);
    assert!(people.mails().is_empty());
}

pub async fn who_may_not_log_in_is_told_after_the_password_only(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let login = |password: &str| json!({"email": "ada@example.org", "password": password});
    let browser = people.login(&login(PASSWORD)).await;
    let me = browser.resource("GET", "users/me", &Value::Null).await.json();
    let uid = me["uid"].as_str().unwrap();
    for (state, code) in [
        ("banned", "identity.session.banned"),
        ("deleted", "identity.session.deleted"),
        ("locked", "identity.session.not_active"),
    ] {
        let change = people.admin.patch(&format!("/directory/users/{uid}")).json(&json!({"state": state}));
        change.send().await.expect_status(200);
        people.post("sessions", &login(PASSWORD)).await.expect_error(401, code);
        people.post("sessions", &login("x")).await.expect_error(401, "identity.session.invalid_params");
    }
    browser.gateway("GET", "api/v2/shop").send().await.expect_error(401, "authz.invalid_session");
    people
        .post("sessions", &json!({"email": "nobody@example.org", "password": "x"}))
        .await
        .expect_error(401, "identity.session.invalid_params");
    let none = people.post("sessions", &json!({})).await.expect_status(422);
    assert_eq!(none.json(), json!({"errors": ["identity.session.missing_email", "identity.session.missing_password"]}));
}

pub async fn guessing_ends_after_some_attempts(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let login = |password: &str| json!({"email": "ada@example.org", "password": password});
    for _ in 0..10 {
        people.post("sessions", &login("x")).await.expect_error(401, "identity.session.invalid_params");
    }
    people.post("sessions", &login(PASSWORD)).await.expect_error(429, "identity.session.too_many_attempts");
    people.app.clock.advance_ms(901_000);
    let browser = people.login(&login(PASSWORD)).await;
    let seed = browser.resource("POST", "otp/generate_qrcode", &Value::Null).await.json();
    for _ in 0..10 {
        browser
            .resource("POST", "otp/enable", &json!({"code": "000000"}))
            .await
            .expect_error(422, "resource.otp.invalid");
    }
    let code = people.totp(seed["data"]["url"].as_str().unwrap());
    let answer = browser.resource("POST", "otp/enable", &json!({"code": code})).await;
    answer.expect_error(429, "identity.session.too_many_attempts");
}

pub async fn nobody_uses_up_the_attempts_of_others(place: Place) {
    let people = People::new(&place).await;
    for number in 0..11 {
        let guess = json!({"token": format!("x{number}")});
        let answer = people.post("users/email/confirm_code", &guess).await;
        answer.expect_error(422, "identity.user.utilized_token");
    }
    people.confirmed("ada@example.org").await;
    let browser = people.login(&json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let me = browser.resource("GET", "users/me", &Value::Null).await.json();
    let other = format!("otp {}", me["uid"].as_str().unwrap());
    for _ in 0..11 {
        let answer = people.post("sessions", &json!({"email": other, "password": "x"})).await;
        assert!(matches!(answer.status, 401 | 429), "{}", answer.text());
    }
    let seed = browser.resource("POST", "otp/generate_qrcode", &Value::Null).await.json();
    let code = people.totp(seed["data"]["url"].as_str().unwrap());
    browser.resource("POST", "otp/enable", &json!({"code": code})).await.expect_status(200);
}

pub async fn a_session_is_over_after_half_an_hour_without_a_request(place: Place) {
    let people = People::new(&place).await;
    people.confirmed("ada@example.org").await;
    let browser = people.login(&json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let ask = || browser.gateway("GET", "api/v2/shop").send();
    for _ in 0..3 {
        people.app.clock.advance_ms(1_700_000);
        ask().await.expect_status(200);
    }
    people.app.clock.advance_ms(1_800_000);
    ask().await.expect_error(401, "authz.invalid_session");
    assert!(people.app.clock.now() > UnixSeconds(0));
}

/// A token of the gateway says who calls, and of nobody else.
pub async fn own_accounts_want_a_token_that_is_right(place: Place) {
    let people = People::new(&place).await;
    let me =
        |token: &str| people.app.anonymous().get("/api/v2/barong/resource/users/me").header("authorization", token);
    const BAD: &str = "jwt.decode_and_verify";
    people.app.anonymous().get("/api/v2/barong/resource/users/me").send().await.expect_error(401, BAD);
    people.confirmed("ada@example.org").await;
    let browser = people.login(&json!({"email": "ada@example.org", "password": PASSWORD})).await;
    let allowed = browser.gateway("GET", "api/v2/barong/resource/users/me").send().await.expect_status(200);
    let token = allowed.header("authorization").to_owned();
    me(&token).send().await.expect_status(200);
    let mut forged = token.clone();
    forged.pop();
    for wrong in [forged.as_str(), "Bearer x.y.z", "Bearer x", "Basic YTpi"] {
        me(wrong).send().await.expect_error(401, BAD);
    }
    people.app.clock.advance_ms(3_600_000);
    me(&token).send().await.expect_error(401, BAD);
}
