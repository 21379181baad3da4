//! Who calls, what each role may, and how everybody else is refused.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::place::Place;
use super::{ADMIN, Barong, said};
use crate::tests::client::{Actor, NOW};

impl Barong {
    /// A bearer of a token of the gateway with these claims in place of its own; null is none.
    fn bearer(&self, changed: Value) -> Actor {
        let mut claims: Map<String, Value> = Map::new();
        let own = json!({
            "iss": "barong", "aud": ["peatio", "barong"], "sub": "session", "uid": "superadmin", "role": "member",
            "iat": NOW.0, "exp": NOW.0 + 60,
        });
        claims.extend(own.as_object().unwrap().clone());
        claims.extend(changed.as_object().unwrap().clone());
        claims.retain(|_, value| !value.is_null());
        self.app.holder_of(&self.app.app.identity.sign(&claims, NOW).unwrap())
    }
}

pub async fn a_token_of_the_gateway_says_who_calls(place: Place) {
    let barong = Barong::new(&place).await;
    // Roles are those of the directory, not those of the token.
    barong.expect(&barong.bearer(json!({})), &[("GET permissions", "200")]).await;
    let other = barong.bearer(json!({"uid": "member", "role": "superadmin"}));
    barong.expect(&other, &[("GET permissions", "401 admin.ability.not_permitted")]).await;
    const BAD: &str = "401 jwt.decode_and_verify";
    for changed in [
        json!({"iss": "other"}),
        json!({"aud": "peatio"}),
        json!({"sub": "api"}),
        json!({"sub": null}),
        json!({"uid": null}),
        json!({"uid": "nobody"}),
        json!({"iat": null}),
        json!({"exp": NOW.0}),
        json!({"exp": null}),
        json!({"nbf": NOW.0 + 1}),
    ] {
        assert_eq!(said(&barong.ask(&barong.bearer(changed.clone()), "GET users").await), BAD, "{changed}");
    }
    let good = barong.bearer(json!({})).token.unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    for token in ["", "x", "a.b.c", &format!("{head}."), &format!("{header}.e30.{signature}"), &good[1..]] {
        barong.expect(&barong.app.holder_of(token), &[("GET users", BAD)]).await;
    }
    // A token of the gateway opens nothing but the administration.
    barong.bearer(json!({"uid": "admin"})).get("/directory/users").send().await.expect_problem(401, "bad_token");
    // What was issued before a ban is void, and whoever is not active is refused.
    let support = barong.bearer(json!({"uid": "support", "iat": NOW.0 - 1}));
    barong.expect(&support, &[("GET users", "200")]).await;
    barong.json("PUT users uid=support&state=banned").await;
    barong.expect(&support, &[("GET users", BAD)]).await;
    let fresh = barong.bearer(json!({"uid": "support", "iat": NOW.0 + 1}));
    barong.expect(&fresh, &[("GET users", "401 authz.user_not_active")]).await;
}

pub async fn abilities_are_those_of_the_table(place: Place) {
    let barong = Barong::new(&place).await;
    for role in ["technical", "accountant", "compliance"] {
        barong.app.user(&barong.admin, role).await;
    }
    for (line, who) in [
        ("GET users", "superadmin admin technical accountant compliance support"),
        ("GET users/labels/list", "superadmin admin technical accountant compliance support"),
        ("GET profiles", "superadmin admin technical accountant compliance support"),
        ("GET levels", "superadmin admin technical accountant compliance support"),
        ("GET metrics", "superadmin admin technical accountant compliance support"),
        ("GET abilities", "superadmin admin technical accountant compliance support"),
        ("PUT users", "superadmin admin compliance support"),
        ("POST users/role", "superadmin admin compliance support"),
        ("POST users/update", "superadmin admin compliance support"),
        ("DELETE users/data_storage", "superadmin admin compliance support"),
        ("POST users/comments", "superadmin admin compliance support"),
        ("POST users/labels", "superadmin admin compliance"),
        ("POST users/labels/update", "superadmin admin compliance"),
        ("DELETE users/labels", "superadmin admin compliance"),
        ("POST profiles", "superadmin admin compliance"),
        ("PUT profiles", "superadmin admin compliance"),
        ("GET api_keys", "superadmin admin technical"),
        ("GET restrictions", "superadmin admin technical"),
        ("POST restrictions", "superadmin admin technical"),
        ("POST restrictions/whitelink expire_time=0", "superadmin admin technical"),
        ("GET activities", "superadmin admin technical accountant support"),
        ("GET activities/admin", "superadmin admin technical accountant support"),
        ("GET permissions", "superadmin admin"),
        ("POST permissions", "superadmin"),
        ("DELETE permissions", "superadmin"),
    ] {
        let mut may = Vec::new();
        for role in ["superadmin", "admin", "technical", "accountant", "compliance", "support", "member"] {
            let answer = barong.ask(&barong.bearer(json!({"uid": role, "iat": NOW.0 + 1})), line).await;
            match said(&answer).as_str() {
                "401 admin.ability.not_permitted" => {}
                // What is missing is told to those who may.
                _ if matches!(answer.status, 200 | 422) => may.push(role),
                other => panic!("{line} by {role}: {other}"),
            }
        }
        assert_eq!(may.join(" "), who, "{line}");
    }
    let mine = barong.ask(&barong.bearer(json!({"uid": "accountant", "iat": NOW.0 + 1})), "GET abilities").await;
    assert_eq!(mine.text(), r#"{"read":["Ability","User","Level","Label","Profile","Activity"]}"#);
    let technical = barong.ask(&barong.bearer(json!({"uid": "technical", "iat": NOW.0 + 1})), "GET abilities").await;
    assert_eq!(technical.json()["manage"], json!(["APIKey", "Restriction"]));
    let levels = barong.json("GET levels").await;
    assert_eq!(levels[1], json!({"id": 2, "key": "phone", "value": "verified"}));
}

pub async fn everything_is_refused_in_the_words_of_the_dialect(place: Place) {
    let barong = Barong::new(&place).await;
    const BAD: &str = "401 jwt.decode_and_verify";
    let anonymous = barong.app.anonymous();
    barong.expect(&anonymous, &[("GET users", BAD), ("POST permissions", BAD), ("GET nothing", BAD)]).await;
    for (method, path) in [
        (Method::GET, "/nothing"),
        (Method::PATCH, "/users"),
        (Method::DELETE, "/users"),
        (Method::POST, "/levels"),
        (Method::GET, "/users/ID1/more"),
    ] {
        let answer = barong.admin.request(method.clone(), &format!("{ADMIN}{path}")).send().await;
        assert_eq!(said(&answer), "404 Route is not found", "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let text = barong.root.post(&format!("{ADMIN}/users/role")).header("content-type", "text/plain").body("uid=a");
    let answer = text.send().await;
    assert_eq!((answer.status, answer.json()), (415, json!({"error": "The provided content-type is not supported."})));
    let dots = barong.root.get(&format!("{ADMIN}/levels/../users")).send().await;
    assert_eq!(said(&dots), "400 server.malformed_request");
}
