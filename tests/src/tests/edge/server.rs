//! The filter in a real Envoy and the real server: revocations, tokens, API keys, decision logs.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_rig::process::poll;
use portcullis_rig::upstream::Seen;
use portcullis_rig::{Request, token};
use serde_json::{Value, json};

use super::{POLICY, TIMEOUT, check_denied, publish, staff};
use crate::stage::Stage;

fn stage(more: Value) -> Stage {
    let stage = Stage::start(|setup| {
        setup.workers = 2;
        setup.jwt_authn = more.get("issuers").is_none();
        setup.more = more;
    })
    .unwrap();
    publish(&stage, POLICY, &Request::get("/public"), |response| response.status == 200);
    stage
}

fn issuers() -> Value {
    let keys: Value = serde_json::from_str(&token::jwks()).unwrap();
    json!([{"issuer": token::ISSUER, "audience": token::AUDIENCE, "keys": keys["keys"]}])
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_ban_reaches_every_worker_of_envoy_without_a_new_policy() {
    let stage = stage(json!({}));
    stage.server.create_user("u1", &[]).unwrap();
    let token = token::mint(json!({"sub": "u1", "roles": ["staff"], "iat": now() - 60}));
    let request = Request::get("/a").bearer(&token);
    stage.envoy.wait_until_all("u1 to be let in", &request, TIMEOUT, |response| response.status == 200).unwrap();

    let ban = Request::new("PATCH", "/directory/users/u1").json(&json!({"state": "banned"}));
    stage.server.send(ban).unwrap().expect_status(200).unwrap();
    stage.envoy.wait_until_all("u1 to be refused", &request, TIMEOUT, |response| response.status == 401).unwrap();
    check_denied(&stage.envoy.send(&request).unwrap(), 401, "token_revoked");

    let other = token::mint(json!({"sub": "u2", "roles": ["staff"], "iat": now() - 60}));
    assert_eq!(stage.envoy.send(&Request::get("/a").bearer(&other)).unwrap().status, 200);
    let later = token::mint(json!({"sub": "u1", "roles": ["staff"], "iat": now() + 60}));
    assert_eq!(stage.envoy.send(&Request::get("/a").bearer(&later)).unwrap().status, 200);
}

#[test]
fn the_filter_verifies_tokens_itself_in_envoy() {
    let stage = stage(json!({"issuers": issuers()}));
    let response = stage.envoy.send(&Request::get("/a").bearer(&staff())).unwrap();
    assert_eq!(Seen::in_response(&response).unwrap().headers("x-portcullis-subject"), ["u1"]);
    check_denied(&stage.envoy.send(&Request::get("/a")).unwrap(), 401, "unauthenticated");
    assert_eq!(stage.envoy.send(&Request::get("/public")).unwrap().status, 200);

    let [header, claims, signature] = staff().split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    let forged = token::mint(json!({"sub": "root", "roles": ["staff"]}));
    let forged_claims = forged.split('.').nth(1).unwrap();
    let invalid = [
        format!("{header}.{forged_claims}.{signature}"),
        format!("{header}.{claims}."),
        format!("eyJhbGciOiJub25lIn0.{claims}."),
        token::mint(json!({"sub": "u1", "roles": ["staff"], "iss": "https://other.example"})),
        token::mint(json!({"sub": "u1", "roles": ["staff"], "aud": "other"})),
        token::mint(json!({"sub": "u1", "roles": ["staff"], "exp": now() - 10})),
        token::mint(json!({"sub": "u1", "roles": ["staff"], "exp": "4102444800"})),
        token::mint(json!({"sub": "u1", "roles": ["staff"], "nbf": now() + 1_000})),
    ];
    for token in invalid {
        for path in ["/a", "/public"] {
            check_denied(&stage.envoy.send(&Request::get(path).bearer(&token)).unwrap(), 401, "unauthenticated");
        }
    }
}

#[test]
fn the_server_tells_envoy_whose_api_key_it_is() {
    let stage = stage(json!({"gateway": {}}));
    let key = stage.server.create_user("u7", &["staff"]).unwrap();
    let policy = format!("{POLICY}subject: {{api_key_requires_otp: false}}\n");
    let with_key = Request::get("/a").header("x-api-key", &key);
    publish(&stage, &policy, &with_key, |response| response.status == 200);
    let response = stage.envoy.send(&with_key).unwrap();
    let seen = Seen::in_response(&response).unwrap();
    assert_eq!((seen.headers("x-portcullis-subject"), seen.headers("x-portcullis-roles")), (vec!["u7"], vec!["staff"]));
    assert_eq!(stage.envoy.send(&Request::get("/a").header("x-api-key", "wrong")).unwrap().status, 401);
}

#[test]
fn the_server_has_each_decision_of_envoy_once() {
    let stage = stage(json!({"decision_logs": {}}));
    for number in 0..30 {
        let response = stage.envoy.send(&Request::get(&format!("/a/{number}?secret=1")).bearer(&staff())).unwrap();
        assert_eq!(response.status, 200);
    }
    check_denied(&stage.envoy.send(&Request::get("/secrets/x").bearer(&staff())).unwrap(), 403, "rule");
    let records = |query: &str| -> anyhow::Result<Vec<Value>> {
        let request = Request::get(&format!("/policy/decision-logs?limit=200{query}"));
        let page = stage.server.send(request)?.expect_status(200)?.json()?;
        Ok(page["records"].as_array().cloned().unwrap_or_default())
    };
    poll("all decisions to be stored", TIMEOUT, || Ok((records("&path_prefix=/a/")?.len() >= 30).then_some(())))
        .unwrap();
    poll("the refusal to be stored", TIMEOUT, || Ok((!records("&path_prefix=/secrets")?.is_empty()).then_some(())))
        .unwrap();
    let mut paths: Vec<String> =
        records("&path_prefix=/a/").unwrap().iter().map(|record| record["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    let mut expected: Vec<String> = (0..30).map(|number| format!("/a/{number}")).collect();
    expected.sort();
    assert_eq!(paths, expected);
    let refusal = &records("&path_prefix=/secrets&kind=decision").unwrap()[0];
    let told = ["effect", "reason", "subject", "status"].map(|key| refusal[key].clone());
    assert_eq!(told, [json!("deny"), json!("rule"), json!("u1"), json!(403)]);
    assert_eq!(refusal["rules"], json!(["no-secrets"]));
    let gaps = stage.server.send(Request::get("/policy/decision-logs/gaps")).unwrap().json().unwrap();
    assert_eq!(gaps["gaps"], json!([]), "{gaps}");
}
