//! The words of policies and requests.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub const ROLES: [&str; 6] = ["guest", "clerk", "editor", "admin", "auditor", "Admin"];
pub const PERMISSIONS: [&str; 4] = ["order.read", "order.write", "user.read", "*"];
pub const GROUPS: [&str; 3] = ["night-shift", "vip", "clerk"];
pub const SUBJECTS: [&str; 4] = ["u1", "u2", "clerk", "U1"];
pub const SEGMENTS: [&str; 7] = ["a", "b", "users", "admin", "administrators", "x.y", "%2A"];
pub const METHODS: [&str; 6] = ["GET", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"];
pub const ADDRESSES: [&str; 7] =
    ["10.0.0.1", "10.0.1.7", "192.0.2.5", "2001:db8::1", "2001:db8:0:1::9", "::ffff:10.0.0.1", "255.255.255.255"];
pub const COUNTRIES: [&str; 4] = ["UA", "ua", "DE", "US"];
pub const CONTINENTS: [&str; 3] = ["EU", "eu", "NA"];
/// Names of resource types and of actions on them.
pub const KINDS: [&str; 3] = ["record", "report", "Record"];
pub const ACTIONS: [&str; 4] = ["read", "write", "Read", "GET"];
/// Unix seconds of tokens and revocations.
pub const TIMES: [u64; 3] = [1_600_000_000, 1_700_000_000, 1_700_000_001];

/// Two of each length and more, so that there are ties; some match nearly everything, some what others match.
pub const REGEXES: [&str; 16] = [
    "/",
    "b$",
    ".*",
    "^/a",
    "/a$",
    "^/$",
    "%2A",
    "^/[ab]",
    "/admin",
    r"\.y$",
    "^/(a|b)(/|$)",
    "(?i)^/ADMIN",
    r"\badmin\b",
    "^/a/[^/]+$",
    r"^(/\w+)+/?$",
    "^/users/[a-z]{1,5}$",
];

/// None asks for fewer roles of a subject, so that one role less never makes one hold that did not.
///
/// What says `now` says the same at `HTTP_NOW` and at the real time, which is what Envoy takes.
pub const CONDITIONS: [&str; 24] = [
    r#"request.method == "GET""#,
    "subject.level >= 2",
    "has(subject.level) && subject.level > 1",
    r#"subject.otp || "admin" in subject.roles"#,
    r#"request.path.startsWith("/users") || action in ["read", "POST"]"#,
    r#"resource.type == "record" && action != "write""#,
    "context.risk > 3",
    "context.list.all(item, item > 0)",
    "context.flag",
    "!subject.properties.vip",
    "has(subject.properties) && subject.properties.a == 1",
    "resource.properties.owner == subject.id",
    r#"now - subject.issued_at < duration("3600s")"#,
    r#"now > timestamp("2020-01-01T00:00:00Z")"#,
    r#"action == "read" && resource.id.startsWith("r")"#,
    r#"request.country in ["UA", "DE"]"#,
    r#"request.continent != "NA""#,
    r#"cidr("10.0.0.0/8").containsIP(ip(request.source_ip))"#,
    r#"request.credential == "token" ? subject.type == "user" : subject.otp"#,
    r#"subject.permission_groups.exists(group, group == "vip")"#,
    r#"request.host.endsWith(".com") && request.path.matches("^/[a-z]+$")"#,
    "1 / (size(subject.roles) - 1) >= 0",
    r#"subject.id + ":" + action == "u1:GET""#,
    r#"subject.state == "active""#,
];

/// Texts of `properties` and of `context`.
pub const PROPERTIES: [&str; 9] = [
    "{}",
    r#"{"a": 1, "risk": 5}"#,
    r#"{"a": "x", "list": [1, 2], "vip": true, "owner": "u1"}"#,
    r#"{"a": 1.0, "risk": "high", "flag": true}"#,
    r#"{"risk": 2.5, "flag": false, "list": [1, -1], "vip": false}"#,
    r#"{"flag": 0, "vip": "no", "list": ["x"], "owner": null}"#,
    r#"{ "own\u0065r":"u1" , "risk":9007199254740993, "list": [] }"#,
    r#"{"list": {"b": 1}, "vip": false, "a": {"a": [true, null]}}"#,
    r#"{"risk": 18446744073709551615, "a": 1e0}"#,
];
/// JSON that makes a request malformed.
pub const MALFORMED_PROPERTIES: [&str; 2] = [r#"{"a": 1, "a": 1}"#, r#"{"x": {"b": 1, "c": 2, "b": 3}}"#];
/// What no line of JSON can carry as properties; only the first is well-formed.
pub const UNSENDABLE_PROPERTIES: [&str; 8] =
    [" {\"a\": 1}\n", "[1]", "", "{", r#"{"a": 1} x"#, r#"{"a": 01}"#, r#"{"a": 1e999}"#, r#"{"a": "\ud800"}"#];

pub fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

pub fn some_of(names: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    subsequence(names, 0..=most).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}
