//! The compiler component answers what the linked compiler does.

use std::path::Path;

use portcullis_artifacts::COMPILER_COMPONENT;
use portcullis_compiler as linked;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};

use wit::Compiler;
use wit::exports::portcullis::policy::authoring::{ForeignSystem, Options, PolicySource, Severity};

mod wit {
    wasmtime::component::bindgen!({ path: "../wit", world: "compiler" });
}

struct Guest {
    store: Store<()>,
    compiler: Compiler,
}

impl Guest {
    /// Nothing is linked: an import would fail here.
    fn new() -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, COMPILER_COMPONENT).unwrap();
        let mut store = Store::new(&engine, ());
        let compiler = Compiler::instantiate(&mut store, &component, &Linker::new(&engine)).unwrap();
        Self { store, compiler }
    }
}

const POLICY: &str = "\
version: 1
roles: {clerk: {permissions: [p]}}
rules:
  - {id: read, effect: allow, who: {roles: [clerk]}, target: {path: {under: /a}}, when: request.method == 'GET'}
  - {id: never, effect: allow, who: {roles: [clerk]}, target: {path: {exact: /a/b}}, when: request.method == 'GET'}
tests:
  - {name: reads, request: {action: GET, path: /a, subject: {id: u, roles: [clerk]}}, expect: {decision: allow}}
  - {name: writes, request: {action: PUT, path: /a, subject: {id: u, roles: [clerk]}}, expect: {decision: allow}}
";

const REQUEST: &str = r#"{"action": "GET", "path": "/a/b", "subject": {"id": "u1", "roles": ["clerk"]}}"#;

#[test]
fn the_compiler_component_answers_as_the_linked_compiler() {
    let mut guest = Guest::new();
    let authoring = guest.compiler.portcullis_policy_authoring();
    let store = &mut guest.store;

    let options = Options {
        tenant: "shop".to_owned(),
        revision: 7,
        created: 1_700_000_000,
        expires: Some(1_800_000_000),
        signing_seed: Some(vec![7; 32]),
        revocations: vec![("u9".to_owned(), 1_700_000_000)],
    };
    let same = linked::Options {
        tenant: "shop".parse().unwrap(),
        revision: 7,
        created: 1_700_000_000,
        expires: Some(1_800_000_000),
        sign: Some(linked::SigningKey::from_seed(&[7; 32])),
        revocations: [("u9".to_owned(), 1_700_000_000)].into(),
        ..linked::Options::default()
    };
    let compiled = authoring.call_compile(&mut *store, POLICY, &options).unwrap().unwrap();
    assert_eq!(compiled.bundle, linked::compile(POLICY, &same).unwrap().bundle);

    let errors = authoring.call_compile(&mut *store, "rulez: []\n", &options).unwrap().unwrap_err();
    let expected = linked::compile("rulez: []\n", &same).unwrap_err();
    let found: Vec<_> = errors.iter().map(|one| (one.severity == Severity::Error, one.line, &*one.message)).collect();
    let expected: Vec<_> =
        expected.iter().map(|one| (one.severity == linked::Severity::Error, one.line, &*one.message)).collect();
    assert_eq!(found, expected);

    let findings = authoring.call_lint(&mut *store, POLICY).unwrap().unwrap();
    let names: Vec<_> = findings.iter().map(|finding| finding.name.as_deref()).collect();
    assert_eq!(names, linked::lint(POLICY).unwrap().iter().map(|finding| finding.name).collect::<Vec<_>>());
    assert_eq!(names, [Some("unused-permission"), Some("shadowed-rule")]);

    let report = authoring.call_test(&mut *store, POLICY).unwrap().unwrap();
    assert_eq!(report.results.iter().map(|one| one.failure.is_none()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(report.coverage.iter().map(|one| one.tests).collect::<Vec<_>>(), [1, 0]);

    let document = PolicySource::Document(POLICY.to_owned());
    let of_document = authoring.call_explain(&mut *store, &document, REQUEST).unwrap().unwrap();
    assert!(
        of_document.json.starts_with(r#"{"decision":"allow","status":200,"reason":"rule","rules":["read","never"]"#)
    );
    let of_bundle =
        authoring.call_explain(&mut *store, &PolicySource::Bundle(compiled.bundle), REQUEST).unwrap().unwrap();
    assert_eq!(of_bundle.text, of_document.text);
    assert!(authoring.call_explain(&mut *store, &PolicySource::Bundle(vec![0]), REQUEST).unwrap().is_err());

    let seeds = "permissions: [{role: m, verb: get, path: a, action: accept}]\n";
    let imported = authoring.call_import_from(&mut *store, ForeignSystem::Barong, seeds).unwrap().unwrap();
    assert_eq!(imported.document, linked::import::barong(seeds).unwrap().document);
}

#[test]
fn what_cannot_be_an_option_is_a_diagnostic() {
    let mut guest = Guest::new();
    let authoring = guest.compiler.portcullis_policy_authoring();
    let plain = |tenant: &str, signing_seed| Options {
        tenant: tenant.to_owned(),
        revision: 1,
        created: 0,
        expires: None,
        signing_seed,
        revocations: Vec::new(),
    };
    for options in [plain("Shop", None), plain("shop", Some(vec![7; 31]))] {
        let errors = authoring.call_compile(&mut guest.store, POLICY, &options).unwrap().unwrap_err();
        assert_eq!((errors.len(), errors[0].line, errors[0].column), (1, 1, 1));
    }
}

#[test]
fn the_example_policy_is_linted_by_the_component() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop/policy.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut guest = Guest::new();
    let authoring = guest.compiler.portcullis_policy_authoring();
    let findings = authoring.call_lint(&mut guest.store, &text).unwrap().unwrap();
    let names: Vec<_> = findings.iter().map(|one| (one.line, one.name.as_deref())).collect();
    assert_eq!(names, []);
}
