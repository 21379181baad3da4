//! What a document must not say, and where the compiler says so.

use portcullis_bundle::{Policy, limits};

use crate::{Options, compile};

/// The diagnostics of `text`, one a line; `ok` when there are none.
fn diagnose(text: &str) -> String {
    let diagnostics = match compile(text, &Options::default()) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => diagnostics,
    };
    if diagnostics.is_empty() {
        return "ok".to_owned();
    }
    diagnostics.iter().map(|one| one.to_string()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(diagnose(text), expected, "for\n{text}");
}

/// A document with one allow rule whose target is `target`.
fn with_target(target: &str) -> String {
    format!("{{version: 1, rules: [{{effect: allow, who: {{anyone: true}},\ntarget: {target}}}]}}")
}

#[track_caller]
fn check_target(target: &str, expected: &str) {
    check(&with_target(target), expected);
}

#[test]
fn accepts_yaml_and_json() {
    check("version: 1\nrules:\n  - effect: allow\n    who: {anyone: true}\n    target: {}\n", "ok");
    check(
        "{\"version\": 1,\n\t\"rules\": [{\"effect\": \"allow\", \"who\": {\"anyone\": true}, \"target\": {}}]}",
        "ok",
    );
    check(r#"{"version": 1, "roles": {"\u0061\/b \ud83d\ude00": {}}}"#, "ok");
    check(
        r#"{"version": 1, "roles": {"\\ud83d\ude00": {}}}"#,
        "1:26: error: while parsing a quoted scalar, found invalid Unicode character escape code",
    );
    check("version: 1\nroles:\nrules: ~\npublic: []\nstatuses: {}\n", "ok");
}

#[test]
fn reports_all_errors_at_once_with_their_places() {
    check(
        "version: 2\nrule: []\nroles:\n  a: {inherit: [b]}\nrules:\n  - effect: permit\n    who: {}\n    target: {path: {under: a}}\n",
        "1:10: error: `version` must be 1\n\
         2:1: error: `rule` is not a key of a policy document; did you mean `rules`?\n\
         4:7: error: `inherit` is not a key of a role; did you mean `inherits`?\n\
         6:13: error: `permit` is not an effect; it is one of `allow`, `deny`, `audit`\n\
         7:10: error: `who` selects nobody; it is any of roles, permissions, permission_groups, subjects, authenticated, anyone\n\
         8:28: error: path `a` does not start with `/`",
    );
}

#[test]
fn places_errors_inside_conditions() {
    let with_when = |when: &str| {
        format!(
            "version: 1\nrules:\n  - effect: allow\n    who: {{anyone: true}}\n    target: {{}}\n    when: {when}\n"
        )
    };
    check(&with_when("subject.level > 2"), "ok");
    check(&with_when("true"), "ok");
    check(&with_when("subject.levle > 2"), "6:19: error: `subject` has no field `levle`; did you mean `level`?");
    check(
        &with_when("true && 'é' == 'é' && subject.levle > 2"),
        "6:41: error: `subject` has no field `levle`; did you mean `level`?",
    );
    check(&with_when("\"'é' == 'é' && foo > 2\""), "6:26: error: `foo` is not known");
    check(
        &with_when("\"'\\u00e9' == 'é' && foo > 2\""),
        "6:11: error: `foo` is not known (line 1, column 15 of the text that starts here)",
    );
    check(
        &with_when("|\n      true &&\n        foo > 2"),
        "7:7: error: `foo` is not known (line 2, column 3 of the text that starts here)",
    );
    check(&with_when("''"), "6:11: error: expected a condition, found ``");
    check(&with_when("[true]"), "6:11: error: expected a condition, found a list");
    check(&with_when("1 + 1"), "6:13: error: a condition is a bool, found int");
    check(&with_when("has(subject)"), "6:11: error: `has` takes a field, as in `has(context.key)`");
}

#[test]
fn accepts_the_examples_of_the_manual() {
    let manual = include_str!("../../../docs/CONDITIONS.md");
    let example = manual.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let warning = "4:19: warning: role `auditor` is not declared";
    check(&format!("version: 1\n{example}"), warning);
}

#[test]
fn equal_conditions_share_a_program() {
    let rule = |when: &str| format!("  - {{effect: allow, who: {{anyone: true}}, target: {{}}, when: {when}}}\n");
    let rules = [rule("subject.otp"), rule("true"), rule("'subject.otp'"), rule("null")].concat();
    let bundle = compile(&format!("version: 1\nrules:\n{rules}"), &Options::default()).unwrap().bundle;
    let policy = Policy::open(bundle).unwrap();
    let conditions: Vec<u32> = policy
        .rules()
        .iter()
        .map(|rule| {
            let guard = policy.guard(rule.guard.get()).unwrap();
            policy.records().terms(guard).unwrap().when.get()
        })
        .collect();
    assert_eq!(conditions, [1, 2, 1, 0]);
}

#[test]
fn refuses_what_is_not_one_plain_document() {
    check("", "1:1: error: document is empty");
    check("a: [", "1:5: error: while parsing a node, did not find expected node content");
    check("a:\r\n- \u{e9}: [", "2:7: error: while parsing a node, did not find expected node content");
    check("a: [\n", "2:1: error: while parsing a node, did not find expected node content");
    check("version: 1\nversion: 1\n", "2:1: error: key `version` is here for the second time");
    check("version: 1\n---\nversion: 1\n", "2:1: error: a second document starts here, one is expected");
    check("version: 1\nroles: &a {}\npermission_groups: *a\n", "3:20: error: aliases are not supported");
    check("version: !!int 1\n", "1:10: error: tags are not supported");
    check("- 1\n", "1:1: error: expected a policy document as a mapping, found a list");
    check("{[a]: 1}", "1:2: error: a key must be a text");
    let deep = format!("version: {}", "[".repeat(40));
    check(&deep, "1:41: error: nested deeper than the limit of 32");
    assert!(diagnose("\u{0}").contains("error"));
}

#[test]
fn refuses_values_of_the_wrong_kind() {
    check("version: 1\nrules: 7\n", "2:8: error: expected a list of rules, found `7`");
    check("version: 1\nroles: [a]\n", "2:8: error: expected roles by name, found a list");
    check(
        "version: 1\nroles: {a: {inherits: [1]}}\n",
        "2:24: error: expected role names as a text, `1` is not one without quotes",
    );
    check("version: 1\nroles: {a: {permissions: ['']}}\n", "2:27: error: expected permission names, found ``");
    check(
        "version: 1\nsubject: {api_key_requires_otp: 'true', states: []}\n",
        "2:33: error: expected `true` or `false`, found `true`\n\
         2:49: error: `states` is empty: every subject would be refused; leave it out for the default",
    );
    check(
        "version: 1\nstatuses: {no_match: 200, nomatch: 404, public: 404, rule: x}\n",
        "2:22: error: expected an HTTP status from 400 to 599, found `200`\n\
         2:27: error: `nomatch` is not a reason; did you mean `no_match`?\n\
         2:41: error: a policy cannot change the status of `public`\n\
         2:60: error: expected an HTTP status from 400 to 599, found `x`",
    );
}

#[test]
fn refuses_incomplete_and_doubtful_rules() {
    check(
        "version: 1\nrules:\n  - id: a\n",
        "3:5: error: rule has no `effect`\n3:5: error: rule has no `who`\n3:5: error: rule has no `target` and no `resource`",
    );
    check(
        "version: 1\nrules:\n  - {id: a, effect: deny, who: {anyone: false}, target: {}, topic: t}\n  - {id: a, effect: audit, who: {anyone: true}, target: {}, topic: t}\n",
        "3:41: error: `anyone` can only be true; leave it out otherwise\n\
         3:68: error: only an audit rule has a `topic`\n\
         4:10: error: id `a` is here for the second time",
    );
    check(
        "version: 1\nrules:\n  - {id: 'rules[1]', effect: deny, who: {anyone: true}, target: {}}\n  - {effect: deny, who: {anyone: true}, target: {}}\n",
        "4:5: error: id `rules[1]` is here for the second time",
    );
}

#[test]
fn warns_of_names_that_nobody_declared() {
    check(
        "version: 1\nroles: {admin: {permissions: [p]}}\nrules:\n  - {effect: deny, who: {roles: [admn], permissions: [q], permission_groups: [g]}, target: {}}\n",
        "4:34: warning: role `admn` is not declared; did you mean `admin`?\n\
         4:55: warning: permission `q` is given by no role and no group\n\
         4:79: warning: permission group `g` is not declared",
    );
    check("rules: []\n", "1:1: warning: `version` is missing, 1 is assumed");
}

#[test]
fn refuses_roles_that_inherit_in_circles() {
    check(
        "version: 1\nroles:\n  a: {inherits: [b]}\n  b: {inherits: [c]}\n  c: {inherits: [b]}\n",
        "4:3: error: roles inherit in a cycle: b -> c -> b",
    );
    check("version: 1\nroles: {a: {inherits: [a]}}\n", "2:9: error: roles inherit in a cycle: a -> a");
    check(
        "version: 1\nroles: {admin: {inherits: [clrk]}, clerk: {}}\n",
        "2:28: error: role `clrk` is not declared; did you mean `clerk`?",
    );
}

#[test]
fn refuses_patterns_that_would_never_match() {
    check_target(
        "{path: {exact: /a//b}}",
        "2:24: error: path `/a//b` is not canonical and would never match; write `/a/b`",
    );
    check_target(
        "{path: {under: /a/}}",
        "2:24: error: `under: /a/` would match nothing below it; write `under: /a` or `prefix: /a/`",
    );
    check_target(
        "{path: {prefix: '/%7eu'}}",
        "2:25: error: path `/%7eu` is not canonical and would never match; write `/x~ux`",
    );
    check_target("{path: {exact: '/a?b'}}", "2:24: error: path `/a?b` has a `?`: a query is not part of the path");
    check_target("{path: {exact: '/a;b'}}", "2:24: error: path `/a;b` would never match: it has a `;`");
    check_target(
        "{path: {prefix: '/a%'}}",
        "2:25: error: path `/a%` would never match: `%` needs two hexadecimal digits",
    );
    check_target(
        "{path: {template: '/a/{b'}}",
        "2:27: error: segment `{b` of a template is neither a text nor `{name}` nor `{name*}`",
    );
    check_target(
        "{path: {template: '/a/x{b}'}}",
        "2:27: error: segment `x{b}` of a template is neither a text nor `{name}` nor `{name*}`",
    );
    check_target("{path: {template: '/{a*}/b'}}", "2:27: error: `{a*}` may only be the last segment of a template");
    check_target(
        "{path: {exact: /a, under: /a}}",
        "2:28: error: a path pattern is exactly one of `exact`, `under`, `prefix`, `template`, `regex`",
    );
    check_target("{path: {}}", "2:16: error: a path pattern is one of `exact`, `under`, `prefix`, `template`, `regex`");
    check_target(
        "{hosts: ['a.test:80', 'A.test.', '*.b.test', 'u@a']}",
        "2:18: error: host `a.test:80` would never match: port and trailing dot do not count; write `a.test`\n2:31: error: host `A.test.` would never match: port and trailing dot do not count; write `a.test`\n2:54: error: `u@a` is not a host, `*.` and a host, or `*`",
    );
    check_target("{methods: [GET, 'G T', get]}", "2:25: error: `G T` is not an HTTP method");
    for path in ["/", "/.well-known/x", "/a/", "/%2A", "/a:b@c"] {
        check_target(&format!("{{path: {{exact: '{path}'}}}}"), "ok");
    }
    for path in ["/", "/a", "/a/", "/.", "/a/.wel", "/%2A"] {
        check_target(&format!("{{path: {{prefix: '{path}'}}}}"), "ok");
    }
}

#[test]
fn refuses_restrictions_that_make_no_sense() {
    check(
        "version: 1\nrestrictions:\n  - {category: greylist, scope: ip, value: 10.0.0.300}\n  - {category: blacklist, scope: ip_subnet, value: 10.0.0.0/33}\n  - {scope: ip_subnet, value: 10.0.0.0/+8, code: 200, state: on}\n  - {category: blacklist, scope: ip}\n",
        "3:16: error: `greylist` is not a category; it is one of `whitelist`, `allowlist`, `maintenance`, `blacklist`, `denylist`, `blocklogin`\n\
         3:44: error: `10.0.0.300` is not an IP address\n\
         4:52: error: `10.0.0.0/33` is not a network: an IP address, `/` and a prefix length\n\
         5:5: error: restriction has no `category`\n\
         5:31: error: `10.0.0.0/+8` is not a network: an IP address, `/` and a prefix length\n\
         5:50: error: expected an HTTP status from 400 to 599, found `200`\n\
         5:62: error: `on` is not a state of a restriction; it is one of `enabled`, `disabled`\n\
         6:5: error: restriction has no `value`",
    );
}

#[test]
fn limits_hold_at_the_bound_and_not_past_it() {
    let path = |bytes: usize| with_target(&format!("{{path: {{exact: /{}}}}}", "a".repeat(bytes - 1)));
    check(&path(limits::PATTERN_BYTES), "ok");
    check(&path(limits::PATTERN_BYTES + 1), "2:24: error: pattern is 1025 bytes, the limit is 1024");

    let methods = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("M{at}")).collect();
        with_target(&format!("{{methods: [{}]}}", names.join(", ")))
    };
    let custom = limits::METHODS - portcullis_bundle::COMMON_METHODS as usize;
    check(&methods(custom), "ok");
    check(&methods(custom + 1), "1:1: error: 64 different HTTP methods, the limit is 63");

    let chain = |levels: usize| {
        let roles: Vec<String> = (1..=levels).map(|at| format!("r{at:03}: {{inherits: [r{:03}]}}", at - 1)).collect();
        format!("version: 1\nroles:\n  r000: {{}}\n  {}\n", roles.join("\n  "))
    };
    check(&chain(limits::INHERITANCE), "ok");
    check(&chain(limits::INHERITANCE + 1), "68:3: error: role inherits through more than 64 levels, the limit");

    let roles = |count: usize| {
        let roles: Vec<String> = (0..count).map(|at| format!("r{at}: {{}}")).collect();
        format!("version: 1\nroles: {{{}}}\n", roles.join(", "))
    };
    check(&roles(limits::ROLES), "ok");
    check(&roles(limits::ROLES + 1), "2:8: error: 65537 roles, the limit is 65536");

    let long = format!("version: 1\n# {}\n", "x".repeat(limits::DOCUMENT_BYTES));
    check(&long, "1:1: error: document is 67108878 bytes, the limit is 67108864");
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    let text = "version: 1\nroles: {a: {}, b: {inherits: [a]}}\nrules: [{effect: allow, who: {roles: [a]}, target: {hosts: [x, y], methods: [GET]}}]\n";
    let options =
        || Options { revision: 4, created: 1_700_000_000, expires: Some(1_800_000_000), ..Options::default() };
    let first = compile(text, &options()).unwrap().bundle;
    assert_eq!(first, compile(text, &options()).unwrap().bundle);
    let policy = Policy::open(first).unwrap();
    let header = (policy.tenant(), policy.revision(), policy.created(), policy.expires(), policy.signer());
    assert_eq!(header, ("default", 4, 1_700_000_000, Some(1_800_000_000), None));
}

#[test]
fn says_a_mistake_wherever_it_is_made() {
    let rule = "  - {effect: allow, who: {roles: [clerk]}, target: {hosts: [a/b], methods: [G T]}}\n";
    check(
        &format!("version: 1\nrules:\n{rule}{rule}"),
        "3:35: warning: role `clerk` is not declared\n\
         3:61: error: `a/b` is not a host, `*.` and a host, or `*`\n\
         3:77: error: `G T` is not an HTTP method\n\
         4:35: warning: role `clerk` is not declared\n\
         4:61: error: `a/b` is not a host, `*.` and a host, or `*`\n\
         4:77: error: `G T` is not an HTTP method",
    );
}

#[test]
fn equal_lists_are_written_once_however_they_are_spelled() {
    let document = "version: 1
roles: {a: {}, b: {}}
rules:
  - {effect: allow, who: {roles: [a, b]}, target: {hosts: [x.test], path: {exact: /1}}}
  - {effect: allow, who: {roles: [b, a]}, target: {hosts: ['X.test'], path: {exact: /2}}}
  - {effect: allow, who: {roles: [a, b]}, target: {hosts: [x.test], path: {exact: /3}}}
  - {effect: allow, who: {roles: [a]}, target: {hosts: [y.test], path: {exact: /4}}}
";
    let policy = Policy::open(compile(document, &Options::default()).unwrap().bundle).unwrap();
    let records = policy.records();
    assert_eq!((records.who.len(), records.host_lists.len(), records.guards.len()), (2, 2, 2));
}
