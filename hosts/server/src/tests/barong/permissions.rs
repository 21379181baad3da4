//! Permissions, which are rules of the policy document.

use serde_json::{Value, json};

use super::Barong;
use super::place::Place;

impl Barong {
    async fn document(&self) -> String {
        self.admin.get("/policy/document").send().await.expect_status(200).text()
    }

    /// What the policy says about a member that asks for `path`.
    async fn decides(&self, method: &str, path: &str) -> Value {
        let subject = json!({"id": "m", "state": "active", "roles": ["member"]});
        let request = json!({"action": method, "path": path, "subject": subject});
        self.admin.post("/policy/decide").json(&request).send().await.expect_status(200).json()["decision"].clone()
    }

    async fn id_of(&self, kind: &str, path: &str) -> i64 {
        let rows = self.json(&format!("GET {kind}")).await;
        let found = rows.as_array().unwrap().iter().find(|row| row["path"] == path || row["value"] == path);
        found.unwrap()["id"].as_i64().unwrap()
    }
}

pub async fn a_permission_is_a_rule(place: Place) {
    let barong = Barong::new(&place).await;
    let create = "POST permissions role=member&";
    let cases = [
        (format!("{create}verb=get&path=api/v2/cart&action=accept"), "201"),
        (format!("{create}verb=all&path=api/v2/cart/secret&action=Drop"), "201"),
        (format!("{create}verb=POST&path=api/v2/cart/&action=AUDIT&topic=carts"), "201"),
    ];
    let cases: Vec<_> = cases.iter().map(|(line, expected)| (line.as_str(), *expected)).collect();
    barong.expect(&barong.root, &cases).await;
    let answer = barong.ask(&barong.root, "GET permissions limit=2&page=2").await.expect_status(200);
    assert_eq!((answer.header("total"), answer.header("page")), ("4", "2"));
    let rows = answer.json();
    let drop = json!({"action": "DROP", "role": "member", "verb": "ALL", "path": "api/v2/cart/secret", "topic": null});
    let audit = json!({"action": "AUDIT", "role": "member", "verb": "POST", "path": "api/v2/cart/", "topic": "carts"});
    for (row, expected) in rows.as_array().unwrap().iter().zip([&drop, &audit]) {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&row[key], value, "{row}");
        }
        assert_eq!(row["created_at"], "2023-11-14T22:13:20Z");
    }
    // What lets through ends at a segment, what refuses does not.
    assert_eq!(barong.decides("GET", "/api/v2/cart/1").await, "allow");
    assert_eq!(barong.decides("GET", "/api/v2/carton").await, "deny");
    assert_eq!(barong.decides("GET", "/api/v2/cart/secrets").await, "deny");
    // What nobody asked to change stays as it is, comments too.
    let text = format!("# ours\n{}", barong.document().await);
    barong.admin.put_document(text).send().await.expect_status(200);
    let id = barong.id_of("permissions", "api/v2/cart").await;
    barong.expect(&barong.root, &[(&format!("PUT permissions id={id}&path=api/v2/basket&verb=all"), "200")]).await;
    assert_eq!(barong.id_of("permissions", "api/v2/basket").await, id, "the number stays");
    assert_eq!(
        (barong.decides("PUT", "/api/v2/basket").await, barong.decides("GET", "/api/v2/cart/1").await),
        ("allow".into(), "deny".into())
    );
    assert!(barong.document().await.starts_with("# ours\n"));
    let gone = barong.ask(&barong.root, &format!("DELETE permissions id={id}")).await;
    assert_eq!(
        (gone.status, gone.text().as_str(), barong.decides("PUT", "/api/v2/basket").await),
        (204, "", "deny".into())
    );
    let author = barong.admin.get("/policy/revisions?limit=1").send().await.json();
    assert_eq!(author["revisions"][0]["author"], "superadmin");
}

pub async fn what_is_wrong_with_a_permission_has_a_code(place: Place) {
    let barong = Barong::new(&place).await;
    let document = barong.document().await;
    let rules = "  - {id: own, effect: allow, who: {roles: [member, support]}, target: {path: {exact: /x}}}\n";
    barong.admin.put_document(format!("{document}{rules}")).send().await.expect_status(200);
    let own = barong.id_of("permissions", "x").await;
    let members = barong.id_of("permissions", "api/v2/shop").await;
    let before = barong.document().await;
    let long = format!("POST permissions role=member&verb=GET&action=ACCEPT&path={}", "p".repeat(2_000));
    let (not_editable, bad_verb) =
        (format!("PUT permissions id={own}&verb=GET"), format!("PUT permissions id={members}&verb=FETCH"));
    let (bad_action, no_role) =
        (format!("PUT permissions id={members}&action=x"), format!("PUT permissions id={members}&role=ghost"));
    let empty = format!("PUT permissions id={members}&path=+");
    let cases = [
        (
            "POST permissions",
            "422 admin.permission.missing_role admin.permission.empty_role admin.permission.missing_verb \
             admin.permission.empty_verb admin.permissions.invalid_verb admin.permission.missing_path \
             admin.permission.empty_path admin.permission.missing_action admin.permission.empty_action \
             admin.permissions.invalid_action",
        ),
        ("POST permissions role=member&verb=FETCH&path=x&action=ACCEPT", "422 admin.permissions.invalid_verb"),
        ("POST permissions role=member&verb=GET&path=x&action=ALLOW", "422 admin.permissions.invalid_action"),
        ("POST permissions role=ghost&verb=GET&path=x&action=ACCEPT", "422 admin.permission.role_doesnt_exist"),
        ("POST permissions role=member&verb=GET&path=/x&action=ACCEPT", "422 admin.permission.invalid_path"),
        ("POST permissions role=member&verb=GET&path=a/../b&action=ACCEPT", "422 admin.permission.invalid_path"),
        ("POST permissions role=member&verb=GET&path=x&action=AUDIT&topic=", "422 admin.permission.empty_topic"),
        (&long, "422 server.policy_refuses"),
        (&not_editable, "422 admin.permission.not_editable"),
        (&bad_verb, "422 admin.permissions.invalid_verb"),
        (&bad_action, "422 admin.permissions.invalid_action"),
        (&no_role, "422 admin.permission.role_doesnt_exist"),
        (&empty, "422 admin.permission.empty_path"),
        ("PUT permissions id=999&verb=GET", "404 admin.permission.doesnt_exist"),
        ("PUT permissions verb=GET", "422 admin.permission.missing_id admin.permission.empty_id"),
        ("DELETE permissions id=999", "404 admin.permission.doesnt_exist"),
        ("DELETE permissions id=x", "422 invalid"),
    ];
    barong.expect(&barong.root, &cases).await;
    let admin = [
        ("GET permissions", "200"),
        ("POST permissions role=member&verb=GET&path=y&action=ACCEPT", "401 admin.ability.not_permitted"),
    ];
    barong.expect(&barong.admin, &admin).await;
    assert_eq!(barong.document().await, before, "nothing was stored");
}
