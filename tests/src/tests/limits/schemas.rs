//! Limits of schemas and of the documents that are checked.

use portcullis_bundle::Policy;
use portcullis_bundle::limits;
use portcullis_compiler::{Options, compile};
use portcullis_core::{Report, ValidateOptions, ValidateScratch, Verdict, validate};

fn policy(schema: &str) -> Result<Policy, String> {
    let document = format!("{{version: 1, schemas: {{s: {schema}}}}}");
    let compiled = compile(&document, &Options::default()).map_err(|errors| errors[0].message.clone())?;
    Ok(Policy::open(compiled.bundle).unwrap())
}

fn report<'p>(policy: &'p Policy, document: &str) -> Report<'p> {
    let options = ValidateOptions::default();
    validate(policy, 0, document.as_bytes(), &options, &mut ValidateScratch::default()).unwrap()
}

#[track_caller]
fn check(schema: &str, document: &str, verdict: Verdict, code: &str) {
    let policy = policy(schema).unwrap();
    let report = report(&policy, document);
    assert_eq!((report.verdict, report.violations.first().map_or("", |one| one.code)), (verdict, code));
}

#[test]
fn bytes_of_a_document_that_is_checked() {
    let document = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    check("true", &document(limits::VALIDATED_BYTES), Verdict::Valid, "");
    check("true", &document(limits::VALIDATED_BYTES + 1), Verdict::OverLimit, "too_large");
}

#[test]
fn nesting_of_a_document_that_is_checked() {
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let maps = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for schema in ["true", "{items: {$ref: '#'}, additionalProperties: {$ref: '#'}}"] {
        for document in [lists, maps] as [fn(usize) -> String; 2] {
            check(schema, &document(limits::VALIDATED_DEPTH), Verdict::Valid, "");
            check(schema, &document(limits::VALIDATED_DEPTH + 1), Verdict::Unreadable, "too_deep");
            check(schema, &document(100_000), Verdict::Unreadable, "too_deep");
        }
    }
}

#[test]
fn violations_that_are_listed() {
    let policy = policy("{items: {type: string}, contains: {const: x}}").unwrap();
    let document = |items: usize| format!("[{}\"x\"]", "1,".repeat(items));
    for (items, listed, has_more) in [(99, 99, false), (100, 100, false), (101, 100, true), (5_000, 100, true)] {
        let document = document(items);
        let report = report(&policy, &document);
        assert_eq!((report.violations.len(), report.has_more), (listed, has_more));
        let pointers = report.violations.iter().zip(0..).all(|(one, at)| one.pointer == format!("/{at}"));
        assert!(pointers, "{report:?}");
    }
}

#[test]
fn the_first_violations_are_listed_whenever_they_are_found() {
    let policy = policy("{allOf: [{items: {type: string}}, {prefixItems: [{const: 1}, {const: 1}]}]}").unwrap();
    let document = format!("[{}2]", "2,".repeat(500));
    let found = report(&policy, &document);
    let first: Vec<&str> = found.violations.iter().take(5).map(|one| one.pointer.as_str()).collect();
    assert_eq!((first, found.violations.len()), (vec!["/0", "/0", "/1", "/1", "/2"], 100));
}

#[test]
fn fields_of_a_form() {
    let form = |fields: usize| (0..fields).map(|at| format!("f{at}=1")).collect::<Vec<_>>().join("&");
    check("{x-form: true}", &form(limits::FORM_FIELDS), Verdict::Valid, "");
    check("{x-form: true}", &form(limits::FORM_FIELDS + 1), Verdict::Unreadable, "too_many_fields");
}

/// A chain of references, the first one included.
fn chain(height: usize, last: &str) -> String {
    let definitions = (1..height).map(|at| {
        let to = if at + 1 == height { last.to_owned() } else { format!("{{$ref: '#/$defs/d{}'}}", at + 1) };
        format!("d{at}: {to}")
    });
    format!("{{$ref: '#/$defs/d1', $defs: {{{}}}}}", definitions.collect::<Vec<_>>().join(", "))
}

#[test]
fn schemas_inside_each_other() {
    check(&chain(limits::SCHEMA_HEIGHT, "{type: string}"), "1", Verdict::Invalid, "type");
    let error = policy(&chain(limits::SCHEMA_HEIGHT + 1, "true")).unwrap_err();
    assert_eq!(error, "this schema is nested deeper than the limit of 32");
}

#[test]
fn steps_of_a_validation() {
    let schema = format!("{{items: {{allOf: [{}]}}}}", vec!["{not: {const: 1}}"; 200].join(", "));
    let document = |items: usize| format!("[{}0]", "0,".repeat(items));
    check(&schema, &document(1_000), Verdict::Valid, "");
    check(&schema, &document(100_000), Verdict::OverLimit, "too_costly");
}

#[test]
fn nodes_inside_each_other_in_one_validation() {
    let schema = chain(limits::SCHEMA_HEIGHT - 1, "{items: {$ref: '#'}}");
    let lists = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(&schema, &lists(8), Verdict::Valid, "");
    check(&schema, &lists(limits::VALIDATED_DEPTH), Verdict::OverLimit, "too_costly");
}

/// Items and members that look alike cost a sort, not a comparison of each with each.
#[test]
fn many_unique_items_and_many_keys() {
    let items = (0..60_000).map(|at| format!("{{\"k{at}\":{at}}}")).collect::<Vec<_>>().join(",");
    check("{uniqueItems: true}", &format!("[{items}]"), Verdict::Valid, "");
    let keys = (0..60_000).map(|at| format!("\"k{at}\":0")).collect::<Vec<_>>().join(",");
    check("true", &format!("{{{keys}}}"), Verdict::Valid, "");
    check("true", &format!("{{{keys},\"k7\":1}}"), Verdict::Unreadable, "duplicate_key");
}

#[test]
fn validations_of_a_policy() {
    let document = |count: usize| {
        let one = "{target: {path: {under: /a}}, schema: s},";
        format!("{{version: 1, schemas: {{s: true}}, validations: [{}]}}", one.repeat(count))
    };
    let compiled = compile(&document(limits::VALIDATIONS), &Options::default()).unwrap();
    assert_eq!(Policy::open(compiled.bundle).unwrap().records().validations.len(), limits::VALIDATIONS);
    let errors = compile(&document(limits::VALIDATIONS + 1), &Options::default()).unwrap_err();
    assert_eq!(errors[0].message, "1025 validations, the limit is 1024");
}
