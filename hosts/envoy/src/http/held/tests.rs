use std::rc::Rc;

use portcullis_core::Policy;
use serde_json::{Value, json};

use super::super::tests::{edge_with, known};
use super::super::{Edge, Flow, Stream, on_answer, on_body, on_request, on_trailers};
use crate::fake::{FakeHost, SentReply, bundle, filter_metadata, headers};
use crate::host::CallId;

const POLICY: &str = "
version: 1
schemas:
  user: {type: object, required: [name], properties: {name: {type: string, maxLength: 5, x-message: {en: 'at most {limit}', uk: 'до {limit}'}}}}
  trimmed: {type: object, properties: {name: {type: string, x-trim: true}}}
  loud: {type: object, properties: {name: {type: string, x-uppercase: true}}}
  quiet: {type: object, properties: {name: {type: string, x-lowercase: true}}}
  search: {type: object, x-form: true, properties: {page: {type: integer, x-trim: true}}, additionalProperties: false}
public:
  - {path: {under: /}}
validations:
  - {target: {path: {exact: /users}}, schema: user}
  - {target: {path: {exact: /trimmed}}, schema: trimmed}
  - {target: {path: {exact: /trimmed}}, schema: user}
  - {target: {path: {exact: /both}}, schema: loud}
  - {target: {path: {exact: /both}}, schema: quiet}
  - {target: {path: {exact: /search}}, schema: search}
";

fn edge(keys: &Value) -> Edge {
    let mut all = json!({"allow_on_headers_stop_iteration": true});
    all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    edge_with(all, bundle(POLICY, 7))
}

/// A POST of JSON with these headers too.
fn post(path: &str, more: &[(&str, &str)]) -> FakeHost {
    let pairs = [(":method", "POST"), (":authority", "a"), (":path", path), ("content-type", "application/json")];
    FakeHost::with(|state| state.headers = headers(&[&pairs, more].concat()))
}

/// Sends the headers, then the body piece by piece; the last flow, and the status of a reply.
fn send(host: &FakeHost, edge: &mut Edge, pieces: &[&[u8]]) -> (Flow, Option<u16>) {
    let mut stream = Stream::default();
    let mut flow = on_request(host, edge, &mut stream, pieces.is_empty());
    for (index, piece) in pieces.iter().enumerate() {
        if flow != Flow::Hold {
            break;
        }
        let size_bytes = {
            let body = &mut host.0.borrow_mut().body;
            body.extend_from_slice(piece);
            body.len()
        };
        flow = on_body(host, edge, &mut stream, size_bytes, index + 1 == pieces.len());
    }
    (flow, host.0.borrow().reply.as_ref().map(|reply| reply.status))
}

#[track_caller]
fn check(path: &str, more: &[(&str, &str)], body: &str, expected: Option<u16>) {
    let host = post(path, more);
    let flow = if expected.is_some() { Flow::Stop } else { Flow::Continue };
    assert_eq!(send(&host, &mut edge(&json!({})), &[body.as_bytes()]), (flow, expected), "{path} {body}");
}

#[test]
fn a_body_goes_on_only_after_all_of_it_was_checked() {
    let host = post("/users", &[]);
    let mut edge = edge(&json!({}));
    assert_eq!(send(&host, &mut edge, &[b"{\"na", b"me\":", b"\"ada\"}"]), (Flow::Continue, None));
    assert_eq!(host.metric("portcullis_validations_total.tenant.default.kind.valid"), 1);
    assert_eq!(send(&post("/users", &[]), &mut edge, &[b"{\"name\":\"ada\"}", b"x"]), (Flow::Stop, Some(400)));
    assert_eq!(send(&post("/users", &[]), &mut edge, &[b"{\"name\":\"ada\"}", b""]), (Flow::Continue, None));
}

#[test]
fn a_problem_lists_all_violations() {
    let host = post("/users", &[("accept-language", "uk-UA;q=0.9, en")]);
    assert_eq!(send(&host, &mut edge(&json!({})), &[br#"{"name":"too long"}"#]), (Flow::Stop, Some(422)));
    let SentReply { headers, body, .. } = host.0.borrow_mut().reply.take().unwrap();
    assert_eq!(headers, [("content-type".to_owned(), "application/problem+json".to_owned())]);
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        problem,
        json!({"type": "about:blank", "title": "Unprocessable Content", "status": 422, "has_more": false,
            "violations": [{"pointer": "/name", "keyword": "maxLength", "code": "max_length",
                "params": {"limit": 5, "actual": 8}, "message": "до 5"}]})
    );
    assert_eq!(host.metric("portcullis_validations_total.tenant.default.kind.invalid"), 1);
}

#[test]
fn what_cannot_be_read_is_no_body() {
    for body in ["", "{", "{}x", "\u{feff}{}", r#"{"name":"a","name":"b"}"#, r#"{"name":"\ud800"}"#] {
        check("/users", &[], body, Some(400));
    }
    check("/users", &[], "{}", Some(422));
    let host = post("/users", &[]);
    assert_eq!(send(&host, &mut edge(&json!({})), &[]), (Flow::Stop, Some(400)), "no body at all");
}

#[test]
fn methods_without_a_body_have_nothing_to_check() {
    for (method, expected) in
        [("GET", None), ("HEAD", None), ("OPTIONS", None), ("DELETE", Some(415)), ("PUT", Some(415))]
    {
        let host = FakeHost::with(|state| {
            state.headers = headers(&[(":method", method), (":authority", "a"), (":path", "/users")]);
        });
        assert_eq!(send(&host, &mut edge(&json!({})), &[]).1, expected, "{method}");
        assert_eq!(send(&host, &mut edge(&json!({})), &[b"{}"]).1, Some(415), "{method} with a body");
    }
}

#[test]
fn a_body_over_the_bound_is_not_waited_for() {
    let bound = json!({"max_body_bytes": 20});
    let body = br#"{"name":"ada","a":0}"#;
    assert_eq!(send(&post("/users", &[]), &mut edge(&bound), &[body]), (Flow::Continue, None));
    let longer = [&body[..], b" "].concat();
    let host = post("/users", &[]);
    assert_eq!(send(&host, &mut edge(&bound), &[&longer, b"never sent"]), (Flow::Stop, Some(413)));
    assert_eq!(host.0.borrow().body.len(), 21);
    let host = post("/users", &[("content-length", "21")]);
    assert_eq!(send(&host, &mut edge(&bound), &[b"never sent"]), (Flow::Stop, Some(413)));
    assert!(host.0.borrow().body.is_empty());
}

#[test]
fn a_body_that_could_be_read_as_something_else_is_refused() {
    check("/users", &[("content-encoding", "gzip")], "{}", Some(415));
    check("/users", &[("content-encoding", "Identity")], r#"{"name":"a"}"#, None);
    check("/users", &[("content-encoding", "identity"), ("content-encoding", "gzip")], "{}", Some(400));
    check("/users", &[("content-type", "application/json")], "{}", Some(400));
    check("/search", &[], "page=1", Some(415));
}

#[test]
fn trailers_end_a_body_too() {
    for (body, expected) in [(&br#"{"name":"ada"}"#[..], Flow::Continue), (b"{}", Flow::Stop), (b"", Flow::Stop)] {
        let (host, mut edge, mut stream) = (post("/users", &[]), edge(&json!({})), Stream::default());
        assert_eq!(on_request(&host, &mut edge, &mut stream, false), Flow::Hold);
        if !body.is_empty() {
            host.0.borrow_mut().body = body.to_vec();
            assert_eq!(on_body(&host, &mut edge, &mut stream, body.len(), false), Flow::Hold);
        }
        assert_eq!(on_trailers(&host, &mut edge, &mut stream), expected);
    }
}

#[test]
fn the_upstream_gets_what_was_checked() {
    let host = post("/trimmed", &[("content-length", "18")]);
    assert_eq!(send(&host, &mut edge(&json!({})), &[br#"{"name":"  ada  "}"#]), (Flow::Continue, None));
    assert_eq!(host.0.borrow().body, br#"{"name":"ada"}"#);
    assert_eq!(host.header("content-length").as_deref(), Some("14"));

    let host = post("/trimmed", &[]);
    assert_eq!(send(&host, &mut edge(&json!({})), &[br#"{ "name" : "ada" }"#]).0, Flow::Continue);
    assert_eq!(host.header("content-length"), None);
    // Schemas that never agree on one text.
    check("/both", &[], r#"{"name":"Ada"}"#, Some(503));
    check("/both", &[], r#"{"name":"7"}"#, None);
}

#[test]
fn forms_stay_as_they_are() {
    let host = post("/search", &[]);
    host.0.borrow_mut().headers.retain(|(name, _)| name != "content-type");
    host.0.borrow_mut().headers.extend(headers(&[("content-type", "application/x-www-form-urlencoded")]));
    assert_eq!(send(&host, &mut edge(&json!({})), &[b"page=7"]), (Flow::Continue, None));
    assert_eq!(host.0.borrow().body, b"page=7");
    host.0.borrow_mut().body.clear();
    assert_eq!(send(&host, &mut edge(&json!({})), &[b"page=x&y=1"]), (Flow::Stop, Some(422)));
}

#[test]
fn a_proxy_that_shows_no_bodies_passes_none_that_must_be_checked() {
    let mut edge = edge(&json!({"allow_on_headers_stop_iteration": false}));
    let host = post("/users", &[]);
    assert_eq!(send(&host, &mut edge, &[br#"{"name":"ada"}"#]), (Flow::Stop, Some(503)));
    assert!(host.0.borrow().logs.iter().any(|(_, line)| line.contains("allow_on_headers_stop_iteration")));
    assert_eq!(send(&post("/elsewhere", &[]), &mut edge, &[b"x"]), (Flow::Continue, None));
}

#[test]
fn a_failing_proxy_passes_nothing() {
    for call in ["request_body", "replace_request_body", "set_request_header"] {
        let host = post("/trimmed", &[("content-length", "17")]);
        host.0.borrow_mut().broken.insert(call);
        assert_eq!(send(&host, &mut edge(&json!({})), &[br#"{"name":" ada  "}"#]), (Flow::Stop, Some(503)), "{call}");
    }
}

#[test]
fn a_route_may_ask_for_a_schema() {
    let on_route = |path| {
        let host = post(path, &[]);
        let settings = filter_metadata("portcullis", &json!({"require_validation": true}));
        host.0.borrow_mut().route_metadata = Some(settings);
        host
    };
    let mut edge = edge(&json!({}));
    assert_eq!(send(&on_route("/users"), &mut edge, &[br#"{"name":"ada"}"#]), (Flow::Continue, None));
    assert_eq!(send(&on_route("/elsewhere"), &mut edge, &[b"{}"]), (Flow::Stop, Some(415)));
    assert_eq!(send(&on_route("/elsewhere"), &mut edge, &[]), (Flow::Continue, None));
    let mut plain = edge_with(json!({}), bundle("{version: 1, public: [{path: {under: /}}]}", 7));
    assert_eq!(send(&on_route("/elsewhere"), &mut plain, &[b"{}"]), (Flow::Stop, Some(415)));
}

#[test]
fn a_request_that_waits_for_the_gateway_is_checked_after_it() {
    let identity = known(1, 1_700_000_060);
    for (body, expected) in [(&br#"{"name":"ada"}"#[..], Flow::Continue), (b"{}", Flow::Stop)] {
        // The body comes before the answer, or after it.
        for is_early in [true, false] {
            let host = post("/users", &[("x-api-key", "k")]);
            let (mut edge, mut stream) = (edge(&json!({"gateway": {"cookie": "sid"}})), Stream::default());
            assert_eq!(on_request(&host, &mut edge, &mut stream, false), Flow::Hold);
            host.0.borrow_mut().body = body.to_vec();
            if is_early {
                assert_eq!(on_body(&host, &mut edge, &mut stream, body.len(), true), Flow::Hold);
            }
            let answer_headers = headers(&[(":status", "200"), ("content-type", "application/json")]);
            host.0.borrow_mut().answer = (answer_headers, identity.clone().into_bytes());
            let answered = on_answer(&host, &mut edge, &mut stream, CallId(1), 2, identity.len());
            let flow = match is_early {
                true => answered,
                false => {
                    assert_eq!((answered, host.0.borrow().resumed), (Flow::Hold, false));
                    on_body(&host, &mut edge, &mut stream, body.len(), true)
                }
            };
            assert_eq!(flow, expected, "{is_early} {:?}", host.0.borrow().reply);
            assert_eq!(host.0.borrow().resumed, is_early && expected == Flow::Continue);
        }
    }
}

#[test]
fn a_request_that_waits_for_the_gateway_shows_its_body_only_where_that_is_asked_for() {
    for (path, flow) in [("/users", Flow::Hold), ("/elsewhere", Flow::Wait), ("/search", Flow::Wait)] {
        let mut edge = edge(&json!({"gateway": {"cookie": "sid"}}));
        let host = post(path, &[("x-api-key", "k")]);
        assert_eq!(on_request(&host, &mut edge, &mut Stream::default(), false), flow, "{path}");
    }
}

#[test]
fn a_policy_that_asks_for_the_body_while_the_gateway_is_asked_comes_too_late() {
    let identity = known(1, 1_700_000_060);
    let mut edge = edge_with(
        json!({"gateway": {"cookie": "sid"}, "allow_on_headers_stop_iteration": true}),
        bundle("{version: 1, public: [{path: {under: /}}]}", 6),
    );
    let (host, mut stream) = (post("/users", &[("x-api-key", "k")]), Stream::default());
    assert_eq!(on_request(&host, &mut edge, &mut stream, false), Flow::Wait);
    edge.tenants[0].policy = Some(Rc::new(Policy::open(bundle(POLICY, 7)).unwrap()));
    host.0.borrow_mut().answer = (headers(&[(":status", "200")]), identity.clone().into_bytes());
    assert_eq!(on_answer(&host, &mut edge, &mut stream, CallId(1), 1, identity.len()), Flow::Stop);
    assert_eq!(host.0.borrow().reply.as_ref().unwrap().status, 503);
}
