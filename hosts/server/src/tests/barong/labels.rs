//! Labels, and what private ones make of a user.

use serde_json::json;

use super::Barong;
use super::place::Place;

pub async fn labels_are_written_and_found(place: Place) {
    let barong = Barong::new(&place).await;
    for uid in ["ID1", "ID2"] {
        barong.member(uid, "pending").await;
    }
    let root = [
        ("POST users/labels uid=ID1&key=Tier&value=Gold+&description=one", "201"),
        ("POST users/labels uid=ID1&key=tier&value=gold&scope=private", "201"),
        ("POST users/labels uid=ID2&key=tier&value=gold&scope=private", "201"),
        ("PUT users/labels uid=ID1&key=TIER&scope=public&value=silver", "200"),
        ("POST users/labels/update uid=ID2&key=note&scope=public&value=made", "201"),
        ("POST users/labels/update uid=ID1&key=tier&scope=public&value=bronze", "201"),
    ];
    barong.expect(&barong.root, &root).await;
    let labels = barong.user("ID1").await["labels"].clone();
    assert_eq!(
        (&labels[0]["key"], &labels[0]["value"], &labels[0]["scope"]),
        (&json!("tier"), &json!("bronze"), &json!("public"))
    );
    assert_eq!(labels[0]["description"], "one", "what is not sent stays");
    let answer = barong.ask(&barong.root, "GET users/labels key=tier&value=gold").await.expect_status(200);
    let uids: Vec<_> = answer.json().as_array().unwrap().iter().map(|user| user["uid"].clone()).collect();
    assert_eq!((uids, answer.header("total")), (vec![json!("ID1"), json!("ID2")], "2"));
    assert_eq!(barong.json("GET users/labels/list").await, json!({"[\"tier\", \"gold\"]": 2}));
    let deleted = barong.ask(&barong.root, "DELETE users/labels uid=ID1&key=tier&scope=private").await;
    assert_eq!((deleted.status, deleted.text().as_str()), (204, ""));
    assert_eq!(barong.json("GET users/labels/list").await, json!({"[\"tier\", \"gold\"]": 1}));
}

pub async fn what_is_wrong_with_a_label_has_a_code(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "pending").await;
    let long = format!("POST users/labels uid=ID1&key={}&value=abc", "k".repeat(256));
    let described = format!("POST users/labels uid=ID1&key=abc&value=abc&description={}", "d".repeat(256));
    let root = [
        ("POST users/labels uid=ID1&key=abc&value=abc", "201"),
        ("POST users/labels uid=ID1&key=ABC&value=abc", "422 key.taken"),
        ("POST users/labels uid=ID1&key=a!&value=%C3%A4%C3%A4%C3%A4", "422 key.too_short key.invalid value.invalid"),
        (&long, "422 key.too_long"),
        (&described, "422 description.too_long"),
        ("POST users/labels uid=ID1&key=abd&value=abc&scope=secret", "422 scope.inclusion"),
        ("POST users/labels uid=ID1&key=abd&value=abc&scope=", "422 admin.user.empty_scope"),
        ("POST users/labels uid=ID1&key=abd&value=abc&description=", "422 admin.user.empty_description"),
        (
            "POST users/labels",
            "422 admin.user.missing_uid admin.user.empty_uid admin.user.missing_key admin.user.empty_key \
             admin.user.missing_value admin.user.empty_value",
        ),
        ("POST users/labels uid=nobody&key=abc&value=abc", "404 admin.user.doesnt_exist"),
        ("PUT users/labels uid=ID1&key=none&scope=public&value=abc", "404 admin.label.doesnt_exist"),
        ("PUT users/labels uid=ID1&key=abc&scope=public&value=!", "422 value.too_short value.invalid"),
        (
            "POST users/labels/update uid=ID1&key=none&scope=public&value=abc&replace=false",
            "404 admin.label.doesnt_exist",
        ),
        (
            "POST users/labels/update uid=ID1&key=abc&scope=public&value=abc&replace=x",
            "422 admin.user.non_boolean_replace",
        ),
        ("DELETE users/labels uid=ID1&key=abc&scope=private", "404 admin.label.doesnt_exist"),
        ("DELETE users/labels uid=ID1&key=abc", "422 admin.user.missing_scope admin.user.empty_scope"),
        ("GET users/labels key=abc", "422 admin.user.missing_value"),
    ];
    barong.expect(&barong.root, &root).await;
    let admin = [("POST users/labels uid=superadmin&key=abc&value=abc", "422 admin.user.superadmin_change")];
    barong.expect(&barong.admin, &admin).await;
}

pub async fn private_labels_make_state_and_level(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "pending").await;
    let write = "POST users/labels/update uid=ID1&scope=private&";
    for (line, state, level) in [
        (format!("{write}key=phone&value=verified"), "pending", 0),
        (format!("{write}key=email&value=verified"), "active", 2),
        (format!("{write}key=document&value=pending"), "active", 2),
        (format!("{write}key=document&value=verified"), "active", 3),
        ("POST users/labels uid=ID1&key=ban&value=yes".to_owned(), "active", 3),
        (format!("{write}key=note&value=one"), "active", 3),
        ("DELETE users/labels uid=ID1&scope=private&key=phone".to_owned(), "active", 1),
        (format!("{write}key=delete&value=by_user"), "deleted", 1),
        (format!("{write}key=fraud&value=yes"), "banned", 1),
        (format!("{write}key=lock&value=yes"), "banned", 1),
        ("DELETE users/labels uid=ID1&scope=private&key=fraud".to_owned(), "deleted", 1),
        ("DELETE users/labels uid=ID1&scope=private&key=delete".to_owned(), "locked", 1),
        ("DELETE users/labels uid=ID1&scope=private&key=lock".to_owned(), "active", 1),
        // By hand: no label lifts it.
        ("PUT users uid=ID1&state=banned".to_owned(), "banned", 1),
        (format!("{write}key=note&value=two"), "banned", 1),
        ("DELETE users/labels uid=ID1&scope=private&key=email".to_owned(), "banned", 0),
    ] {
        let answer = barong.ask(&barong.root, &line).await;
        assert!(matches!(answer.status, 200 | 201 | 204), "{line}: {}", answer.text());
        assert_eq!(barong.state_and_level("ID1").await, (state.to_owned(), level), "{line}");
    }
}
