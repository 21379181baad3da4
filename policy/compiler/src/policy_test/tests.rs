//! What a document's `tests` may say, and what running them says back.

use super::{Report, test};

const POLICY: &str = "\
version: 1
roles: {clerk: {}, boss: {}}
public: [{path: {exact: /}}]
restrictions: [{id: closed, category: blacklist, scope: ip, value: 10.0.0.1}]
rules:
  - {id: read, effect: allow, who: {roles: [clerk]}, target: {methods: [GET], path: {under: /a}}}
  - {id: seen, effect: audit, who: {anyone: true}, target: {path: {under: /a}}, topic: t}
  - {id: no, effect: deny, who: {roles: [boss]}, target: {}}
  - {id: never, effect: allow, who: {roles: [boss]}, target: {path: {exact: /b}}}
tests:
";

fn run(tests: &str) -> Report {
    let text = format!("{POLICY}{tests}");
    test(&text).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The failures of one test, one a line; `passed` when there are none.
#[track_caller]
fn check(request: &str, expect: &str, expected: &str) {
    let report = run(&format!("  - {{name: t, request: {request}, expect: {expect}}}\n"));
    let Some(failure) = &report.results[0].failure else {
        assert_eq!("passed", expected);
        return;
    };
    let lines = failure.differences.iter().map(|one| format!("{}: {} is not {}", one.key, one.found, one.expected));
    assert_eq!(lines.collect::<Vec<_>>().join("\n"), expected);
}

const CLERK: &str = "{action: GET, path: /a/1, subject: {id: u1, roles: [clerk]}}";

#[test]
fn only_what_is_expected_is_compared() {
    check(CLERK, "{decision: allow}", "passed");
    check(
        CLERK,
        "{decision: allow, reason: rule, status: 200, rules: [read], restriction: ~, obligations: [{audit: t}], errors: []}",
        "passed",
    );
    check(
        CLERK,
        "{decision: deny, reason: no_match, status: 403, rules: [], restriction: closed, obligations: [denied], errors: [x]}",
        "decision: \"allow\" is not \"deny\"\n\
         reason: \"rule\" is not \"no_match\"\n\
         status: 200 is not 403\n\
         rules: [\"read\"] is not []\n\
         restriction: null is not \"closed\"\n\
         obligations: [{\"audit\":\"t\"}] is not [\"denied\"]\n\
         errors: [] is not [\"x\"]",
    );
    check("{action: GET, path: /, source_ip: 10.0.0.1}", "{decision: deny, restriction: closed}", "passed");
    check(
        "{action: GET, path: /, source_ip: 10.0.0.1}",
        "{decision: deny, restriction: ~}",
        "restriction: \"closed\" is not null",
    );
    check("{action: GET, path: /%}", "{decision: deny, reason: malformed_request, obligations: []}", "passed");
    let many = format!("{{action: GET, path: /, subject: {{id: u, roles: [{}]}}}}", ["r"; 257].join(", "));
    check(&many, "{decision: deny, reason: malformed_request}", "passed");
}

#[test]
fn a_request_may_have_every_fact() {
    let request = "{action: GET, host: a.test, path: '/?q=1', source_ip: '::1', country: UA, continent: EU,
        credential: api_key, context: {a: [1, -2.5e3, x, true, ~, {b: \"\\t\\\"\"}]}, now: 1700000000,
        subject: {id: u, type: user, state: active, roles: [r], permission_groups: [g], level: 3, otp: true,
                  issued_at: 1700000000, properties: {}}}";
    check(request, "{decision: allow, reason: public}", "passed");
    check("{action: read, resource: {type: t, id: i, properties: {a: 1}}}", "{decision: deny}", "passed");
}

#[test]
fn a_failure_comes_with_its_place_and_explanation() {
    let report = run(
        "  - name: one\n    request: {action: PUT, path: /a, subject: {id: u, roles: [clerk]}}\n    expect: {decision: allow}\n",
    );
    let result = &report.results[0];
    assert_eq!((result.name.as_str(), result.line, result.column), ("one", 11, 5));
    let expected = "\
deny, 403, no_match
obligation: audit that it was denied
  normalization     passed
  restrictions      passed
  blocked           passed
  public            passed
  subject state     passed
  api key otp       passed
  revocation        passed
  deny rules        passed
  allow rules       passed
  route             passed
  authentication    passed
  route permission  passed
  level             passed
  fallback          decided
rules that came close, and what did not match:
  read: method";
    let explained = &result.failure.as_ref().unwrap().explained;
    assert_eq!(explained.to_string(), expected);
    let json = explained.json();
    let decision = r#"{"decision":"deny","status":403,"reason":"no_match","rules":[],"restriction":null,"obligations":["denied"],"errors":[],"revision":1,"#;
    assert!(json.starts_with(decision), "{json}");
    assert!(json.contains(r#""explanation":{"stages":[{"stage":"normalization","outcome":"passed"},"#), "{json}");
    assert!(json.ends_with(r#""nearest":[{"rule":"read","failed":["method"]}]}}"#), "{json}");
}

#[test]
fn coverage_counts_the_tests_that_exercised_each_rule() {
    let report = run(&format!(
        "  - {{name: a, request: {CLERK}, expect: {{decision: allow}}}}\n  - {{name: b, request: {CLERK}, expect: {{decision: deny}}}}\n  - {{name: c, request: {{action: GET, path: /b, subject: {{id: u, roles: [boss]}}}}, expect: {{decision: deny}}}}\n"
    ));
    let counts: Vec<_> =
        report.coverage.iter().map(|one| (one.rule.as_str(), one.effect, one.line, one.tests)).collect();
    assert_eq!(
        counts,
        [("read", "allow", 6, 2), ("seen", "audit", 7, 2), ("no", "deny", 8, 1), ("never", "allow", 9, 0)]
    );
    assert_eq!(report.unexercised().map(|one| one.rule.as_str()).collect::<Vec<_>>(), ["never"]);
    assert_eq!(report.failed(), 1);
}

#[test]
fn what_is_no_test_is_a_diagnostic() {
    let tests = "  - {name: a, request: {action: GET, path: /}, expect: {decision: allow}}
  - {name: a, request: {action: GET, path: /}, expect: {decision: perhaps, reason: nomatch, status: 99}}
  - {nam: b, request: {path: /, resource: {type: t}, colour: red}, expect: {}}
  - {name: c, request: {action: GET, host: a, resource: {id: x}, country: UKR, credential: magic}, expect: {decision: allow, obligations: [allowed, {}]}}
  - {name: d, request: {action: GET, path: /, source_ip: 10.0.0.010, now: -1, context: [], subject: {level: 4294967296}}, expect: {decision: allow}}
  - {name: e, request: {action: GET, path: /, context: {a: 0x1F}}, expect: {decision: allow}}
";
    let errors = test(&format!("{POLICY}{tests}")).unwrap_err();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected = [
        "12:12: error: test `a` is here for the second time",
        "12:67: error: `perhaps` is not a decision; it is one of `allow`, `deny`",
        "12:84: error: `nomatch` is not a reason; did you mean `no_match`?",
        "12:101: error: expected an HTTP status, found `99`",
        "13:5: error: test has no `name`",
        "13:6: error: `nam` is not a key of a test; did you mean `name`?",
        "13:23: error: request has no `action`",
        "13:23: error: request has one of `path` and `resource`",
        "13:54: error: `colour` is not a key of a request; the keys are `action`, `host`, `path`, `resource`, `source_ip`, `country`, `continent`, `subject`, `credential`, `context`, `now`",
        "13:76: error: `expect` has no `decision`",
        "14:44: error: only a request with a `path` has a `host`",
        "14:57: error: resource has no `type`",
        "14:75: error: `country` is two letters, not `UKR`",
        "14:92: error: `magic` is not a credential; it is one of `none`, `token`, `session`, `api_key`",
        "14:140: error: `allowed` is not an obligation; it is one of `denied`",
        "14:149: error: an obligation is `denied` or `{audit: topic}`",
        "15:58: error: `10.0.0.010` is not an IP address",
        "15:75: error: expected `now` as a whole number, found `-1`",
        "15:88: error: expected `context` as a mapping, found a list",
        "15:101: error: subject has no `id`",
        "15:109: error: 4294967296 is not a level",
        "16:56: error: `0x1F` is not a number in JSON",
    ];
    assert_eq!(lines, expected);
}
