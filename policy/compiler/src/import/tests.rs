//! What the importers read, leave out and refuse; the worked examples of both systems are in tests/cases.

use super::{Imported, barong, padlock};
use crate::Diagnostic;

/// The document without its comments and empty lines.
fn lines(document: &str) -> String {
    let lines = document.lines().filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

fn one_a_line(notes: &[Diagnostic]) -> String {
    notes.iter().map(|note| format!("{note}\n")).collect()
}

/// The items of one list of the document.
fn section(document: &str, key: &str) -> String {
    let lines = document.lines().skip_while(|line| *line != format!("{key}:")).skip(1);
    lines.take_while(|line| line.starts_with(' ')).map(|line| format!("{}\n", line.trim_start())).collect()
}

#[track_caller]
fn check(imported: Result<Imported, Vec<Diagnostic>>, key: &str, expected: &str, notes: &str) {
    let imported = imported.unwrap_or_else(|errors| panic!("{}", one_a_line(&errors)));
    assert_eq!(section(&imported.document, key), expected);
    assert_eq!(one_a_line(&imported.notes), notes);
}

#[track_caller]
fn refused(imported: Result<Imported, Vec<Diagnostic>>, expected: &str) {
    assert_eq!(one_a_line(&imported.unwrap_err()), expected);
}

const SEEDS: &str = "\
users: [{email: a@b.test, password: secret, role: admin}]
levels:
  - {key: email, value: verified, description: Confirmed}
restrictions:
  - {category: Blacklist, scope: ip, value: 20.0.0.1, code: 433, state: disabled}
permissions:
  - {role: member, verb: all, path: api/v2/shop, action: accept}
  - {role: Admin, verb: Get, path: api/v2/, action: AUDIT, topic: t1}
";

#[test]
fn barong_seeds_become_a_document() {
    let imported = barong(SEEDS).unwrap();
    let expected = "\
version: 1
subject: {states: [active, pending], api_key_requires_otp: true}
statuses: {blocked: 401, subject_inactive: 401, otp_required: 401, rule: 401, no_match: 401}
login:
  - {path: {prefix: /api/v2/barong/identity/sessions}}
public:
  - {path: {prefix: /api/v2/barong/public}}
  - {path: {prefix: /api/v2/barong/identity}}
  - {path: {prefix: /api/v2/peatio/public}}
  - {path: {prefix: /api/v2/ranger/public}}
  - {path: {prefix: /api/v2/applogic/public}}
  - {path: {prefix: /api/v2/arke/public}}
  - {path: {prefix: /api/v2/finex/public}}
blocked:
  - {path: {prefix: /api/v2/barong/management}}
  - {path: {prefix: /api/v2/peatio/management}}
levels:
  - {key: email, value: verified}
restrictions:
  - {category: blacklist, scope: ip, value: '20.0.0.1', code: 433, state: disabled}
roles:
  member: {}
  Admin: {}
rules:
  - {effect: allow, who: {roles: [member]}, target: {path: {prefix: /api/v2/shop}}}
  - {effect: audit, who: {roles: [Admin]}, target: {methods: [GET], path: {template: '/api/v2/{rest*}'}}, topic: t1}
";
    assert_eq!(lines(&imported.document), expected);
    assert_eq!(one_a_line(&imported.notes), "");
    assert!(!imported.document.contains("secret"));
}

#[test]
fn barong_lists_of_authz_rules_replace_the_shipped_ones() {
    let seeds = "levels: []\nrules:\n  pass: [assets, /x, api/a/]\n";
    let note = "3:18: warning: path is left out: its path begins with `/`, so Barong never matched it; write the path without the first `/` if the row is meant\n";
    check(barong(seeds), "public", "- {path: {prefix: /assets}}\n- {path: {template: '/api/a/{rest*}'}}\n", note);
    check(barong(seeds), "blocked", "", note);
}

/// The rules of a seeds file with one row whose path is `path`.
#[track_caller]
fn check_path(path: &str, expected: &str, notes: &str) {
    let seeds = format!("permissions:\n  - {{role: m, verb: GET, action: DROP, path: {path}}}\n");
    let rule = format!("- {{effect: deny, who: {{roles: [m]}}, target: {{methods: [GET], path: {expected}}}}}\n");
    check(barong(&seeds), "rules", &format!("# m\n{rule}"), notes);
}

#[test]
fn barong_paths_are_written_as_canonical_ones() {
    check_path("api", "{prefix: /api}", "");
    check_path("'a b/é%41?#{x}'", "{prefix: '/a%20b/%C3%A9%2541%3F%23%7Bx%7D'}", "");
    check_path("api/v2/shop/", "{template: '/api/v2/shop/{rest*}'}", "");
    check_path("api/feed.v1/x", "{prefix: /api/feed.v1/x}", "");
    let note = "2:46: warning: Barong cuts the last `.suffix` of a request, so `api/feed.v1` did not match itself; now it does\n";
    check_path("api/feed.v1", "{prefix: /api/feed.v1}", note);
}

#[test]
fn barong_rows_that_did_nothing_are_left_out_and_noted() {
    let seeds = "\
permissions:
  - {role: m, verb: GET, action: ACCEPT, path: /a}
  - {role: m, verb: GET, action: ACCEPT, path: a/../b}
  - {role: m, verb: GET, action: ACCEPT, path: a//b}
  - {role: m, verb: GET, action: ACCEPT, path: a;b}
  - {role: m, verb: '*', action: ACCEPT, path: a}
  - {role: m, verb: G T, action: ACCEPT, path: a}
  - {role: m, verb: GET, action: ALLOW, path: a}
  - {role: m, verb: get, action: accept, path: a}
  - {role: m, verb: GET, action: ACCEPT, path: a}
";
    let imported = barong(seeds).unwrap();
    let rules = section(&imported.document, "rules");
    let kept: Vec<&str> = rules.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(kept, ["- {effect: allow, who: {roles: [m]}, target: {methods: [GET], path: {prefix: /a}}}"]);
    assert!(rules.contains("# left out: GET a;b ACCEPT of line 5: its path has a character"), "{rules}");
    let expected = "\
2:5: warning: permission is left out: its path begins with `/`, so Barong never matched it; write the path without the first `/` if the row is meant
3:5: warning: permission is left out: its path has a dot segment; requests are compared without such
4:5: warning: permission is left out: its path has an empty segment, so Barong never matched it
5:5: warning: permission is left out: its path has a character that no accepted request has
6:5: warning: permission is left out: `*` is not an HTTP method
7:5: warning: permission is left out: `G T` is not an HTTP method
8:5: warning: permission is left out: action `ALLOW` has no effect in Barong
10:5: warning: permission is left out: it is the same as that of line 9
";
    assert_eq!(one_a_line(&imported.notes), expected);
}

#[test]
fn barong_audits_without_a_topic_get_the_one_of_their_path() {
    let seeds = "\
permissions:
  - {role: m, verb: ALL, action: AUDIT, path: api/admin/users/x}
  - {role: m, verb: ALL, action: AUDIT, path: api/admin/users/, topic: ' '}
  - {role: m, verb: ALL, action: AUDIT, path: api/admin/}
";
    let rules = section(&barong(seeds).unwrap().document, "rules");
    let topics: Vec<&str> = rules.lines().filter_map(|line| Some(line.split_once("topic: ")?.1)).collect();
    assert_eq!(topics, ["users}", "users}", "general}"]);
}

#[test]
fn barong_restrictions_name_places_by_their_codes() {
    let seeds = "\
restrictions:
  - {category: whitelist, scope: country, value: JAPAN, code: 200}
  - {category: blacklist, scope: country, value: Côte D'Ivoire}
  - {category: blacklist, scope: country, value: usa, code: 200}
  - {category: blacklist, scope: continent, value: north america, code: 455}
  - {category: blocklogin, scope: continent, value: EU, state: disabled}
  - {category: maintenance, scope: all, value: all}
  - {category: whitelist, scope: ip, value: 10.0.0.300}
  - {category: blacklist, scope: ip_subnet, value: 999.0.0.0/8, state: disabled}
";
    let expected = "\
- {category: whitelist, scope: country, value: JP}
- {category: blacklist, scope: country, value: CI}
- {category: blacklist, scope: country, value: US}
- {category: blacklist, scope: continent, value: NA, code: 455}
- {category: blocklogin, scope: continent, value: EU, state: disabled}
- {category: maintenance, scope: all}
";
    let notes = "\
4:50: warning: Barong compares with English names, so `usa` never matched; now it does
4:61: warning: code is left out: a refusal has a status from 400 to 599
8:45: warning: restriction is left out: `10.0.0.300` is not an IPv4 address
9:52: warning: restriction is left out: `999.0.0.0/8` is not an IPv4 network
";
    check(barong(seeds), "restrictions", expected, notes);
}

#[test]
fn barong_restrictions_that_would_be_missed_are_errors() {
    let seeds = "\
restrictions:
  - {category: blacklist, scope: country, value: Deutschland}
  - {category: blacklist, scope: ip_subnet, value: 999.0.0.0/8}
  - {category: greylist, scope: ip, value: 10.0.0.1}
  - {category: blacklist, scope: city, value: x}
  - {category: blacklist, scope: ip}
  - {category: blacklist, scope: all, state: gone}
";
    let expected = "\
2:50: error: `Deutschland` is not the English name or code of a country; correct the restriction, or disable it if it is not meant
3:52: error: `999.0.0.0/8` is not an IPv4 network; correct the restriction, or disable it if it is not meant
4:16: error: `greylist` is not a category of a restriction; it is one of whitelist, maintenance, blacklist, blocklogin
5:34: error: `city` is not a scope of Barong
6:5: error: restriction has no `value`
7:46: error: `gone` is not a state of a restriction; it is one of enabled, disabled
";
    refused(barong(seeds), expected);
}

#[test]
fn what_is_no_configuration_is_refused() {
    refused(
        barong("users: []\n"),
        "1:1: error: expected Barong seeds: one of the lists `permissions`, `restrictions`, `levels`\n",
    );
    refused(barong("permissions: 7\n"), "1:14: error: expected a list of permissions\n");
    refused(
        barong("permissions:\n  - {verb: GET, path: a}\n"),
        "2:5: error: permission has no `role`\n2:5: error: permission has no `action`\n",
    );
    refused(
        padlock("metrics: {}\n"),
        "1:1: error: expected a configuration of padlock: `userManagement.userRoles` and `authorize.rules`\n",
    );
    refused(padlock("a: ["), "1:5: error: while parsing a node, did not find expected node content\n");
}

const PADLOCK: &str = r"
userManagement:
  userRoles:
    Reader: {permissions: [read, 'app:v1']}
authorize:
  forUnknownUser: {autoAdd: true}
  rules:
    - host: API.example.org
      allowedPaths:
        - pathPattern: ^/items/(\?|$)
          allowedMethods:
            - {method: GET, allowedPermissions: [read]}
            - {method: '*', allowedPermissions: [read, 'app:v1']}
    - host: '*'
      AllowedPaths:
        - {pathPattern: '^/health', allowedMethods: [{method: GET, allowedPermissions: [read]}]}
authenticate:
  bypass:
    rules:
      - {type: METHOD, matches: [options, '*']}
      - {type: host, matches: [LocalHost, 'localhost:8080', '*.test']}
      - {type: path, matches: ['^/public/']}
";

#[test]
fn padlock_configuration_becomes_a_document() {
    let imported = padlock(PADLOCK).unwrap();
    let expected = r"version: 1
roles:
  reader: {permissions: [read, 'app:v1']}
public:
  - {methods: [OPTIONS]}
  - {hosts: [localhost]}
  - {path: {regex: '^/public/'}}
routes:
  - host: API.example.org
    paths:
      - pattern: '^/items/(\?|$)'
        methods: {GET: [read], '*': [read, 'app:v1']}
  - host: '*'
    paths:
      - pattern: '^/health'
        methods: {GET: [read]}
";
    assert_eq!(lines(&imported.document), expected);
    let notes = "\
4:5: warning: padlock reads role `Reader` as `reader`
6:29: warning: unknown users are not added; they are refused all the same
8:13: warning: host `API.example.org` is compared without case
10:24: warning: a query is not part of the path, so this `?` matches nothing
20:43: warning: bypass is left out: no request has the method `*`
21:43: warning: bypass is left out: `localhost:8080` is not a plain host name; ports are not compared here
21:61: warning: bypass is left out: `*.test` is not a plain host name; ports are not compared here
";
    assert_eq!(one_a_line(&imported.notes), notes);
}

#[test]
fn padlock_patterns_that_would_match_something_else_are_errors() {
    let of = |pattern: &str| {
        padlock(&format!("authorize:\n  rules: [{{host: '*', allowedPaths: [{{pathPattern: '{pattern}'}}]}}]\n"))
    };
    for (pattern, found) in [
        ("^/a[b&&c]", "&&"),
        ("^/a[[bc]", "["),
        ("^/a[]&&]", "&&"),
        ("^/a[^]~~]", "~~"),
        ("^/a[+--]", "--"),
        (r"^/a\<b\>", r"\<"),
        (r"^/a\b{start}", r"\b{"),
        ("^/a{,3}", "{,"),
        ("^/[[:alpha:]&&a]", "&&"),
    ] {
        let errors = of(pattern).unwrap_err();
        let expected = format!("`{found}` in a pattern means something else here than in padlock");
        assert_eq!((errors.len(), &errors[0].message), (1, &expected), "{pattern}");
    }
    for pattern in [r"^/([[:alnum:]]|-|_)+/?$", r"^/a[\[\]]&&--$", "^/a{1,3}[]a]", r"\\<", r"\[a&&b\]"] {
        assert_eq!(one_a_line(&of(pattern).unwrap().notes), "", "{pattern}");
    }
}

#[test]
fn padlock_roles_that_become_one_are_errors() {
    refused(
        padlock("userManagement: {userRoles: {a: {permissions: [p]}, A: {permissions: [q]}}}\n"),
        "1:53: warning: padlock reads role `A` as `a`\n1:53: error: role `a` is also on line 1\n",
    );
}

#[test]
fn what_is_imported_compiles() {
    for imported in [barong(SEEDS), padlock(PADLOCK)] {
        let document = imported.unwrap().document;
        let compiled = crate::compile(&document, &crate::Options::default());
        let diagnostics = compiled.map_or_else(|errors| errors, |compiled| compiled.warnings);
        assert_eq!(one_a_line(&diagnostics), "", "for\n{document}");
    }
}
