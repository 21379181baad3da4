//! What a lint says to be in vain can be taken away: no decision changes.

use portcullis_core::{Policy, Scratch, decide};

use crate::{Options, Request, compile, lint};

const IN_VAIN: [&str; 6] =
    ["duplicate-rule", "duplicate-target", "shadowed-rule", "shadowed-target", "unreachable-rule", "public-in-blocked"];

/// Xorshift: the same documents at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }

    fn target(&mut self) -> String {
        let path = self.pick(&[
            "",
            "",
            "exact: /",
            "exact: /a",
            "exact: /a/",
            "exact: /a/b",
            "under: /",
            "under: /a",
            "under: /a/b",
            "prefix: /",
            "prefix: /a",
            "prefix: /a/",
            "prefix: /a/b",
            "template: '/{x}'",
            "template: '/{x}/b'",
            "template: '/a/{x}'",
            "template: '/{x*}'",
            "template: '/a/{x*}'",
            "template: '/{x}/{y*}'",
            "regex: b$",
        ]);
        let hosts = self.pick(&["", "", "", "hosts: [x.t]", "hosts: ['*.t']", "hosts: [x.t, z]"]);
        let methods = self.pick(&["", "", "methods: [GET]", "methods: [GET, PUT]"]);
        let path = if path.is_empty() { String::new() } else { format!("path: {{{path}}}") };
        let parts: Vec<&str> = [hosts, methods, &path].into_iter().filter(|part| !part.is_empty()).collect();
        format!("{{{}}}", parts.join(", "))
    }

    fn document(&mut self) -> String {
        let mut text = "version: 1\nroles: {a: {}, b: {}, c: {inherits: [a]}}\n".to_owned();
        for list in ["public", "blocked"] {
            text += &format!("{list}:\n");
            for _ in 0..self.below(3) {
                text += &format!("  - {}\n", self.target());
            }
        }
        text += "rules:\n";
        let mut rule = String::new();
        for _ in 0..2 + self.below(6) {
            if self.below(4) == 0 {
                text += &rule;
                continue;
            }
            let effect = self.pick(&["allow", "allow", "deny", "audit"]);
            let who = self.pick(&[
                "anyone: true",
                "authenticated: true",
                "roles: [a]",
                "roles: [b]",
                "roles: [a, b]",
                "roles: [c]",
            ]);
            let when = self.pick(&["", "", ", when: subject.otp", ", when: resource.id == 'x'"]);
            rule = format!("  - {{effect: {effect}, who: {{{who}}}, target: {}{when}}}\n", self.target());
            text += &rule;
        }
        text
    }
}

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for path in ["/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/b", "/b/b", "/a/bc", "/c/d/e"] {
        for host in ["", "\"host\":\"x.t\",", "\"host\":\"y.t\",", "\"host\":\"z\","] {
            for method in ["GET", "PUT", "POST"] {
                for subject in ["", "[]", "[\"a\"]", "[\"b\"]", "[\"c\"]"] {
                    let subject = match subject {
                        "" => String::new(),
                        roles => {
                            format!(",\"subject\":{{\"id\":\"u\",\"roles\":{roles},\"otp\":{}}}", path.len() % 2 == 0)
                        }
                    };
                    let text = format!("{{\"action\":\"{method}\",{host}\"path\":\"{path}\"{subject}}}");
                    requests.push(Request::parse(&text).unwrap());
                }
            }
        }
    }
    requests
}

/// What is answered to each request, as far as a caller or an auditor notices.
fn answers(text: &str, requests: &[Request]) -> Vec<String> {
    let bundle = compile(text, &Options { revision: 1, ..Options::default() }).unwrap().bundle;
    let policy = Policy::open(bundle).unwrap();
    let mut scratch = Scratch::default();
    let answers = requests.iter().map(|request| {
        let decision = decide(&policy, &request.as_core(), &mut scratch);
        format!("{:?} {:?} {:?}", decision.effect, decision.reason, decision.obligations.iter().collect::<Vec<_>>())
    });
    answers.collect()
}

#[test]
fn whatever_is_in_vain_can_be_taken_away() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let requests = requests();
    let mut found = 0;
    for _ in 0..400 {
        let text = random.document();
        let before = answers(&text, &requests);
        for finding in lint(&text).unwrap() {
            if !finding.name.is_some_and(|name| IN_VAIN.contains(&name)) {
                continue;
            }
            found += 1;
            // Default ids and topics of audit rules are positions, so something stays in its place.
            let removed = usize::try_from(finding.line).unwrap() - 1;
            let never = "  - {effect: deny, who: {subjects: [nobody]}, target: {path: {exact: /never}}}";
            let lines: Vec<&str> = text.lines().collect();
            let replacement = if lines[removed].contains("effect:") { never } else { "" };
            let left: Vec<&str> =
                lines.iter().enumerate().map(|(at, line)| if at == removed { replacement } else { line }).collect();
            let after = answers(&left.join("\n"), &requests);
            assert_eq!(before, after, "{finding}\n{text}");
        }
    }
    assert!(found > 500, "only {found} findings");
}
