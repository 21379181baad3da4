//! Activities and the numbers made of them.

use portcullis_directory::{NewActivity, UnixSeconds};
use serde_json::json;

use super::place::Place;
use super::{Barong, each};

impl Barong {
    /// `user category topic action result at [target]`.
    async fn act(&self, lines: &[&str]) {
        let activity = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            let word = |at: usize| words[at].to_owned();
            NewActivity {
                user_id: word(0),
                category: word(1),
                target_uid: words.get(6).map(ToString::to_string),
                user_ip: "192.0.2.1".to_owned(),
                user_ip_country: None,
                user_agent: "curl".to_owned(),
                topic: word(2),
                action: word(3),
                result: word(4),
                data: Some("{}".to_owned()),
                at: UnixSeconds(words[5].parse().unwrap()),
            }
        };
        self.directory.add_activities(lines.iter().map(activity).collect()).await.unwrap();
    }
}

pub async fn activities_are_filtered_and_paged(place: Place) {
    let barong = Barong::new(&place).await;
    barong.json("PUT users uid=member&email=m@example.org").await;
    barong
        .act(&[
            "member user session login succeed 100",
            "support user session logout succeed 200",
            "gone user session login failed 300",
            "support admin users update succeed 400 member",
            "support admin labels create denied 500 gone",
        ])
        .await;
    let list = barong.ask(&barong.root, "GET activities").await.expect_status(200);
    assert_eq!(list.header("total"), "3");
    let first = r#"[{"user_ip":"192.0.2.1","user_ip_country":null,"user_agent":"curl","topic":"session","action":"login","result":"failed","data":"{}","user":null,"created_at":"1970-01-01T00:05:00Z"},"#;
    assert!(list.text().starts_with(first), "{}", list.text());
    for (line, expected) in [
        ("GET activities action=login", vec!["failed", "succeed"]),
        ("GET activities email=M@example.org", vec!["succeed"]),
        ("GET activities email=x", vec![]),
        ("GET activities uid=gone&topic=session", vec!["failed"]),
        ("GET activities from=100&to=200", vec!["succeed", "succeed"]),
        ("GET activities from=201&limit=1", vec!["failed"]),
        ("GET activities/admin target_uid=member", vec!["succeed"]),
        ("GET activities/admin range=created", vec!["denied", "succeed"]),
    ] {
        assert_eq!(each(&barong.json(line).await, "result"), expected, "{line}");
    }
    let admin = barong.json("GET activities/admin").await;
    assert_eq!((&admin[1]["admin"]["uid"], &admin[1]["target"]["email"]), (&json!("support"), &json!("m@example.org")));
    assert_eq!(admin[0]["target"], json!(null), "who is gone is null");
    let refused = [
        ("GET activities from=x", "422 invalid"),
        ("GET activities/admin range=updated", "422 admin.activity.invalid_range"),
    ];
    barong.expect(&barong.root, &refused).await;
}

pub async fn metrics_count_days_of_a_period(place: Place) {
    let barong = Barong::new(&place).await;
    barong
        .act(&[
            "a user account signup succeed 10",
            "a user account signup failed 10",
            "a user session login succeed 86399",
            "a user session login succeed 86400",
            "a user session login failed 86401",
            "a user session login::2fa succeed 86401",
        ])
        .await;
    barong.json("POST users/labels uid=member&key=document&value=pending&scope=private").await;
    let all = json!({
        "signups": {"1970-01-01": 1}, "sucessful_logins": {"1970-01-01": 1, "1970-01-02": 1},
        "failed_logins": {"1970-01-02": 1}, "pending_applications": 1,
    });
    assert_eq!(barong.json("GET metrics").await, all);
    let some = barong.json("GET metrics created_from=86400&created_to=86400").await;
    assert_eq!((&some["signups"], &some["sucessful_logins"]), (&json!({}), &json!({"1970-01-02": 1})));
    barong.expect(&barong.root, &[("GET metrics created_from=yesterday", "422 invalid")]).await;
}
