//! What proxies fell for elsewhere (docs/WEAKNESSES.md), as bytes on a socket of a real Envoy with the filter, where a
//! client library would send something cleaner. Each row is named by its id there.

use std::io::Write as _;
use std::net::TcpStream;

use portcullis_rig::upstream::Seen;
use portcullis_rig::{Request, Response, http, token};
use serde_json::{Value, json};

use super::{TIMEOUT, publish};
use crate::stage::Stage;

const POLICY: &str = "
version: 1
public: [{path: {exact: /public}}]
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /}}}
  - {id: no-admin, effect: deny, who: {anyone: true}, target: {path: {under: /admin}}}
  - {id: shop, effect: allow, who: {anyone: true}, target: {path: {under: /shop}}}
  - {id: host, effect: allow, who: {anyone: true}, target: {hosts: [a.example], path: {exact: /host}}}
restrictions:
  - {id: bad, category: blacklist, scope: ip, value: 198.51.100.1, code: 423}
  - {id: far, category: blacklist, scope: country, value: NO, code: 423}
";

/// Paths that must not lead below `/admin`, whoever cleans them.
const HIDDEN: [(&str, &str); 33] = [
    ("P1", "//admin/x"),
    ("P1", "///admin"),
    ("P1", "/.//admin"),
    ("P2", "admin/x"),
    ("P2", "*"),
    ("P3", "/admin?x=1"),
    ("P3", "/admin%3Fx=1/../../admin"),
    ("P4", "/admin%2fx"),
    ("P4", "/admin%2Fx"),
    ("P4", "/x%2f..%2fadmin"),
    ("P6", "/public/../admin"),
    ("P6", "/public/%2e%2e/admin"),
    ("P6", "/public/.%2e/admin"),
    ("P6", "/public/%2E./admin"),
    ("P6", "/public/..;/admin"),
    ("P6", "/admin/."),
    ("P6", "/./admin"),
    ("P6", "//..//admin"),
    ("P6", "/%61dmin"),
    ("P8", "/public\\..\\admin"),
    ("P8", "/public%5C..%5Cadmin"),
    ("P8", "/public%5c..%5cadmin"),
    ("P8", "\\admin"),
    ("P9", "/admin#x"),
    ("P9", "/admin/#/../../public"),
    ("P10", "/admin?"),
    ("P10", "/admin?x#y"),
    ("P11", "/admin%00"),
    ("P11", "/admin%0d%0ax"),
    ("P13", "/admin/%252e%252e/%252e%252e"),
    ("P14", "/admin;x=1/"),
    ("P14", "/admin;/../x;/../admin"),
    ("P15", "/admin/istrators"),
];

fn stage(rewrite: bool, hardened: bool) -> Stage {
    let keys: Value = serde_json::from_str(&token::jwks()).unwrap();
    let stage = Stage::start(|setup| {
        (setup.rewrite_paths, setup.hardened, setup.jwt_authn) = (rewrite, hardened, false);
        setup.country_header = Some("x-country".to_owned());
        setup.more = json!({
            "issuers": [{"issuer": token::ISSUER, "audience": token::AUDIENCE, "keys": keys["keys"]}],
        });
    })
    .unwrap();
    publish(&stage, POLICY, &Request::get("/public"), |response| response.status == 200);
    stage
}

fn staff() -> String {
    token::mint(json!({"sub": "u1", "roles": ["staff"]}))
}

fn get(target: &str) -> Request {
    Request::get(target).header("host", "b.example").bearer(&staff())
}

fn anonymous(target: &str) -> Request {
    Request::get(target).header("host", "b.example")
}

/// Nothing reaches the upstream but with a 200.
#[track_caller]
fn send(stage: &Stage, request: &Request) -> Response {
    let before = stage.upstream.requests();
    let response = stage.envoy.send(request).unwrap();
    assert_eq!(stage.upstream.requests() > before, response.status == 200, "{request:?}: {}", response.status);
    response
}

/// A request of which the head is these bytes; `None` when Envoy hangs up.
fn send_raw(stage: &Stage, head: &[u8]) -> Option<u16> {
    let before = stage.upstream.requests();
    let head = [head, b"\r\n\r\n"].concat();
    let status = http::send_bytes(stage.envoy.listener(), &head).ok().map(|response| response.status);
    assert_eq!(stage.upstream.requests() > before, status == Some(200), "{}", String::from_utf8_lossy(&head));
    status
}

#[test]
fn no_path_gets_around_the_filter_in_envoy() {
    for (rewrite, hardened) in [(false, false), (true, false), (false, true), (true, true)] {
        let stage = stage(rewrite, hardened);
        let mut passed = Vec::new();
        for (id, target) in HIDDEN {
            let response = send(&stage, &get(target));
            match response.status {
                400..=404 => {}
                _ => passed.push((id, target, response.status)),
            }
        }
        assert_eq!(passed, [], "rewrite {rewrite}, hardened {hardened}");
        // P1, P13: what passes is seen by the upstream as it was decided on.
        for (id, target, canonical) in
            [("P1", "//host/admin", "/host/admin"), ("P13", "/a/%252e%252e%252fadmin", "/a/%252e%252e%252fadmin")]
        {
            let response = send(&stage, &get(target));
            if response.status == 200 {
                assert_eq!(Seen::in_response(&response).unwrap().path(), canonical, "{id}");
            }
        }
        // P7, P10: byte for byte, the query too.
        for target in ["/a?b=//admin/../c", "/a?", "/%2A", "/a?b=%2F..%2Fadmin", "/administrators", "/a/b/"] {
            let response = send(&stage, &get(target));
            assert_eq!(Seen::in_response(&response).unwrap().path(), target);
        }
        // P15: a prefix ends at a segment.
        assert_eq!(send(&stage, &anonymous("/shop/1")).status, 200);
        assert_eq!(send(&stage, &anonymous("/shopping")).status, 401);
    }
}

#[test]
fn no_bytes_on_the_socket_get_around_the_filter_in_envoy() {
    let stage = stage(false, false);
    let bearer = format!("authorization: Bearer {}", staff());
    for (id, head) in [
        ("P2", "GET  HTTP/1.1\r\nhost: b"),
        ("P2", "GET http://b.example/admin HTTP/1.1\r\nhost: b.example"),
        ("P2", "GET https://b.example//admin HTTP/1.1\r\nhost: b.example"),
        ("P9", "GET /public#/../admin/%2e HTTP/1.1\r\nhost: b\r\nx: \0"),
        ("P11", "GET /admin\0 HTTP/1.1\r\nhost: b"),
        ("P11", "GET /public HTTP/1.1\r\nhost: b\r\nx-a: a\0b"),
        ("P11", "GET /admin\r/public HTTP/1.1\r\nhost: b"),
        ("E12", "GET /admin HTTP/1.1\r\nhost: b\r\nhost: a.example"),
        ("E12", "POST /admin HTTP/1.1\r\nhost: b\r\ncontent-length: 0\r\ncontent-length: 5"),
        ("E12", "POST /admin HTTP/1.1\r\nhost: b\r\ncontent-length: 5\r\ntransfer-encoding: chunked"),
        ("E12", "GET /admin HTTP/1.0"),
    ] {
        let status = send_raw(&stage, format!("{head}\r\n{bearer}").as_bytes());
        assert!(matches!(status, None | Some(400..=404 | 426 | 501)), "{id} {head:?}: {status:?}");
    }
    // P5, E12: the host that is decided on is the one that the upstream gets.
    for (head, host) in [
        ("GET /host HTTP/1.1\r\nhost: a.example", "a.example"),
        ("GET /host HTTP/1.1\r\nhost: A.Example", "A.Example"),
        ("GET /host HTTP/1.1\r\nhost: a.example.", "a.example."),
        ("GET /host HTTP/1.1\r\nhost: a.example:443", "a.example:443"),
        ("GET http://a.example/host HTTP/1.1\r\nhost: b.example", "a.example"),
    ] {
        let response = http::send_bytes(stage.envoy.listener(), format!("{head}\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(Seen::in_response(&response).unwrap().headers("host"), [host], "{head}");
    }
    for head in [
        "GET http://b.example/host HTTP/1.1\r\nhost: a.example",
        "GET /host HTTP/1.1\r\nhost: b.example\r\nx-forwarded-host: a.example",
        "GET /host HTTP/1.1\r\nhost: user@a.example",
        "GET /host HTTP/1.1\r\nhost: a.example,b.example",
        "GET /host HTTP/1.1\r\nhost: b.example#a.example",
    ] {
        let status = send_raw(&stage, head.as_bytes());
        assert!(matches!(status, Some(400 | 401)), "{head:?}: {status:?}");
    }
    // H4: bytes that are no text, in headers that matter and in those that do not.
    let strange = |head: &str, value: &[u8]| send_raw(&stage, &[head.as_bytes(), value].concat());
    assert!(matches!(strange("GET /public HTTP/1.1\r\nhost: b\r\nauthorization: Bearer ", b"\xff\xfe"), Some(400)));
    assert!(matches!(strange("GET /public HTTP/1.1\r\nhost: b\r\nx-country: ", b"\xff\xfe"), Some(400)));
    assert!(matches!(strange("GET /public HTTP/1.1\r\nhost: ", b"b\xff"), Some(400)));
    assert_eq!(strange("GET /admin HTTP/1.1\r\nhost: b\r\nx-any: ", b"\xff\xfe"), Some(403));
    assert_eq!(strange("GET /public HTTP/1.1\r\nhost: b\r\nx-any: ", b"\xff\xfe"), Some(200));
}

#[test]
fn no_header_makes_somebody_else_of_a_client_of_envoy() {
    let stage = stage(false, false);
    // P12, H3, H6: what the client says about its own request.
    for (name, value) in [
        ("x-original-uri", "/public"),
        ("x-forwarded-uri", "/public"),
        ("x-envoy-original-path", "/public"),
        ("x-rewrite-url", "/public"),
        ("x-original-url", "/public"),
        ("x-http-method-override", "OPTIONS"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-proto", "https"),
        ("X_Forwarded_Proto", "https"),
        ("user-agent", "kube-probe/1.29"),
        ("x-envoy-internal", "true"),
    ] {
        assert_eq!(send(&stage, &get("/admin").header(name, value)).status, 403, "{name}");
        assert_eq!(send(&stage, &anonymous("/a").header(name, value)).status, 401, "{name}");
    }
    // H5, H7: identity under every spelling.
    let names = ["x-portcullis-subject", "X-Portcullis-Roles", "x_portcullis_roles", "X-PORTCULLIS_subject"];
    let forged = names.iter().fold(anonymous("/public"), |request, name| request.header(name, "staff"));
    let response = send(&stage, &forged);
    let seen = Seen::in_response(&response).unwrap();
    for name in names {
        assert_eq!(seen.headers(&name.to_ascii_lowercase()), [""; 0], "{name}");
    }
    // H1, H2: a header that a rule reads, twice.
    assert_eq!(send(&stage, &anonymous("/public").header("x-country", "NO")).status, 423);
    for second in ["x-country", "X-Country"] {
        let twice = anonymous("/public").header("x-country", "SE").header(second, "NO");
        assert!(matches!(send(&stage, &twice).status, 400 | 423), "{second}");
    }
    // H9: one address in each of its spellings, and the entry of the trusted hop is the last one.
    for address in ["198.51.100.1", "::ffff:198.51.100.1", "::FFFF:c633:6401", "203.0.113.9, 198.51.100.1"] {
        let request = anonymous("/public").header("x-forwarded-for", address);
        assert_eq!(send(&stage, &request).status, 423, "{address}");
    }
    assert_eq!(send(&stage, &anonymous("/public").header("x-forwarded-for", "198.51.100.1, 203.0.113.9")).status, 200);
}

#[test]
fn no_token_but_a_valid_one_counts_in_envoy() {
    let stage = stage(false, false);
    let claims = |more: Value| {
        let mut claims = json!({"sub": "u1", "roles": ["staff"]});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("Bearer {}", token::mint(claims))
    };
    let valid = claims(json!({}));
    let [header, payload, signature] = staff().split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    let bearer = |header: &str, signature: &str| format!("Bearer {header}.{payload}.{signature}");
    let mut bad = vec![
        // H10
        ("H10", vec![valid.replace("Bearer ", "Bearer  ")]),
        ("H10", vec![valid.replace("Bearer ", "Bearer\t")]),
        ("H10", vec![format!("{valid} x")]),
        ("H1", vec![valid.clone(), valid.clone()]),
        ("H1", vec![valid.clone(), "Bearer x".to_owned()]),
        ("H1", vec!["Basic dTpw".to_owned(), valid.clone()]),
        // {"alg":"none"}, {"alg":"None"}, {}, {"alg":"HS256"}
        ("T2", vec![bearer("eyJhbGciOiJub25lIn0", "")]),
        ("T2", vec![bearer("eyJhbGciOiJOb25lIn0", &signature)]),
        ("T2", vec![bearer("e30", &signature)]),
        ("T2", vec![bearer("eyJhbGciOiJIUzI1NiJ9", &signature)]),
        ("T2", vec![bearer(&header, "")]),
    ];
    for wrong in
        [json!("4102444800"), json!(4.5), json!(-1), json!(1e300), json!(null), json!([4102444800_u64]), json!(true)]
    {
        bad.push(("T1", vec![claims(json!({"exp": wrong}))]));
        bad.push(("T1", vec![claims(json!({"nbf": if wrong == json!(-1) { json!(4102444800_u64) } else { wrong }}))]));
    }
    for issuer in
        [" https://issuer.example", "https://issuer.example\n", "https://issuer.example/", "HTTPS://issuer.example"]
    {
        bad.push(("T3", vec![claims(json!({"iss": issuer}))]));
    }
    for audience in
        [json!(null), json!(""), json!("portcullis "), json!([]), json!(["other"]), json!({"portcullis": 1})]
    {
        bad.push(("T5", vec![claims(json!({"aud": audience}))]));
    }
    for (id, values) in bad {
        // T6: the same where no token is needed.
        for target in ["/a", "/public"] {
            let request =
                values.iter().fold(anonymous(target), |request, value| request.header("authorization", value));
            let response = send(&stage, &request);
            assert!(matches!(response.status, 400 | 401), "{id} {target} {values:?}: {}", response.status);
        }
    }
    // No scheme that means anything here: nobody.
    let glued = valid.replace("Bearer ", "Bearer");
    assert_eq!(send(&stage, &anonymous("/a").header("authorization", &glued)).status, 401);
    for scheme in ["Bearer ", "bearer ", "BEARER "] {
        let request = anonymous("/a").header("authorization", &valid.replace("Bearer ", scheme));
        assert_eq!(send(&stage, &request).status, 200, "{scheme}");
    }
}

#[test]
fn requests_that_break_off_leave_the_filter_in_envoy_as_it_was() {
    let stage = stage(false, false);
    let whole =
        format!("POST /a HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {}\r\ncontent-length: 100\r\n\r\nabc", staff());
    let listener = stage.envoy.listener();
    // E11: after each byte count, the client is gone.
    for length in (1..whole.len()).step_by(7) {
        TcpStream::connect(listener).unwrap().write_all(&whole.as_bytes()[..length]).unwrap();
    }
    for _ in 0..50 {
        TcpStream::connect(listener).unwrap().write_all(get_bytes("/a").as_bytes()).unwrap();
    }
    stage.envoy.wait_until_all("an answer", &get("/a"), TIMEOUT, |response| response.status == 200).unwrap();
    assert_eq!(send(&stage, &get("/admin")).status, 403);
    assert!(!stage.envoy.log().contains("unreachable") && !stage.envoy.log().contains("panicked"));
}

fn get_bytes(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {}\r\n\r\n", staff())
}
