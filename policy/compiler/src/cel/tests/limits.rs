//! Each limit at its bound and one past it. Past a limit of an evaluation nothing absorbs the failure.

use portcullis_bundle::limits::{CONDITION_BYTES, CONDITION_DEPTH, CONDITION_STEPS, PROPERTIES_BYTES};
use portcullis_core::{Request, Subject, Target};

use super::{http, outcome, resource};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(outcome(text, &http()), expected, "for {text}");
}

#[test]
fn depth_of_values() {
    let nested = |depth: usize| format!("size({}{}) == 1", "[".repeat(depth - 2), "]".repeat(depth - 2));
    check(&nested(CONDITION_DEPTH), "true");
    check(&nested(CONDITION_DEPTH + 1), "69: expression is nested deeper than 32, the limit");
    let sum = |depth: usize| format!("{}1 > 0", "1 + ".repeat(depth - 2));
    check(&sum(CONDITION_DEPTH), "true");
    check(&sum(CONDITION_DEPTH + 1), "126: expression is nested deeper than 32, the limit");
    let fields = |depth: usize| format!("has(context{})", ".a".repeat(depth - 2));
    check(&fields(CONDITION_DEPTH), "failed");
    check(&fields(CONDITION_DEPTH + 1), "0: expression is nested deeper than 32, the limit");
}

#[test]
fn depth_of_brackets_and_signs() {
    let brackets = |depth: usize| format!("{}true{}", "(".repeat(depth - 1), ")".repeat(depth - 1));
    check(&brackets(CONDITION_DEPTH), "true");
    check(&brackets(CONDITION_DEPTH + 1), "32: expression is nested deeper than 32, the limit");
    check(&brackets(5_000), "32: expression is nested deeper than 32, the limit");
    check(&"!".repeat(5_000), "31: expression is nested deeper than 32, the limit");
    check(&"true ? false : ".repeat(1_000), "480: expression is nested deeper than 32, the limit");
    check(&format!("{}true", "!".repeat(CONDITION_DEPTH - 2)), "true");
}

#[test]
fn long_chains_of_alternatives_are_not_deep() {
    let chain = |terms: usize| format!("{}action == 'GET'", "action == 'PUT' || ".repeat(terms - 1));
    check(&chain(100), "true");
    let chain = |terms: usize| format!("{}action != 'GET'", "action != 'PUT' && ".repeat(terms - 1));
    check(&chain(100), "false");
}

#[test]
fn bytes_of_the_text() {
    let long = |bytes: usize| format!("true //{}", "x".repeat(bytes - 7));
    check(&long(CONDITION_BYTES), "true");
    check(&long(CONDITION_BYTES + 1), "0: condition is 16385 bytes, the limit is 16384");
}

#[test]
fn steps_of_an_evaluation() {
    // Equality, its right side, `size` and the list are four steps, each element is one.
    let steps = |steps: usize| {
        let elements = steps - 4;
        format!("size([{}]) == {elements}", "0,".repeat(elements))
    };
    check(&steps(CONDITION_STEPS), "true");
    check(&steps(CONDITION_STEPS + 1), "failed");
    check(&format!("{} || true", steps(CONDITION_STEPS + 1)), "failed");
    check(&format!("true || {}", steps(CONDITION_STEPS + 1)), "true");
    check(&format!("[1].exists(x, {}) || true", steps(CONDITION_STEPS)), "failed");
    // A turn of a loop is a step, and its body is another; range and loop are four.
    let turns = |turns: usize| format!("[{}].all(x, true)", "0,".repeat(turns));
    check(&turns((CONDITION_STEPS - 2) / 3), "true");
    check(&turns((CONDITION_STEPS - 2) / 3 + 1), "failed");
}

#[test]
fn loops_inside_loops_end() {
    let list = "[1,2,3,4,5,6,7,8,9]";
    let nested = format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a + b + c + d > 0))))");
    check(&nested, "failed");
}

/// What a condition says when `context.s` has so many bytes.
fn with_text(bytes: usize, text: &str) -> String {
    let context = format!("{{\"s\":\"{}\"}}", "x".repeat(bytes));
    outcome(text, &Request { context: Some(&context), ..http() })
}

#[test]
fn computed_bytes_of_an_evaluation() {
    let copies = |count: usize| format!("[{}].all(x, size(context.s + context.s) == 16384)", "0,".repeat(count));
    assert_eq!(with_text(8192, &copies(4)), "true");
    assert_eq!(with_text(8192, &copies(5)), "failed");
    assert_eq!(with_text(8192, &format!("{} || true", copies(5))), "failed");
}

#[test]
fn computed_values_of_an_evaluation() {
    let names: Vec<String> = (0..Subject::MAX_ROLES).map(|name| format!("r{name}")).collect();
    let subject = Subject { roles: names.as_slice().into(), ..http().subject.expect("a subject") };
    let request = Request { subject: Some(subject), ..http() };
    let copies =
        |count: usize| format!("{}size(subject.roles) > 0", "size(subject.roles + subject.roles) + ".repeat(count));
    assert_eq!(outcome(&copies(5), &request), "true");
    assert_eq!(outcome(&format!("{} && [1] == [1]", copies(5)), &request), "failed");
    assert_eq!(outcome(&format!("{} || true", copies(6)), &request), "failed");
}

#[test]
fn facts_that_are_computed_are_computed_once() {
    let host = format!("{}.test", "A".repeat(1000));
    let request = Request { target: Target::Http { host: Some(&host), path: "/" }, ..http() };
    let text = format!("[{}].all(x, request.host.startsWith('aa'))", "0,".repeat(120));
    assert_eq!(outcome(&text, &request), "true");
}

#[test]
fn long_texts_are_steps_too() {
    let searches = |count: usize| format!("[{}].all(x, context.s.contains('y') == false)", "0,".repeat(count));
    assert_eq!(with_text(16_000, &searches(30)), "true");
    assert_eq!(with_text(16_000, &searches(60)), "failed");
}

#[test]
fn properties_and_context() {
    let long = |bytes: usize| format!("{{\"s\":\"{}\"}}", "x".repeat(bytes - 8));
    for (bytes, expected) in [(PROPERTIES_BYTES, "true"), (PROPERTIES_BYTES + 1, "malformed")] {
        let text = long(bytes);
        let properties = Some(text.as_str());
        assert_eq!(outcome("true", &Request { context: properties, ..http() }), expected);
        let subject = Subject { properties, ..http().subject.expect("a subject") };
        assert_eq!(outcome("true", &Request { subject: Some(subject), ..http() }), expected);
        let target = Target::Resource { kind: "record", id: None, properties };
        assert_eq!(outcome("true", &Request { target, ..resource() }), expected);
    }
}
