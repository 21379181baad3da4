//! What lints find, and what they leave alone.

mod soundness;

use std::fmt::Write as _;

use super::lint;

/// The findings for `text`: line, name and message, one a line.
fn found(text: &str) -> String {
    let findings = lint(text).unwrap_or_else(|errors| panic!("{errors:?}"));
    let lines = findings.iter().map(|one| format!("{} {}: {}\n", one.line, one.name.unwrap_or("-"), one.message));
    lines.collect()
}

/// A document with these rules, each on a line of its own from line 4 on: id, effect, who, target.
fn with_rules(rules: &[&str]) -> String {
    let mut text = "version: 1\nroles: {a: {}, b: {}, c: {inherits: [a]}}\nrules:\n".to_owned();
    for rule in rules {
        let fields: Vec<&str> = rule.splitn(4, ' ').collect();
        let [id, effect, who, target] = fields[..] else { panic!("{rule}") };
        let who = match who {
            "anyone" | "authenticated" => format!("{{{who}: true}}"),
            roles => format!("{{roles: [{roles}]}}"),
        };
        writeln!(text, "  - {{id: {id}, effect: {effect}, who: {who}, {target}}}").unwrap();
    }
    text
}

#[track_caller]
fn check(rules: &[&str], expected: &str) {
    assert_eq!(found(&with_rules(rules)), expected);
}

#[test]
fn rules_that_differ_are_left_alone() {
    check(
        &[
            "r1 allow a target: {path: {under: /x}}",
            "r2 allow b target: {path: {under: /x}}",
            "r3 allow a target: {path: {under: /y}}",
            "r4 deny b target: {methods: [PUT], path: {under: /x}}",
            "r5 audit a target: {path: {under: /x}}",
            "r6 audit a target: {path: {under: /x}}, topic: t",
            "r7 allow c target: {hosts: [h.test], path: {under: /z}}",
            "r8 allow c target: {path: {exact: /z}}",
            "r9 deny c target: {path: {under: /x/private}}",
            "r10 allow b resource: {types: [t], actions: [read]}",
            "r11 allow b resource: {types: [t], actions: [write]}",
        ],
        "",
    );
}

#[test]
fn duplicates_are_found_however_they_are_written() {
    check(
        &[
            "r1 allow a target: {hosts: [x.test, y.test], methods: [GET], path: {template: '/u/{id}'}}",
            "r2 allow c,a target: {hosts: [Y.test, x.test], methods: [get], path: {template: '/u/{name}'}}",
            "r3 deny b target: {path: {under: /}}",
            "r4 deny b target: {path: {prefix: /}}",
            "r5 deny b target: {}",
            "r6 allow a resource: {types: [t, '*'], actions: [read]}",
            "r7 allow a resource: {types: ['*'], actions: [read]}",
            "r8 allow a target: {path: {exact: /w}}, when: subject.otp",
            "r9 allow a target: {path: {exact: /w}}, when: subject.otp",
            "r10 allow a target: {path: {exact: /w}}, when: '!subject.otp'",
        ],
        "5 duplicate-rule: rule `r2` says the same as rule `r1` of line 4\n\
         7 duplicate-rule: rule `r4` says the same as rule `r3` of line 6\n\
         8 duplicate-rule: rule `r5` says the same as rule `r3` of line 6\n\
         10 duplicate-rule: rule `r7` says the same as rule `r6` of line 9\n\
         12 duplicate-rule: rule `r9` says the same as rule `r8` of line 11\n",
    );
}

/// Whether an allow rule on `outer` covers one on `inner`.
#[track_caller]
fn covers(outer: &str, inner: &str, expected: bool) {
    let rules = [format!("outer allow a {outer}"), format!("inner allow a {inner}")];
    let text = with_rules(&[&rules[0], &rules[1]]);
    let text = found(&text);
    let message = "shadowed-rule: rule `inner` changes nothing: rule `outer` of line 4 covers it";
    assert_eq!(text.contains(message), expected, "{outer} / {inner}: {text}");
}

#[test]
fn a_rule_is_shadowed_by_a_wider_one() {
    for (outer, inner) in [
        ("{}", "{path: {exact: /x}}"),
        ("{}", "{path: {regex: x}}"),
        ("{path: {under: /x}}", "{path: {exact: /x}}"),
        ("{path: {under: /x}}", "{path: {exact: /x/}}"),
        ("{path: {under: /x}}", "{path: {prefix: /x/}}"),
        ("{path: {under: /x}}", "{path: {template: '/x/{a}/{b*}'}}"),
        ("{path: {prefix: /x}}", "{path: {under: /xy}}"),
        ("{path: {prefix: /x/}}", "{path: {template: '/x/{a*}'}}"),
        ("{path: {prefix: /x/y}}", "{path: {prefix: /x/yz}}"),
        ("{path: {prefix: /x/}}", "{path: {template: '/x/{a}'}}"),
        ("{path: {template: '/{a}/y'}}", "{path: {exact: /x/y}}"),
        ("{path: {template: '/{a}/{b}'}}", "{path: {template: '/x/{b}'}}"),
        ("{path: {template: '/{a*}'}}", "{path: {under: /x}}"),
        ("{path: {template: '/{a*}'}}", "{path: {prefix: /x}}"),
        ("{path: {template: '/x/{a*}'}}", "{path: {exact: /x/y/}}"),
        ("{hosts: ['*.test']}", "{hosts: [a.test, '*.b.test']}"),
        ("{methods: [GET, PUT]}", "{methods: [PUT]}"),
    ] {
        covers(&format!("target: {outer}"), &format!("target: {inner}"), true);
        covers(&format!("target: {inner}"), &format!("target: {outer}"), false);
    }
    for (outer, inner) in [
        ("{path: {template: '/x/{a}'}}", "{path: {exact: /x/}}"),
        ("{path: {template: '/x/{a*}'}}", "{path: {exact: /x/}}"),
        ("{path: {template: '/x/{a*}'}}", "{path: {under: /x}}"),
        ("{path: {template: '/x/{a*}'}}", "{path: {prefix: /x/}}"),
        ("{path: {under: /x}}", "{path: {prefix: /x}}"),
        ("{path: {prefix: /xy}}", "{path: {under: /x}}"),
        ("{path: {regex: '^/x'}}", "{path: {exact: /x}}"),
        ("{hosts: [a.test]}", "{}"),
        ("{hosts: ['*.test']}", "{hosts: [test]}"),
        ("{methods: [GET]}", "{}"),
    ] {
        covers(&format!("target: {outer}"), &format!("target: {inner}"), false);
    }
    let resource = |ids: &str| format!("resource: {{types: [t], actions: [read]{ids}}}");
    covers(&resource(""), &resource(", ids: ['a*']"), true);
    covers(&resource(", ids: ['a*']"), &resource(", ids: ['ab*', a]"), true);
    covers(&resource(", ids: ['a*']"), &resource(""), false);
    covers("resource: {types: ['*'], actions: [read, write]}", &resource(""), true);
    let when = |target: &str, when: &str| format!("target: {target}, when: '{when}'");
    covers("target: {}", &when("{}", "subject.otp"), true);
    covers(&when("{}", "subject.otp"), &when("{path: {exact: /x}}", "subject.otp"), true);
    covers(&when("{}", "subject.otp"), &when("{path: {exact: /x}}", "subject.level > 1"), false);
    covers(&when("{}", "subject.otp"), "target: {path: {exact: /x}}", false);
    covers("target: {}", "target: {}, min_level: 0", false);
    covers("target: {}", "target: {path: {exact: /x}}, min_level: 1", true);
    covers("target: {}, min_level: 1", "target: {path: {exact: /x}}", false);
}

#[test]
fn whom_a_rule_is_for_counts() {
    check(
        &[
            "r1 allow anyone target: {path: {exact: /x}}",
            "r2 allow authenticated target: {path: {exact: /x}}",
            "r3 allow authenticated target: {path: {exact: /y}}",
            "r4 allow a target: {path: {exact: /y}}",
            "r5 allow a target: {path: {exact: /z}}",
            "r6 allow c target: {path: {exact: /z}}",
        ],
        "5 shadowed-rule: rule `r2` changes nothing: rule `r1` of line 4 covers it\n\
         7 shadowed-rule: rule `r4` changes nothing: rule `r3` of line 6 covers it\n\
         9 shadowed-rule: rule `r6` changes nothing: rule `r5` of line 8 covers it\n",
    );
}

#[test]
fn what_an_earlier_stage_decides_is_unreachable() {
    let text = with_rules(&[
        "r1 allow a target: {path: {under: /x}}",
        "r2 deny anyone target: {path: {under: /x}}",
        "r3 audit b target: {path: {exact: /x/y}}",
        "r4 deny a target: {path: {exact: /p}}",
        "r5 audit a target: {path: {exact: /p}}",
        "r6 allow a target: {path: {exact: /q}}",
    ]);
    let text = format!(
        "{text}public: [{{path: {{under: /p}}}},\n {{path: {{exact: /q/1}}}}, {{path: {{exact: /p}}}}]\nblocked: [{{path: {{under: /q}}}}]\n"
    );
    assert_eq!(
        found(&text),
        "4 unreachable-rule: rule `r1` never applies: rule `r2` of line 5 covers it\n\
         7 unreachable-rule: rule `r4` never applies: the `public` target of line 10 covers it\n\
         9 unreachable-rule: rule `r6` never applies: the `blocked` target of line 12 covers it\n\
         11 public-in-blocked: target is never public: the `blocked` target of line 12 covers it\n\
         11 shadowed-target: target changes nothing: the `public` target of line 10 covers it\n"
    );
}

#[test]
fn rules_that_contradict_each_other_are_found_and_exceptions_are_not() {
    check(
        &[
            "r1 allow a,b target: {path: {under: /x}}",
            "r2 deny b,d target: {path: {under: /x}}",
            "r3 allow a,b target: {path: {under: /y}}",
            "r4 deny b target: {path: {under: /y}}",
            "r5 allow authenticated target: {path: {under: /z}}",
            "r6 deny b target: {path: {under: /z}}",
        ],
        "5 conflicting-rules: rule `r2` contradicts rule `r1` of line 4 for `b`\n\
         5 undeclared-role: role `d` is not declared\n",
    );
}

#[test]
fn prefixes_that_cut_a_segment_are_found() {
    let text = with_rules(&[
        "r1 allow a target: {path: {prefix: /x}}",
        "r2 allow a target: {path: {prefix: /y/}}",
        "r3 allow a target: {path: {prefix: /z-}}",
    ]);
    let text = format!("{text}login: [{{path: {{prefix: /login}}}}]\n");
    assert_eq!(
        found(&text),
        "4 prefix-cuts-segment: `prefix: /x` also matches `/xx`: it ends inside a segment\n\
         7 prefix-cuts-segment: `prefix: /login` also matches `/loginx`: it ends inside a segment\n"
    );
}

#[test]
fn names_that_lead_nowhere_are_found() {
    let text = "\
version: 1
roles: {a: {permissions: [p, q, r]}}
permission_groups: {g: {permissions: [q, s]}}
rules: [{effect: allow, who: {permissions: [p, z], roles: [x], permission_groups: [h]}, target: {}}]
routes: [{host: '*', paths: [{pattern: x, methods: {GET: [r]}}]}]
";
    assert_eq!(
        found(text),
        "2 unused-permission: permission `q` is given, but no rule and no route asks for it\n\
         3 unused-permission: permission `s` is given, but no rule and no route asks for it\n\
         4 ungranted-permission: permission `z` is given by no role and no group\n\
         4 undeclared-role: role `x` is not declared\n\
         4 undeclared-group: permission group `h` is not declared\n"
    );
}

#[test]
fn levels_that_nobody_reaches_are_found() {
    let rule = "r1 allow a target: {path: {exact: /x}}, min_level: 2";
    check(&[rule], "4 unreachable-level: rule `r1` never applies: it asks for level 2, the document has 0\n");
    let levels = "levels: [{key: email, value: verified}, {key: phone, value: verified}]\n";
    assert_eq!(found(&(with_rules(&[rule]) + levels)), "");
}

#[test]
fn restrictions_that_never_decide_are_found() {
    let entry = |id: &str, category: &str, scope: &str, value: &str| {
        format!("  - {{id: {id}, category: {category}, scope: {scope}, value: '{value}'}}\n")
    };
    let list = [
        entry("a", "blacklist", "ip_subnet", "10.0.0.0/8"),
        entry("b", "blacklist", "ip_subnet", "10.1.0.0/16"),
        entry("c", "blacklist", "ip", "10.1.0.1"),
        entry("d", "blacklist", "ip", "::ffff:10.1.0.1"),
        entry("e", "whitelist", "ip_subnet", "192.0.2.0/24"),
        entry("f", "blacklist", "ip", "192.0.2.1"),
        entry("g", "maintenance", "country", "ua"),
        entry("h", "blocklogin", "country", "UA"),
        entry("i", "blacklist", "continent", "EU"),
        entry("j", "blacklist", "ip_subnet", "10.0.0.0/7"),
    ];
    let document = format!("version: 1\nrestrictions:\n{}", list.concat());
    assert_eq!(
        found(&document),
        "4 hidden-restriction: restriction `b` never decides: `a` of line 3 is tried before it and matches whatever it does\n\
         6 hidden-restriction: restriction `d` never decides: `c` of line 5 is tried before it and matches whatever it does\n\
         8 hidden-restriction: restriction `f` never decides: `e` of line 7 is tried before it and matches whatever it does\n\
         10 hidden-restriction: restriction `h` never decides: `g` of line 9 is tried before it and matches whatever it does\n"
    );
    let document = format!("{document}{}", entry("k", "maintenance", "all", "all"));
    let names = found(&document).matches("`k` of line 13").count();
    // All of blacklist and blocklogin, and the country of maintenance; not the whitelist.
    assert_eq!(names, 9, "{}", found(&document));
}

#[test]
fn large_patterns_are_found() {
    let text = with_rules(&[
        "r1 allow a target: {path: {regex: '^/x/[0-9]+$'}}",
        "r2 allow a target: {path: {regex: '[a-z].{12}$'}}",
    ]);
    let found = found(&text);
    assert!(
        found.starts_with("5 large-pattern: pattern makes an automaton of ") && found.lines().count() == 1,
        "{found}"
    );
}

#[test]
fn a_document_that_does_not_compile_is_not_linted() {
    let errors = lint("version: 1\nrulez: []\n").unwrap_err();
    assert_eq!(errors.len(), 1);
    let methods: Vec<String> = (0..64).map(|at| format!("M{at}")).collect();
    let rule = format!("r1 allow a target: {{methods: [{}]}}", methods.join(", "));
    assert!(lint(&with_rules(&[&rule])).is_err());
}

/// The work grows with the number of rules: this takes seconds, not hours.
#[test]
fn many_rules_are_linted_in_proportion() {
    let mut text = "version: 1\nroles: {a: {}}\nrules:\n".to_owned();
    for at in 0..20_000 {
        // All on the same path, none covers another.
        writeln!(text, "  - {{effect: allow, who: {{subjects: [u{at}]}}, target: {{}}}}").unwrap();
        writeln!(text, "  - {{effect: allow, who: {{roles: [a]}}, target: {{hosts: [h{at}]}}}}").unwrap();
    }
    assert_eq!(found(&text), "");
}
