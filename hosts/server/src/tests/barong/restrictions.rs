//! Restrictions, which are those of the policy document.

use portcullis_directory::{PageSize, UserId};
use portcullis_identity::sessions::Client;
use serde_json::json;

use super::place::Place;
use super::{Barong, each};

impl Barong {
    async fn log_in(&self, address: &str) {
        let client = Client { address: address.parse().unwrap(), user_agent: None };
        self.app.session(&UserId::parse("member").unwrap(), client).await;
    }

    async fn sessions(&self) -> usize {
        self.directory.sessions(&UserId::parse("member").unwrap(), 0, PageSize::DEFAULT).await.unwrap().len()
    }
}

pub async fn a_restriction_is_one_of_the_document(place: Place) {
    let barong = Barong::new(&place).await;
    let root = [
        ("POST restrictions scope=ip&value=192.0.2.7&category=blacklist", "201"),
        ("POST restrictions scope=ip&value=2001:DB8::1&category=blacklist&code=498", "201"),
        ("POST restrictions scope=country&value=Japan&category=maintenance", "201"),
        ("POST restrictions scope=all&value=all&category=whitelist&code=500&state=disabled", "201"),
    ];
    barong.expect(&barong.root, &root).await;
    let rows = barong.json("GET restrictions").await;
    assert_eq!(each(&rows, "value"), ["192.0.2.7", "2001:db8::1", "JP", "all"]);
    let codes: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [401, 498, 471, 401]);
    assert_eq!(rows[3]["state"], "disabled");
    assert_eq!(
        each(&barong.json("GET restrictions scope=ip&category=blacklist&limit=1").await, "value"),
        ["192.0.2.7"]
    );
    assert_eq!(barong.json("GET restrictions from=1700000001").await, json!([]));
    // It counts from the answer on; another scope has another code.
    let request = json!({"action": "GET", "path": "/api/v2/shop", "source_ip": "192.0.2.7"});
    let decided = barong.admin.post("/policy/decide").json(&request).send().await.expect_status(200).json();
    assert_eq!((&decided["reason"], &decided["status"]), (&json!("restricted_blacklist"), &json!(401)));
    let id = rows[0]["id"].as_i64().unwrap();
    let update = format!("PUT restrictions id={id}&scope=ip_subnet&value=192.0.2.0/24");
    barong.expect(&barong.root, &[(&update, "200")]).await;
    let after = barong.json("GET restrictions limit=1").await;
    assert_eq!(
        (&after[0]["id"], &after[0]["code"], &after[0]["value"]),
        (&id.into(), &403.into(), &"192.0.2.0/24".into())
    );
    barong.ask(&barong.root, &format!("DELETE restrictions id={id}")).await.expect_status(204);
    let decided = barong.admin.post("/policy/decide").json(&request).send().await.expect_status(200).json();
    assert_eq!(decided["reason"], "unauthenticated");

    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        barong.log_in(address).await;
    }
    barong.expect(&barong.root, &[("POST restrictions scope=ip&value=192.0.2.1&category=blocklogin", "201")]).await;
    assert_eq!(barong.sessions().await, 3, "whoever may not log in is logged out");
    let mapped = "POST restrictions scope=ip&value=::ffff:192.0.2.2&category=blocklogin";
    barong.expect(&barong.root, &[(mapped, "201")]).await;
    assert_eq!(barong.sessions().await, 2, "an address has two spellings");
    let last = barong.json("GET restrictions").await.as_array().unwrap().last().unwrap()["id"].as_i64().unwrap();
    let moved = format!("PUT restrictions id={last}&value=192.0.2.3");
    barong.expect(&barong.root, &[(&moved, "200")]).await;
    assert_eq!(barong.sessions().await, 1, "another address than before");
    barong.expect(&barong.root, &[(&format!("PUT restrictions id={last}&code=499"), "200")]).await;
    assert_eq!(barong.sessions().await, 1);
    let japan = rows[2]["id"].as_i64().unwrap();
    barong.expect(&barong.root, &[(&format!("PUT restrictions id={japan}&category=blocklogin"), "200")]).await;
    assert_eq!(barong.sessions().await, 0);
}

pub async fn what_is_wrong_with_a_restriction_has_a_code(place: Place) {
    let barong = Barong::new(&place).await;
    let create = "POST restrictions category=blacklist&";
    let mut cases = vec![
        (
            "POST restrictions".to_owned(),
            "422 admin.restriction.missing_scope admin.restriction.empty_scope admin.restriction.invalid_scope \
             admin.restriction.missing_value admin.restriction.empty_value admin.restriction.missing_category \
             admin.restriction.empty_category admin.restriction.invalid_category",
        ),
        (
            "POST restrictions scope=&value=x&category=x".to_owned(),
            "422 admin.restriction.empty_scope admin.restriction.invalid_scope admin.restriction.invalid_category",
        ),
        (format!("{create}scope=ip&value=192.0.2.7&state=on"), "422 admin.restriction.invalid_state"),
        (format!("{create}scope=ip&value=192.0.2.7&code="), "422 admin.restriction.empty_code"),
        (format!("{create}scope=ip&value=192.0.2.7&code=x"), "422 invalid"),
        (format!("{create}scope=ip&value=192.0.2.7&code=200"), "422 code.invalid"),
    ];
    for (scope, value) in [
        ("ip", "192.0.2"),
        ("ip", "192.0.2.256"),
        ("ip", "192.0.2.1/32"),
        ("ip_subnet", "999.0.0.0/8"),
        ("ip_subnet", "192.0.2.0/33"),
        ("ip_subnet", "192.0.2.0"),
        ("country", "Atlantis"),
        ("continent", "XX"),
    ] {
        cases.push((format!("{create}scope={scope}&value={value}"), "422 value.invalid"));
    }
    cases.push((format!("{create}scope=all&value={}", "x".repeat(65)), "422 value.too_long"));
    cases.extend([
        (format!("{create}scope=ip&value=192.0.2.7"), "201"),
        (format!("{create}scope=ip&value=192.0.2.7"), "422 value.taken"),
        ("POST restrictions scope=ip&value=192.0.2.7&category=whitelist".to_owned(), "201"),
        ("PUT restrictions id=999&state=disabled".to_owned(), "404 admin.restriction.doesnt_exist"),
        ("DELETE restrictions id=999".to_owned(), "404 admin.restriction.doesnt_exist"),
        ("DELETE restrictions".to_owned(), "422 admin.restriction.missing_id admin.restriction.empty_id"),
        (
            "GET restrictions scope=x&category=y&range=z".to_owned(),
            "422 admin.restriction.invalid_scope admin.restriction.invalid_category admin.restriction.invalid_range",
        ),
    ]);
    let cases: Vec<_> = cases.iter().map(|(line, expected)| (line.as_str(), *expected)).collect();
    barong.expect(&barong.root, &cases).await;
    let rows = barong.json("GET restrictions").await;
    let whitelist = rows[1]["id"].as_i64().unwrap();
    let taken = format!("PUT restrictions id={whitelist}&category=blacklist");
    barong.expect(&barong.root, &[(&taken, "422 value.taken")]).await;
}

pub async fn whitelinks_are_tokens(place: Place) {
    let barong = Barong::new(&place).await;
    for query in ["", " expire_time=30&range=hour", " expire_time=1&range=day"] {
        let answer = barong.ask(&barong.root, &format!("POST restrictions/whitelink{query}")).await.expect_status(201);
        let token = answer.json()["whitelink_token"].as_str().unwrap().to_owned();
        assert_eq!(token.len(), 64);
        assert!(token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
    }
    let trail = barong.directory.audit_entries(None, PageSize::LARGEST).await.unwrap();
    let offers = trail.iter().filter(|entry| entry.action == "one_time_token.offer");
    let told = offers.map(|entry| format!("{} {}", entry.who, entry.object)).collect::<Vec<_>>();
    assert_eq!(told, ["superadmin one_time_token/barong.whitelink"; 3]);
    let cases = [
        ("POST restrictions/whitelink expire_time=0", "422 invalid_expire"),
        ("POST restrictions/whitelink expire_time=31&range=week", "422 invalid_expire invalid_range"),
        ("POST restrictions/whitelink expire_time=x", "422 invalid"),
    ];
    barong.expect(&barong.root, &cases).await;
}
