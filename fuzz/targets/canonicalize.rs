//! Any path: its canonical form is itself canonical, is what rules match on, and decides as the path as received does.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_compiler::{Options, compile};
use portcullis_core::limits::PATH_BYTES;
use portcullis_core::{Credential, Names, Policy, Reason, Request, Scratch, Subject, Target, canonicalize, decide};
use portcullis_runtime::Decision;

/// Every kind of path, over the segments of the seeds; `seen` holds for the path that `context` names.
const DOCUMENT: &str = r#"
version: 1
rules:
  - {id: seen, effect: deny, who: {authenticated: true}, target: {}, when: request.path == context.path}
  - {id: exact, effect: allow, who: {anyone: true}, target: {path: {exact: /a/b}}}
  - {id: prefix, effect: allow, who: {anyone: true}, target: {path: {prefix: /us}}}
  - {id: under, effect: allow, who: {anyone: true}, target: {path: {under: /admin}}}
  - {id: template, effect: allow, who: {anyone: true}, target: {path: {template: '/{x}/b'}}}
  - {id: regex, effect: allow, who: {anyone: true}, target: {path: {regex: '^/[a-z]+/?$'}}}
"#;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let bundle = compile(DOCUMENT, &Options::default()).expect("a document without errors").bundle;
    Policy::open(bundle).expect("a compiled bundle opens")
});

fuzz_target!(|raw: &str| {
    let mut path = Vec::new();
    if canonicalize(raw, &mut path).is_err() {
        assert_eq!(ask(raw, None).reason, Reason::MalformedRequest);
        return;
    }
    let path = String::from_utf8(path).expect("a canonical path is ASCII");
    assert!(path.is_ascii() && path.starts_with('/') && path.len() <= PATH_BYTES, "{path:?}");
    let mut again = Vec::new();
    assert_eq!((canonicalize(&path, &mut again), again.as_slice()), (Ok(()), path.as_bytes()), "{raw:?}");

    let decision = ask(raw, None);
    assert_eq!(decision, ask(&path, None), "{raw:?} and {path:?}");
    assert_ne!(decision.reason, Reason::MalformedRequest, "{raw:?}");
    // No byte of a canonical path needs an escape in JSON.
    let seen = ask(raw, Some(&format!(r#"{{"path": "{path}"}}"#)));
    assert_eq!(seen.rules, ["seen"], "{raw:?} is not {path:?} to the core: {seen:?}");
});

/// Anonymous without `context`, so that `seen` stays out.
fn ask(path: &str, context: Option<&str>) -> Decision {
    let subject = Subject {
        id: "u1",
        kind: None,
        state: Subject::DEFAULT_STATE,
        roles: Names::NONE,
        permission_groups: Names::NONE,
        level: None,
        otp: false,
        issued_at: None,
        properties: None,
    };
    let request = Request {
        action: "GET",
        target: Target::Http { host: None, path },
        source_ip: None,
        country: None,
        continent: None,
        subject: context.map(|_| subject),
        credential: Credential::None,
        context,
        now: None,
    };
    decide(&POLICY, &request, &mut Scratch::default()).into()
}
