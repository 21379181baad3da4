//! Proxies that ask the server, in front of a real upstream: what clients try (design/peers-lessons.md section 2) and what
//! the upstream sees. Each row is named by its id there.

use portcullis_rig::upstream::Seen;
use portcullis_rig::{Request, Response, Server, http, token};
use serde_json::json;
use tempfile::TempDir;

use crate::engines::portcullis;
use crate::engines::proxied::{Kind, Proxied, configuration};

const POLICY: &str = "
version: 1
public: [{path: {exact: /public}}]
rules:
  - {id: staff, effect: allow, who: {roles: [staff]}, target: {path: {under: /}}}
  - {id: no-admin, effect: deny, who: {anyone: true}, target: {path: {under: /admin}}}
  - {id: host, effect: allow, who: {anyone: true}, target: {hosts: [a.example], path: {exact: /host}}}
restrictions: [{id: bad, category: blacklist, scope: ip, value: 198.51.100.1, code: 423}]
";

fn start(kind: Kind) -> Proxied {
    let proxied = Proxied::start(kind).unwrap();
    proxied.server.put_policy(POLICY).unwrap();
    proxied
}

fn staff() -> String {
    token::mint(json!({"sub": "u1", "roles": ["staff", "night"]}))
}

/// The target as staff, from an address.
fn get(target: &str) -> Request {
    Request::get(target).header("host", "b.example").header("x-forwarded-for", "203.0.113.9").bearer(&staff())
}

fn send(proxied: &mut Proxied, request: &Request) -> Response {
    let before = proxied.upstream.requests();
    let response = proxied.client.send(request).unwrap();
    let reached = proxied.upstream.requests() > before;
    assert_eq!(reached, response.status == 200, "{request:?}: {} {}", response.status, response.text());
    response
}

#[track_caller]
fn check_paths(kind: Kind) {
    let mut proxied = start(kind);
    for (id, target) in [
        ("P1", "//admin/x"),
        ("P1", "///admin"),
        ("P1", "//host/admin"),
        ("P3", "/admin?x=1"),
        ("P4", "/a%2fadmin"),
        ("P4", "/a%2Fadmin"),
        ("P6", "/public/../admin"),
        ("P6", "/public/%2e%2e/admin"),
        ("P6", "/public/.%2e/admin"),
        ("P6", "/public/..;/admin"),
        ("P6", "/admin/."),
        ("P6", "//..//admin"),
        ("P8", "/public\\..\\admin"),
        ("P8", "/public%5C..%5Cadmin"),
        ("P11", "/public%00"),
        ("P14", "/admin;x=1/"),
    ] {
        let response = send(&mut proxied, &get(target));
        assert!(matches!(response.status, 400 | 403), "{id} {target}: {}", response.status);
    }
    // P2, P9: not what HTTP has as a target. The proxy itself may refuse them, or normalize a fragment away.
    for (id, target) in [("P2", "admin/x"), ("P2", "*"), ("P9", "/admin#x")] {
        let response = send(&mut proxied, &get(target));
        assert!(matches!(response.status, 400..=404), "{id} {target}: {}", response.status);
    }
    // P7, P10, P13: what is decided on is what the upstream sees.
    for target in ["/a?b=//admin/../c", "/a/%252e%252e%252fadmin", "/a?", "/%2A"] {
        let response = send(&mut proxied, &get(target));
        assert_eq!(Seen::in_response(&response).unwrap().path(), target);
    }
    // P5
    for host in ["a.example", "A.Example", "a.example.", "a.example:443"] {
        let request = Request::get("/host").header("host", host).header("x-forwarded-for", "203.0.113.9");
        assert_eq!(send(&mut proxied, &request).status, 200, "{host}");
    }
}

#[track_caller]
fn check_identity(kind: Kind) {
    let mut proxied = start(kind);
    let anonymous = || Request::get("/public").header("host", "b.example").header("x-forwarded-for", "203.0.113.9");
    let forge = |request: Request| {
        let names = ["x-portcullis-subject", "X-Portcullis-Roles", "x_portcullis_roles", "X-PORTCULLIS_subject"];
        names.into_iter().fold(request, |request, name| request.header(name, "admin"))
    };
    // H5, H7: forged identity does not pass, under no spelling.
    let response = send(&mut proxied, &forge(anonymous()));
    let seen = Seen::in_response(&response).unwrap();
    for name in ["x-portcullis-subject", "x-portcullis-roles", "x_portcullis_roles", "x-portcullis_subject"] {
        assert_eq!(seen.headers(name), [""; 0], "{name}");
    }
    let response = send(&mut proxied, &forge(get("/a")));
    let seen = Seen::in_response(&response).unwrap();
    assert_eq!(
        (seen.headers("x-portcullis-subject"), seen.headers("x-portcullis-roles")),
        (vec!["u1"], vec!["staff,night"])
    );
    assert_eq!(
        seen.headers("x-portcullis-edge-token"),
        [""; 0],
        "the proxy's own token stays between it and the server"
    );

    // H3, P12: the client names no other path, method or host.
    for name in ["x-original-uri", "x-forwarded-uri", "x-envoy-original-path", "x-rewrite-url", "x-original-url"] {
        assert_eq!(send(&mut proxied, &get("/admin").header(name, "/public")).status, 403, "{name}");
    }
    for (name, value) in
        [("x-forwarded-method", "HEAD"), ("x-forwarded-host", "a.example"), ("x-original-host", "a.example")]
    {
        let request = Request::get("/host").header("host", "b.example").header("x-forwarded-for", "203.0.113.9");
        assert_eq!(send(&mut proxied, &request.header(name, value)).status, 401, "{name}");
    }
    // The client chooses neither the address that is believed nor the proxy's token.
    let from = |address: &str| Request::get("/public").header("host", "b.example").header("x-forwarded-for", address);
    assert_eq!(send(&mut proxied, &from("198.51.100.1")).status, 423);
    assert_eq!(send(&mut proxied, &from("203.0.113.9, 198.51.100.1")).status, 423);
    for name in ["x-portcullis-client-address", "x-portcullis-edge-token"] {
        let request = from("198.51.100.1").header(name, "203.0.113.9");
        assert_eq!(send(&mut proxied, &request).status, 423, "{name}");
    }
    // H1, H4, H10, T2, T6: a credential that is not exactly one valid one is refused, also on a public path.
    let valid = format!("Bearer {}", staff());
    for values in [
        vec![valid.clone(), valid.clone()],
        vec![valid.clone(), "Bearer x".to_owned()],
        vec![format!("Bearer {}x", staff())],
        vec![format!("Bearer  {}", staff())],
        vec![format!("Bearer {}\u{e9}", staff())],
        vec!["Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.".to_owned()],
    ] {
        let request = values.iter().fold(anonymous(), |request, value| request.header("authorization", value));
        let response = send(&mut proxied, &request);
        assert!(matches!(response.status, 400 | 401), "{values:?}: {}", response.status);
    }
    // H6
    let probe = get("/admin").header("user-agent", "kube-probe/1.29");
    assert_eq!(send(&mut proxied, &probe).status, 403);
}

/// The proxy lets nothing pass when there is nobody to ask.
#[track_caller]
fn check_failure(kind: Kind) {
    let mut proxied = start(kind);
    assert_eq!(send(&mut proxied, &get("/a")).status, 200);
    proxied.server.stop().unwrap();
    for target in ["/a", "/public", "/admin"] {
        let response = send(&mut proxied, &get(target));
        assert_eq!(response.status, 503, "{target}");
    }
    proxied.server.start_again().unwrap();
    portcullis_rig::process::poll("the proxy to ask again", std::time::Duration::from_secs(30), || {
        Ok((proxied.client.send(&get("/a"))?.status == 200).then_some(()))
    })
    .unwrap();
}

#[test]
fn no_path_gets_around_envoy_that_asks() {
    check_paths(Kind::Envoy);
}

#[test]
fn no_path_gets_around_nginx_that_asks() {
    check_paths(Kind::Nginx);
}

#[test]
fn no_identity_passes_envoy_that_asks_but_the_verified_one() {
    check_identity(Kind::Envoy);
}

#[test]
fn no_identity_passes_nginx_that_asks_but_the_verified_one() {
    check_identity(Kind::Nginx);
}

#[test]
fn envoy_that_asks_is_closed_while_the_server_is_down() {
    check_failure(Kind::Envoy);
}

#[test]
fn nginx_that_asks_is_closed_while_the_server_is_down() {
    check_failure(Kind::Nginx);
}

/// The questions of Traefik's ForwardAuth, over HTTP to the real server; there is no Traefik here to ask them.
#[test]
fn a_proxy_that_asks_like_traefik_gets_the_same_verdicts() {
    let folder = TempDir::new().unwrap();
    let configuration = configuration(folder.path()).unwrap();
    let server = Server::start_with(&portcullis().unwrap(), folder.path(), &configuration).unwrap();
    server.put_policy(POLICY).unwrap();
    let edge = server.create_edge("traefik").unwrap();
    let ask = |uri: &str, host: &str, address: &str, authorization: Option<String>| {
        let request = Request::get("/authz/forward").header("x-portcullis-edge-token", &edge);
        let request = request.header("x-forwarded-method", "GET").header("x-forwarded-proto", "https");
        let request = request.header("x-forwarded-host", host).header("x-forwarded-uri", uri);
        let request = request.header("x-forwarded-for", address);
        authorization.iter().fold(request, |request, value| request.header("authorization", value))
    };
    let (staff, near, bad) = (Some(format!("Bearer {}", staff())), "203.0.113.9", "198.51.100.1");
    let wrong = Some(format!("{}x", staff.clone().unwrap()));
    for (uri, host, address, authorization, status) in [
        ("/public", "b.example", near, None, 200),
        ("/public", "b.example", near, wrong.clone(), 401),
        ("/a?b=c", "b.example", near, staff.clone(), 200),
        ("/a", "b.example", near, None, 401),
        ("/a", "b.example", near, wrong, 401),
        ("/admin", "b.example", near, staff.clone(), 403),
        ("/admin?x=1", "b.example", near, staff.clone(), 403),
        ("/public/../admin", "b.example", near, staff.clone(), 400),
        ("//admin", "b.example", near, staff.clone(), 400),
        ("/host", "a.example", near, None, 200),
        ("/host", "b.example", near, None, 401),
        ("/public", "b.example", bad, None, 423),
        ("/public", "b.example", "203.0.113.9, 198.51.100.1", None, 423),
    ] {
        let response = http::send(server.address(), &ask(uri, host, address, authorization.clone())).unwrap();
        assert_eq!(response.status, status, "{host} {uri} from {address}: {}", response.text());
        let subject = (status == 200 && authorization.is_some()).then_some("u1");
        assert_eq!(response.header("x-portcullis-subject").filter(|subject| !subject.is_empty()), subject, "{uri}");
    }
    // Two families of headers, no proxy's token, a client's token in its place.
    let whole = ask("/public", "b.example", near, None);
    let both = whole.clone().header("x-original-uri", "/public");
    assert_eq!(http::send(server.address(), &both).unwrap().status, 400);
    let unknown = Request::get("/authz/forward").header("x-forwarded-uri", "/public");
    assert!(matches!(http::send(server.address(), &unknown).unwrap().status, 401 | 403));
    let client = unknown.header("authorization", &staff.unwrap());
    assert!(matches!(http::send(server.address(), &client).unwrap().status, 401 | 403));
}
