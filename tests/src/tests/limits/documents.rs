//! Limits of a document: at the bound it compiles and decides, one past it does not compile.

use portcullis_bundle::limits;
use portcullis_compiler::{Options, compile};
use portcullis_runtime::{NativePolicy, Reason, Request};
use serde_json::json;

fn compiled(text: &str) -> Result<NativePolicy, String> {
    let compiled = compile(text, &Options { revision: 1, ..Options::default() });
    let compiled = compiled.map_err(|diagnostics| diagnostics[0].message.clone())?;
    NativePolicy::open(compiled.bundle).map_err(|error| error.to_string())
}

fn with_rules(rules: &str) -> String {
    format!("version: 1\nrules: [{rules}]\n")
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = compiled(text).map(drop).unwrap_err();
    assert_eq!(error, expected);
}

#[test]
fn bytes_of_a_document() {
    let document = |bytes: usize| {
        let rule = with_rules("{effect: allow,who: {anyone: true},target: {}}");
        format!("{rule}#{}", "x".repeat(bytes - rule.len() - 1))
    };
    let policy = compiled(&document(limits::DOCUMENT_BYTES)).unwrap();
    let request = Request::from_json(r#"{"action": "GET", "path": "/"}"#).unwrap();
    assert_eq!(policy.decide(&request).rules, ["rules[0]"]);
    check_refused(&document(limits::DOCUMENT_BYTES + 1), "document is 67108865 bytes, the limit is 67108864");
}

#[test]
fn a_million_rules() {
    let rules = |count: usize| with_rules(&"{effect: deny,who: {anyone: true},target: {}},".repeat(count));
    let policy = compiled(&rules(limits::RULES)).unwrap();
    let decision = policy.decide(&Request::from_json(r#"{"action": "GET", "path": "/"}"#).unwrap());
    assert_eq!((decision.is_allow(), decision.reason, decision.rules.len()), (false, Reason::Rule, 1_000_000));
    assert_eq!(decision.rules.last().unwrap(), "rules[999999]");
    // They are counted before they are read.
    check_refused(&with_rules(&"x,".repeat(limits::RULES + 1)), "1000001 rules, the limit is 1000000");
}

#[test]
fn bytes_of_each_kind_of_pattern() {
    let rule =
        |path: String| with_rules(&format!("{{effect: allow,who: {{anyone: true}},target: {{path: {{{path}}}}}}}"));
    let route = |pattern: String| {
        format!("version: 1\nroutes: [{{host: '*', paths: [{{pattern: {pattern}, methods: {{GET: [read]}}}}]}}]\n")
    };
    let path = |bytes: usize| format!("/{}", "a".repeat(bytes - 1));
    let request = json!({"action": "GET", "path": path(limits::PATTERN_BYTES), "subject": {"id": "u1"}});
    let request = Request::from_json(&request.to_string()).unwrap();
    for kind in ["exact", "under", "prefix", "template", "regex", "route"] {
        let document = |bytes: usize| match kind {
            "route" => route(path(bytes)),
            kind => rule(format!("{kind}: {}", path(bytes))),
        };
        let expected = if kind == "route" { Reason::MissingPermission } else { Reason::Rule };
        let policy = compiled(&document(limits::PATTERN_BYTES)).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(policy.decide(&request).reason, expected, "{kind}");
        check_refused(&document(limits::PATTERN_BYTES + 1), "pattern is 1025 bytes, the limit is 1024");
    }
}

#[test]
fn combinations_of_a_resource_target() {
    let names = |letter: char, count: usize| (0..count).map(|at| format!("{letter}{at}")).collect::<Vec<_>>().join(",");
    let target = |types: usize, actions: usize, ids: usize| {
        let (types, actions, ids) = (names('t', types), names('a', actions), names('i', ids));
        with_rules(&format!(
            "{{effect: allow,who: {{anyone: true}},resource: {{types: [{types}],actions: [{actions}],ids: [{ids}]}}}}"
        ))
    };
    let actions = limits::RESOURCE_COMBINATIONS / 16 / 16;
    let policy = compiled(&target(16, actions, 16)).unwrap();
    let decide = |action: usize| {
        let request = json!({"action": format!("a{action}"), "resource": {"type": "t15", "id": "i15"}});
        policy.decide(&Request::from_json(&request.to_string()).unwrap()).reason
    };
    assert_eq!((decide(actions - 1), decide(actions)), (Reason::Rule, Reason::Unauthenticated));
    // One name more takes the product far past the bound, but where it stands alone.
    check_refused(&target(16, actions + 1, 16), "65792 combinations of action, type and id, the limit is 65536");
    let one_past = target(1, limits::RESOURCE_COMBINATIONS + 1, 0);
    check_refused(&one_past, "65537 combinations of action, type and id, the limit is 65536");
}

#[test]
fn the_highest_level() {
    let document = |level: u32| {
        with_rules(&format!("{{effect: allow,who: {{authenticated: true}},target: {{}},min_level: {level}}}"))
    };
    let policy = compiled(&document(65_535)).unwrap();
    let decide = |level: u32| {
        let request = json!({"action": "GET", "path": "/", "subject": {"id": "u1", "level": level}});
        policy.decide(&Request::from_json(&request.to_string()).unwrap()).reason
    };
    assert_eq!((decide(65_535), decide(65_534)), (Reason::Rule, Reason::LevelTooLow));
    check_refused(&document(65_536), "expected a level from 0 to 65535, found `65536`");
}
