//! `/policy/decision-logs`: taken once, looked up, exported, gaps told.

use serde_json::{Value, json};

use crate::tests::client::{Actor, NOW, TestApp};

fn record(time: u64) -> Value {
    json!({"time": time, "kind": "decision", "request_id": format!("r{time}"), "method": "GET", "host": "a.example",
        "path": format!("/p/{time}"), "subject": "u7", "ip": "::ffff:192.0.2.9", "effect": "allow", "status": 200,
        "reason": "rule", "rules": ["staff"], "restriction": null, "topic": null, "revision": 41})
}

fn with(mut record: Value, key: &str, value: Value) -> Value {
    record[key] = value;
    record
}

fn batch(first: u64, records: Vec<Value>) -> Value {
    json!({"worker": "host-1.0", "first": first, "dropped": 0, "records": records})
}

async fn send(edge: &Actor, body: &Value) -> Value {
    edge.post("/policy/decision-logs").json(body).send().await.expect_status(200).json()
}

#[tokio::test]
async fn records_are_stored_once_and_found_again() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    let auditor = app.user(&admin, "auditor").await;
    let shadow = with(record(3), "shadow", json!({"effect": "deny", "reason": "no_match"}));
    let audit = with(with(record(2), "kind", json!("audit")), "topic", json!("money"));
    let sent = batch(1, vec![record(1), audit, shadow]);
    assert_eq!(send(&edge, &sent).await, json!({"stored": 3}));
    assert_eq!(send(&edge, &sent).await, json!({"stored": 0}));

    let found = auditor.get("/policy/decision-logs").send().await.expect_status(200).json();
    let records = found["records"].as_array().unwrap();
    assert_eq!((records.len(), &found["next"]), (3, &json!(null)));
    let mut oldest = record(1);
    for (key, value) in
        [("sender", json!("edge/one")), ("worker", json!("host-1.0")), ("number", json!(1)), ("ip", json!("192.0.2.9"))]
    {
        oldest = with(oldest, key, value);
    }
    assert_eq!(records[2], oldest);
    assert_eq!(records[0]["shadow"], json!({"effect": "deny", "reason": "no_match"}));

    let times = async |query: &str| {
        let found = auditor.get(&format!("/policy/decision-logs?{query}")).send().await.expect_status(200).json();
        let times = found["records"].as_array().unwrap().iter().map(|record| record["time"].as_u64().unwrap());
        (times.collect::<Vec<_>>(), found["next"].as_str().map(str::to_owned))
    };
    assert_eq!(times("kind=audit").await.0, [2]);
    assert_eq!(times("from=2&until=3&subject=u7&effect=allow&rule=staff&path_prefix=/p/").await.0, [2]);
    assert_eq!(times("subject=U7").await.0, [0; 0]);
    let (page, next) = times("limit=2").await;
    assert_eq!(page, [3, 2]);
    assert_eq!(times(&format!("limit=2&cursor={}", next.unwrap())).await, (vec![1], None));
    for query in ["cursor=x", "cursor=1", "limit=0", "from=x", "format=xml", "what=1", "format=csv&limit=1"] {
        let answer = auditor.get(&format!("/policy/decision-logs?{query}")).send().await;
        answer.expect_problem(400, "malformed_request");
    }
}

#[tokio::test]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    for (bad, status, code) in [
        (batch(1, Vec::new()), 422, "invalid"),
        (batch(0, vec![record(1)]), 422, "invalid"),
        (batch(u64::MAX, vec![record(1)]), 422, "invalid"),
        (batch(1, vec![record(1); 501]), 422, "invalid"),
        (with(batch(1, vec![record(1)]), "worker", json!("a b")), 422, "invalid"),
        (with(batch(1, vec![record(1)]), "extra", json!(1)), 422, "invalid"),
        (batch(1, vec![record(1), with(record(2), "path", json!("/a?token=secret"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "topic", json!("t"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "kind", json!("audit"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "rules", json!([""]))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "time", json!(u64::MAX))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "kind", json!("other"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "effect", json!("audit"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "ip", json!("1.2.3"))]), 422, "invalid"),
        (batch(1, vec![with(record(1), "cookie", json!("x"))]), 422, "invalid"),
    ] {
        edge.post("/policy/decision-logs").json(&bad).send().await.expect_problem(status, code);
    }
    assert_eq!(admin.get("/policy/decision-logs").send().await.json()["records"], json!([]));
    assert_eq!(send(&edge, &batch(1, vec![record(1); 500])).await, json!({"stored": 500}));
    edge.post("/policy/decision-logs?tenant=acme")
        .json(&batch(1, vec![record(1)]))
        .send()
        .await
        .expect_denied(403, "rule");
}

#[tokio::test]
async fn numbers_that_never_came_are_told() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    send(&edge, &with(batch(4, vec![record(1)]), "dropped", json!(2))).await;
    send(&edge, &batch(9, vec![record(1)])).await;
    let gap = |first: u64, last: u64| {
        json!({"sender": "edge/one", "worker": "host-1.0", "first": first, "last": last, "missing": last - first + 1,
            "found_at": NOW.0, "dropped": 2})
    };
    let gaps = async |query: &str| {
        admin.get(&format!("/policy/decision-logs/gaps{query}")).send().await.expect_status(200).json()
    };
    assert_eq!(gaps("").await, json!({"gaps": [gap(1, 3), gap(5, 8)], "next": null}));
    let page = gaps("?limit=1").await;
    assert_eq!(page["gaps"], json!([gap(1, 3)]));
    let cursor = page["next"].as_str().unwrap();
    assert_eq!(gaps(&format!("?cursor={cursor}")).await["gaps"], json!([gap(5, 8)]));
    send(&edge, &batch(5, vec![record(1); 4])).await;
    assert_eq!(gaps("").await["gaps"], json!([gap(1, 3)]));
    admin.get("/policy/decision-logs/gaps?cursor=1-9-x").send().await.expect_problem(400, "malformed_request");
}

#[tokio::test]
async fn an_export_has_every_record_and_no_formula() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    for first in [1, 501, 1001] {
        send(&edge, &batch(first, (first..first + 500).map(record).collect())).await;
    }
    let evil = with(with(record(9_999), "subject", json!("=HYPERLINK(\"x\")")), "path", json!("/a,\"b\r\n"));
    send(&edge, &batch(1501, vec![evil])).await;

    let lines = admin.get("/policy/decision-logs?format=jsonl").send().await.expect_status(200);
    assert_eq!(lines.header("content-type"), "application/jsonl");
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["time"], &lines[1500]["time"]), (1501, &json!(9_999), &json!(1)));

    let csv = admin.get("/policy/decision-logs?format=csv&from=1500").send().await.expect_status(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let expected = "time,kind,effect,status,reason,subject,ip,method,host,path,rules,restriction,topic,revision,\
         request_id,shadow_effect,shadow_reason,sender,worker,number\r\n\
         9999,decision,allow,200,rule,\"'=HYPERLINK(\"\"x\"\")\",192.0.2.9,GET,a.example,\"/a,\"\"b\r\n\",staff,,,41,\
         r9999,,,edge/one,host-1.0,1501\r\n\
         1500,decision,allow,200,rule,u7,192.0.2.9,GET,a.example,/p/1500,staff,,,41,r1500,,,edge/one,host-1.0,1500\r\n";
    assert_eq!(csv.text(), expected);
}
