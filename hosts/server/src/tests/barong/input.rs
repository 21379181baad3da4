//! What callers send, in every form, and what of it is refused on every write.

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use serde_json::json;

use super::place::Place;
use super::{ADMIN, Barong, said};

const FORM: &str = "application/x-www-form-urlencoded";

/// Every write, with a parameter that is a text.
const WRITES: [(&str, &str, &str); 17] = [
    ("PUT", "users", "uid"),
    ("POST", "users/role", "role"),
    ("POST", "users/update", "state"),
    ("DELETE", "users/data_storage", "title"),
    ("POST", "users/labels", "key"),
    ("PUT", "users/labels", "value"),
    ("POST", "users/labels/update", "description"),
    ("DELETE", "users/labels", "scope"),
    ("POST", "users/comments", "data"),
    ("PUT", "users/comments", "title"),
    ("POST", "permissions", "path"),
    ("PUT", "permissions", "topic"),
    ("POST", "restrictions", "value"),
    ("PUT", "restrictions", "value"),
    ("POST", "restrictions/whitelink", "range"),
    ("POST", "profiles", "address"),
    ("PUT", "profiles", "state"),
];

pub async fn parameters_come_in_three_forms(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    let path = format!("{ADMIN}/users/labels");
    let parts = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\ntwo\r\n--b\r\n\
                 Content-Disposition: form-data; name=\"value\"\r\n\r\nabc\r\n--b--\r\n";
    let root = &barong.root;
    for draft in [
        root.post(&path).json(&json!({"uid": "ID1", "key": "one", "value": 123, "description": null, "x": [1]})),
        root.post(&format!("{path}?uid=ID1")).header(CONTENT_TYPE, "multipart/form-data; boundary=b").body(parts),
        root.post(&format!("{path}?uid=ID1&key=three&value=abc")),
    ] {
        let answer = draft.send().await;
        assert!(matches!(answer.status, 201 | 422), "{}", answer.text());
    }
    let labels = barong.user("ID1").await["labels"].clone();
    let keys = super::each(&labels, "key");
    assert_eq!(keys, ["two", "three"], "null is blank");
    let query = root.request(Method::DELETE, &path).header(CONTENT_TYPE, FORM).body("uid=ID1&key=two&scope=public");
    query.send().await.expect_status(204);
}

pub async fn bad_input_stores_nothing(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    let before = barong.directory.writes().await.unwrap();
    let huge = format!("x={}", "a".repeat(1_100_000));
    let many = (0..200).map(|at| format!("p{at}=1")).collect::<Vec<_>>().join("&");
    for (method, path, name) in WRITES {
        let method: Method = method.parse().unwrap();
        let draft = || barong.root.request(method.clone(), &format!("{ADMIN}/{path}"));
        let long = format!("{name}={}", "x".repeat(70_000));
        for (kind, body, expected) in [
            (FORM, Body::from(format!("{name}=a&{name}=b")), "400 server.malformed_request"),
            (FORM, Body::from(format!("{name}=a%00b")), "400 server.malformed_request"),
            (FORM, Body::from(format!("{name}=a%ffb")), "400 server.malformed_request"),
            (FORM, Body::from(vec![b'a', b'=', 0xff]), "400 server.malformed_request"),
            (FORM, Body::from(many.clone()), "400 server.malformed_request"),
            (FORM, Body::from(huge.clone()), "413 server.too_large"),
            ("application/json", Body::from("{"), "400 server.malformed_request"),
            ("application/json", Body::from("[]"), "400 server.malformed_request"),
            (
                "application/json",
                Body::from(format!("{{\"{name}\":\"a\",\"{name}\":\"b\"}}")),
                "400 server.malformed_request",
            ),
            ("application/json", Body::from(format!("{{\"{name}\":\"a\\u0000\"}}")), "400 server.malformed_request"),
            ("application/json", Body::from("x".repeat(1_100_000)), "413 server.too_large"),
            ("multipart/form-data", Body::from("x"), "400 server.malformed_request"),
            ("text/xml", Body::from("<a/>"), "415 The provided content-type is not supported."),
            (FORM, Body::from(long), "4"),
            (FORM, Body::from(format!("{name}=' OR 1=1;--")), "4"),
            (FORM, Body::from(format!("{name}=a%0d%0aSet-Cookie: b")), "4"),
            (FORM, Body::from(format!("{name}=%e2%80%ae")), "4"),
            ("application/json", Body::from(format!("{{\"{name}\":[\"a\"]}}")), "4"),
            ("application/json", Body::from(format!("{{\"{name}\":{{\"a\":1}}}}")), "4"),
        ] {
            let answer = draft().header(CONTENT_TYPE, kind).body(body).send().await;
            let found = said(&answer);
            assert!(found.starts_with(expected), "{method} {path}: {found}, not {expected}");
            assert!(answer.header("set-cookie").is_empty());
        }
    }
    let same =
        barong.root.post(&format!("{ADMIN}/users/role?uid=ID1")).header(CONTENT_TYPE, FORM).body("uid=ID1&role=admin");
    assert_eq!(said(&same.send().await), "400 server.malformed_request", "in query and body");
    // Writes that were begun and not committed are not counted.
    assert_eq!(barong.directory.writes().await.unwrap(), before);
}
