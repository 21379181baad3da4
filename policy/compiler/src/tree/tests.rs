//! The JSON reader finds what the YAML reader finds, and where; what is not JSON it leaves to the other.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::{Key, Node, Position, Tree, Value, json, parse, yaml};

/// Every value of a document with its place, one a line.
fn outline(tree: &Tree<'_>) -> String {
    let mut text = String::new();
    write_node(tree.root(), &mut text);
    text
}

fn write_node(node: Node<'_>, text: &mut String) {
    let Position { line, column } = node.at();
    write!(text, "{line}:{column} ").unwrap();
    match node.value() {
        Value::Null => text.push_str("null\n"),
        Value::Scalar { text: scalar, plain } => writeln!(text, "{scalar:?} plain: {plain}").unwrap(),
        Value::List(items) => {
            writeln!(text, "list of {}", items.len()).unwrap();
            items.for_each(|item| write_node(item, text));
        }
        Value::Map(entries) => {
            text.push_str("map\n");
            for (Key { at, text: key }, value) in entries {
                write!(text, "{}:{} {key:?} is ", at.line, at.column).unwrap();
                write_node(value, text);
            }
        }
    }
}

/// What the document is, by the JSON reader and by the YAML reader.
#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(outline(&json::parse(text).expect("JSON")), expected, "JSON {text}");
    assert_eq!(outline(&yaml::parse(text).expect("YAML")), expected, "YAML {text}");
}

#[test]
fn both_readers_find_values_and_places() {
    check("{}", "1:1 map\n");
    check(
        "\r\n { \"a\" :\r\t[ null , true,-1.5e3, \"true\" ],\n\"é☃\": {\"ü\": \"\"}, \"z\": []}\n",
        "2:2 map\n\
         2:4 \"a\" is 3:2 list of 4\n\
         3:4 null\n\
         3:11 \"true\" plain: true\n\
         3:16 \"-1.5e3\" plain: true\n\
         3:24 \"true\" plain: false\n\
         4:1 \"é☃\" is 4:7 map\n\
         4:8 \"ü\" is 4:13 \"\" plain: false\n\
         4:18 \"z\" is 4:23 list of 0\n",
    );
    check(
        r#"{"\"\\\/\b\f\n\r\t": "\u00e9\u2603x", "\u0000": 1}"#,
        "1:1 map\n\
         1:2 \"\\\"\\\\/\\u{8}\\u{c}\\n\\r\\t\" is 1:22 \"é☃x\" plain: false\n\
         1:39 \"\\0\" is 1:49 \"1\" plain: true\n",
    );
}

#[test]
fn a_pair_of_escapes_is_one_character_and_moves_nothing() {
    let text = r#"{"\ud83d\ude00": 1}"#;
    assert_eq!(outline(&json::parse(text).unwrap()), "1:1 map\n1:2 \"😀\" is 1:18 \"1\" plain: true\n");
}

#[test]
fn leaves_to_yaml_what_is_not_json() {
    let not_json = [
        "",
        "[]",
        "null",
        "{",
        "{} {}",
        "{}x",
        "{,}",
        "{\"a\"}",
        "{\"a\": 1,}",
        "{\"a\": [1,]}",
        "{\"a\": [1}",
        "{a: 1}",
        "{'a': 1}",
        "{\"a\": b}",
        "{\"a\": +1}",
        "{\"a\": 01}",
        "{\"a\": .5}",
        "{\"a\": 1.}",
        "{\"a\": 0x1}",
        "{\"a\": True}",
        "{\"a\": ~}",
        "{\"a\": }",
        "{\"a\" 1}",
        "{\"a\": \"\t\"}",
        "{\"a\": \"x\ny\"}",
        "{\"a\": \"",
        "{\"a\": \"\\",
        "{\"a\": \"\\x41\"}",
        "{\"a\": \"\\u+123\"}",
        "{\"a\": \"\\u12\"}",
        "{\"a\": \"\\ud83d\"}",
        "{\"a\": \"\\ude00\\ud83d\"}",
        "{\"a\": 1} # comment",
        "\u{feff}{}",
    ];
    for text in not_json {
        assert!(json::parse(text).is_none(), "{text}");
    }
}

#[test]
fn refuses_the_same_in_both() {
    let deep = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(json::parse(&deep(31)).is_some());
    check_error(&deep(32), "1:38: error: nested deeper than the limit of 32");
    check_error("{\"a\": 1, \"\\u0061\": 2}", "1:10: error: key `a` is here for the second time");
    let keys: Vec<String> = (0..100).chain([7]).map(|key| format!("\"{key}\":0")).collect();
    check_error(&format!("{{\n{}}}", keys.join(",\n")), "102:1: error: key `7` is here for the second time");
}

#[test]
fn every_line_break_counts_once() {
    for text in [
        "a: 1\nb:\n\n\n c\nd: [\n\ne: {{\n\n",
        "rules:\n  - {own, effectM\n:\n\n\nM\n\n:: allow}}\n",
        "a:\n\n- 'x\n\n\ny': 1\n&",
    ] {
        let error = yaml::parse(text).expect_err(text);
        for end in ["\r", "\r\n"] {
            assert_eq!(yaml::parse(&text.replace('\n', end)).expect_err(text), error, "{text:?} with {end:?}");
        }
    }
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert!(json::parse(text).is_none(), "{text}");
    assert_eq!(parse(text).expect_err("refused").to_string(), expected, "{text}");
}

/// JSON with spaces anywhere; keys are numbered, so that no two of a map are the same.
fn any_json() -> impl Strategy<Value = String> {
    let text = "[a-zé☃ :,#'{}\\[\\]/-]{0,6}|(\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-f]{2}|\\\\u2[0-9A-F]{3}){0,3}";
    let scalar = prop_oneof![
        text.prop_map(|text| format!("\"{text}\"")),
        "null|true|false|0|-?[1-9][0-9]{0,3}(\\.[0-9]{1,2})?([eE][+-]?[0-9])?",
    ];
    let value = scalar.prop_recursive(4, 24, 4, |value| {
        let spaced = || (value.clone(), "[ \n]{0,2}|\r\n");
        let list = prop::collection::vec(spaced(), 0..4).prop_map(|items| {
            let items: Vec<String> = items.into_iter().map(|(item, space)| format!("{space}{item}{space}")).collect();
            format!("[{}]", items.join(","))
        });
        prop_oneof![list, prop::collection::vec(spaced(), 0..12).prop_map(map)]
    });
    prop::collection::vec((value, "[ \n]{0,2}"), 0..12).prop_map(map)
}

fn map(values: Vec<(String, String)>) -> String {
    let entries = values.into_iter().enumerate();
    let entries: Vec<String> =
        entries.map(|(key, (value, space))| format!("{space}\"{key}é\":{space}{value}{space}")).collect();
    format!("{{{}}}", entries.join(","))
}

#[test]
fn both_readers_agree_on_all_json() {
    let config = Config { cases: 300, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&any_json(), |text| {
        let tree = json::parse(&text);
        prop_assert!(tree.is_some(), "{}", text);
        prop_assert_eq!(
            tree.map(|tree| outline(&tree)),
            yaml::parse(&text).ok().map(|tree| outline(&tree)),
            "{}",
            text
        );
        Ok(())
    });
    assert_eq!(result, Ok(()));
}
