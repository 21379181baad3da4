//! `/audit`: who changed what, looked up and exported.

use portcullis_directory::{NewUser, RoleSet, UserId, UserState};
use serde_json::{Value, json};

use crate::tests::client::{Actor, NOW, POLICY, TestApp};

async fn entries(actor: &Actor, query: &str) -> (Vec<String>, Option<String>) {
    let found = actor.get(&format!("/audit?{query}")).send().await.expect_status(200).json();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let line = |entry: &Value| format!("{} {} {}", text(entry, "actor"), text(entry, "action"), text(entry, "target"));
    let entries = found["entries"].as_array().unwrap().iter().map(line);
    (entries.collect(), found["next"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn the_trail_says_who_did_what_to_whom_newest_first() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let auditor = app.user(&admin, "auditor").await;
    app.clock.advance_ms(60_000);
    admin.publish(POLICY).await;
    admin.post("/edges").json(&json!({"name": "one"})).send().await.expect_status(201);

    let found = auditor.get("/audit?limit=1").send().await.expect_status(200).json();
    let newest = &found["entries"][0];
    assert_eq!((&newest["actor"], &newest["action"]), (&json!("admin"), &json!("edge.create")));
    assert_eq!((&newest["target"], &newest["time"]), (&json!("edge/default/one"), &json!((NOW.0 + 60) * 1_000)));
    assert!(newest["id"].is_i64() && newest["revision"].is_u64());

    let all = entries(&auditor, "").await.0;
    assert_eq!(all[..2], ["admin edge.create edge/default/one", "admin policy.store policy/default"]);
    assert!(all.contains(&"admin setup user/admin".to_owned()), "{all:?}");
    assert_eq!(entries(&auditor, "action=policy.store").await.0, all[1..2]);
    assert_eq!(entries(&auditor, "tenant=default").await.0, all[..2]);
    assert_eq!(entries(&auditor, "target=edge/default").await.0, all[..1]);
    assert_eq!(entries(&auditor, "target=user/auditor").await.0.len(), 2, "created, and a token");
    assert_eq!(entries(&auditor, "actor=auditor").await.0, [""; 0]);
    let later = NOW.0 * 1_000 + 1;
    assert_eq!(entries(&auditor, &format!("from={later}")).await.0, all[..2]);
    assert_eq!(entries(&auditor, &format!("until={later}")).await.0, all[2..]);
    assert_eq!(entries(&auditor, &format!("until={later}&from={later}")).await.0, [""; 0]);

    let (first, next) = entries(&auditor, "limit=2").await;
    admin.publish(POLICY).await;
    let (second, _) = entries(&auditor, &format!("limit=200&cursor={}", next.unwrap())).await;
    assert_eq!([first, second].concat(), all, "what came meanwhile moves no page");
}

#[tokio::test]
async fn only_auditors_read_it_and_only_as_it_is_documented() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for role in ["operator", "edge", "pep", "metrics"] {
        app.user(&admin, role).await.get("/audit").send().await.expect_denied(403, "no_match");
    }
    for query in
        ["cursor=x", "cursor=1", "limit=0", "limit=201", "from=x", "format=xml", "what=1", "format=csv&limit=1"]
    {
        admin.get(&format!("/audit?{query}")).send().await.expect_problem(400, "malformed_request");
    }
    admin.get("/audit?tenant=nobody").send().await.expect_problem(404, "not_found");
    admin.post("/audit").send().await.expect_problem(405, "method_not_allowed");
}

/// Entries of users whose ids a spreadsheet could take for formulas, more than an export reads at once.
async fn write_many(app: &TestApp) {
    let directory = &app.app.identity.directory;
    let change = directory.change(&UserId::parse("=cmd|x!A1").unwrap(), NOW).await.unwrap();
    for number in 0..1_100 {
        let id = UserId::parse(&format!("@u{number},\"")).unwrap();
        let user = NewUser { id, state: UserState::active(), roles: RoleSet::default() };
        change.create_account(&user, &Default::default()).await.unwrap();
    }
    change.commit().await.unwrap();
}

#[tokio::test]
async fn an_export_has_every_entry_and_no_formula() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    write_many(&app).await;
    let lines = admin.get("/audit?format=jsonl&action=user.create").send().await.expect_status(200);
    assert_eq!(lines.header("content-type"), "application/jsonl");
    assert_eq!(lines.header("content-disposition"), "attachment; filename=\"audit.jsonl\"");
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["target"]), (1_100, &json!("user/@u1099,\"")));
    let ids: Vec<i64> = lines.iter().map(|line| line["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, next| one > next));

    let csv = admin.get("/audit?format=csv&target=user/@u7,%22").send().await.expect_status(200);
    let (head, rest) = csv.text().split_once("\r\n").map(|(head, rest)| (head.to_owned(), rest.to_owned())).unwrap();
    assert_eq!(head, "time,actor,action,target,revision,id");
    let start = format!("{},\"'=cmd|x!A1\",user.create,\"user/@u7,\"\"\",1,", NOW.0 * 1_000);
    assert!(rest.starts_with(&start) && rest.ends_with("\r\n"), "{rest}");
    assert_eq!(rest.matches("\r\n").count(), 1);
}
