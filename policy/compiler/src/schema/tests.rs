//! What is wrong with schemas, and where.

use crate::{Options, compile};

#[track_caller]
fn check(schema: &str, expected: &[&str]) {
    let document = format!("version: 1\nschemas:\n  s:\n    {}\n", schema.replace('\n', "\n    "));
    let found: Vec<String> = match compile(&document, &Options::default()) {
        Ok(compiled) => compiled.warnings.iter().map(ToString::to_string).collect(),
        Err(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected, "{document}");
}

#[test]
fn unknown_keywords_are_errors() {
    check("minLenght: 1", &["4:5: error: `minLenght` is not a keyword of a schema; did you mean `minLength`?"]);
    check(
        "foo: 1\nx-foo: 2",
        &["4:5: error: `foo` is not a keyword of a schema; annotations of your own start with `x-`"],
    );
    check(
        "properties:\n  a: {definitions: {}}",
        &["5:11: error: the keyword `definitions` is not supported; write `$defs`"],
    );
    check("$dynamicRef: '#x'", &["4:5: error: the keyword `$dynamicRef` is not supported; use `$ref`"]);
    check(
        "$schema: https://json-schema.org/draft-07/schema#",
        &["4:14: error: `https://json-schema.org/draft-07/schema#` is not supported, the dialect is \
         `https://json-schema.org/draft/2020-12/schema`"],
    );
}

#[test]
fn keywords_hold_what_they_must() {
    check("- 1", &["4:5: error: expected a schema: `true`, `false` or a mapping, found a list"]);
    check("type: text", &["4:11: error: `text` is not a type"]);
    check("type: null", &["4:11: error: `` is not a type; put `null` into quotes"]);
    check("type: [string, string]", &["4:20: error: type `string` is here for the second time"]);
    check("minLength: -1", &["4:16: error: expected a whole number that is not negative, found `-1`"]);
    check("minLength: 1.5", &["4:16: error: expected a whole number that is not negative, found `1.5`"]);
    check("minLength: 2.0", &[]);
    check("multipleOf: 0", &["4:17: error: expected a number over 0, found `0`"]);
    check("multipleOf: 12345678901234567890123", &["4:17: error: `multipleOf` has more digits than the limit of 19"]);
    check("minimum: 0x10", &["4:14: error: expected a number, found `0x10`"]);
    check("maximum: 1e1000000001", &["4:14: error: exponent of `1e1000000001` is over the limit of 1000000000"]);
    check("required: [a, a]", &["4:19: error: `a` is here for the second time"]);
    check("required: a", &["4:15: error: expected a list of names, found `a`"]);
    check("required: [1]", &["4:16: error: expected a name as a text, `1` is not one without quotes"]);
    check("allOf: []", &["4:12: error: expected a list of schemas that is not empty, found a list"]);
    check("format: e-mail", &["4:13: error: format `e-mail` is not supported; did you mean `email`?"]);
    check("const: .5", &["4:12: error: expected a value as a text, `.5` is not one without quotes"]);
}

#[test]
fn patterns_are_linear() {
    check(
        "pattern: '^(?=a)'",
        &["4:16: error: not a regular expression: look-around, including look-ahead and look-behind, is not supported"],
    );
    check("pattern: '(a)\\1'", &["4:18: error: not a regular expression: backreferences are not supported"]);
    check(
        "pattern: 'x{1000}{1000}'",
        &["4:14: error: regular expression is too large: its automaton passes the limit of 2097152 bytes"],
    );
    check("patternProperties:\n  '(': true", &["5:7: error: not a regular expression: unclosed group"]);
}

#[test]
fn references_lead_to_schemas_of_the_document() {
    let nowhere = "is not in this document, and nothing is fetched from elsewhere";
    check("$ref: '#/$defs/a'", &["4:11: error: `$ref` `#/$defs/a` does not lead to a schema"]);
    check("$ref: '#a'", &["4:11: error: `$ref` `#a` does not lead to a schema"]);
    check("$ref: t", &[&format!("4:11: error: `$ref` `t` {nowhere}")]);
    check("$ref: http://a/b", &[&format!("4:11: error: `$ref` `http://a/b` {nowhere}")]);
    check("const: {type: string}\n$ref: '#/const'", &["5:11: error: `$ref` `#/const` does not lead to a schema"]);
    check("properties: {a: {$ref: s}, b: {$ref: '#'}, c: {$ref: '#/properties/a'}}", &[]);
    check("$anchor: a b", &["4:14: error: `a b` is not an anchor: a letter or `_`, then also digits, `-` and `.`"]);
    check(
        "$defs:\n  a: {$id: x}\n  b: {$id: x}",
        &["6:16: error: `$id` `portcullis:/schemas/x` is here for the second time"],
    );
}

#[test]
fn a_schema_must_step_into_the_document() {
    let cycle = "this schema leads back to itself without a step into the document";
    check("$ref: '#'", &[&format!("4:5: error: {cycle}")]);
    check(
        "$defs:\n  a: {anyOf: [true, {$ref: '#/$defs/b'}]}\n  b: {not: {$ref: '#/$defs/a'}}",
        &[&format!("5:10: error: {cycle}")],
    );
    check("items: {$ref: '#'}\nadditionalProperties: {$ref: '#'}", &[]);
}

#[test]
fn annotations_of_ours() {
    let misplaced = "error: this schema changes texts, but it stands where it may not apply (`anyOf`, `not`, `if` and the \
                     like); put `x-trim`, `x-lowercase` and `x-uppercase` below `properties`, `items` or `allOf` only";
    check("anyOf: [{x-trim: true}]", &[&format!("4:13: {misplaced}")]);
    check("if: {properties: {a: {x-trim: true}}}", &[&format!("4:9: {misplaced}")]);
    check("allOf: [{properties: {a: {items: {x-trim: true}}}}]", &[]);
    check("properties: {a: {x-form: true}}", &["4:22: error: `x-form` belongs to the outermost schema"]);
    check("x-lowercase: true\nx-uppercase: true", &["5:18: error: a text cannot be in lower and in upper case"]);
    check("x-code: [a]", &["4:13: error: expected a code, or codes by keyword, found a list"]);
    check("x-message: text", &["4:16: error: expected messages by language, found `text`"]);
}

#[test]
fn the_meta_schema_finds_what_the_reader_lets_pass() {
    check("$id: 'a b'", &["4:10: error: this is not a schema: it must be a valid uri-reference"]);
}

#[track_caller]
fn validations(text: &str, expected: &[&str]) {
    let document = format!("version: 1\nschemas: {{order: true}}\nvalidations:\n  - {text}\n");
    let found: Vec<String> = match compile(&document, &Options::default()) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(found, expected, "{document}");
}

#[test]
fn validations_name_what_there_is() {
    validations("{target: {path: {exact: /a}}, schema: order, when_content_type: [application/json, text/plain]}", &[]);
    validations(
        "{target: {}, schema: ordre}",
        &["4:26: error: schema `ordre` is not in `schemas`; did you mean `order`?"],
    );
    validations(
        "{}",
        &["4:5: error: validation has no `target`; `{}` is any request", "4:5: error: validation has no `schema`"],
    );
    validations(
        "{target: {}, schema: order, when_content_type: json}",
        &["4:52: error: `json` is not a media type without parameters"],
    );
}
