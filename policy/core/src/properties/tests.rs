//! What is one JSON object, and what is not.

use core::fmt::Write;

use super::{Buffer, Item, MAX_DEPTH, PROPERTIES_BYTES, Tape};

/// The value at `at`, written as JSON without spaces and escapes; integers beyond `i64` end in `u`.
fn show(tape: &Tape<'_>, at: u32, out: &mut String) -> u32 {
    let text = |span| String::from_utf8(tape.text(span).unwrap().to_vec()).unwrap();
    match tape.item(at).unwrap() {
        Item::Null => out.push_str("null"),
        Item::Bool(value) => write!(out, "{value}").unwrap(),
        Item::Int(value) => write!(out, "{value}").unwrap(),
        Item::Uint(value) => write!(out, "{value}u").unwrap(),
        Item::Double(value) => write!(out, "{value:?}").unwrap(),
        Item::String(span) => write!(out, "'{}'", text(span)).unwrap(),
        Item::Key { name, .. } => write!(out, "{}:", text(name)).unwrap(),
        Item::List { count, end } => {
            out.push('[');
            let mut next = at + 1;
            for _ in 0..count {
                next = show(tape, next, out);
                out.push(' ');
            }
            assert_eq!(next, end);
            out.push(']');
        }
        Item::Map { count, end } => {
            out.push('{');
            let mut next = at + 1;
            for _ in 0..count {
                next = show(tape, next, out);
                next = show(tape, next, out);
                out.push(' ');
            }
            assert_eq!(next, end);
            out.push('}');
        }
    }
    tape.after(at)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let mut buffer = Buffer::default();
    let shown = buffer.read(text).map_or_else(
        || "refused".to_owned(),
        |tape| {
            let mut out = String::new();
            show(&tape, Tape::ROOT, &mut out);
            out
        },
    );
    assert_eq!(shown, expected, "for {text}");
}

#[track_caller]
fn refuse(text: &str) {
    check(text, "refused");
}

#[test]
fn reads_every_kind_of_value() {
    check(" { } \n", "{}");
    check(r#"{"a":1,"b":[true,false,null,{}],"c":"x"}"#, "{a:1 b:[true false null {} ] c:'x' }");
    check(r#"{"a" : [ ] , "b" : [ 1 , [ 2 ] ] }"#, "{a:[] b:[1 [2 ] ] }");
}

#[test]
fn keeps_integers_whole() {
    check(
        r#"{"a":[9223372036854775807,-9223372036854775808,9223372036854775808,18446744073709551615]}"#,
        "{a:[9223372036854775807 -9223372036854775808 9223372036854775808u 18446744073709551615u ] }",
    );
    check(
        r#"{"a":[18446744073709551616,1.0,1e2,-0,-0.0,1E-2,0]}"#,
        "{a:[1.8446744073709552e19 1.0 100.0 0 -0.0 0.01 0 ] }",
    );
    for number in ["01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x1", "1e999", "-1e999", "NaN", "Infinity", "1_0"]
    {
        refuse(&format!("{{\"a\":{number}}}"));
    }
}

#[test]
fn resolves_escapes() {
    check(r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00 x"}"#, "{a:'\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600} x' }");
    check(r#"{"\u0061b":1}"#, "{ab:1 }");
    for string in [
        r"\ud83d",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ude00",
        r"\ud83d\ud83d",
        r"\u12",
        r"\u+123",
        r"\x41",
        r"\'",
        "\u{1}",
        "\n",
        r"\",
    ] {
        refuse(&format!("{{\"a\":\"{string}\"}}"));
    }
}

#[test]
fn refuses_what_is_not_one_object() {
    for text in [
        "",
        " ",
        "[]",
        "1",
        "null",
        "\"a\"",
        "{",
        "}",
        "{}{}",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":tru}",
        "{\"a\":1]",
        "{\"a\":[1}",
        "\u{feff}{}",
        "{\"a\":1 /* */}",
        "{\"a\":\"x}",
    ] {
        refuse(text);
    }
}

#[test]
fn refuses_duplicate_keys_however_they_are_spelled() {
    refuse(r#"{"a":1,"a":1}"#);
    refuse(r#"{"a":1,"b":{"c":1,"d":2,"c":3}}"#);
    refuse(r#"{"ab":1,"\u0061b":2}"#);
    check(r#"{"a":{"a":1},"b":{"a":1}}"#, "{a:{a:1 } b:{a:1 } }");
    let keys: Vec<String> = (0..1000).map(|key| format!("\"{key}\":0")).collect();
    let mut buffer = Buffer::default();
    assert!(buffer.read(&format!("{{{}}}", keys.join(","))).is_some());
    assert!(buffer.read(&format!("{{{},\"500\":1}}", keys.join(","))).is_none());
}

#[test]
fn looks_up_keys() {
    let mut buffer = Buffer::default();
    let tape = buffer.read(r#"{"a":[1,{"x":2}],"b\n":{"a":3},"":4}"#).unwrap();
    let value = |map, key: &[u8]| tape.get(map, key).and_then(|at| tape.item(at));
    assert_eq!(value(Tape::ROOT, b""), Some(Item::Int(4)));
    assert_eq!(value(tape.get(Tape::ROOT, b"b\n").unwrap(), b"a"), Some(Item::Int(3)));
    assert_eq!(value(Tape::ROOT, b"x"), None);
    assert_eq!(value(1, b"x"), None);
}

#[test]
fn limits_hold_at_the_bound_and_not_past_it() {
    let nested = |depth: usize| format!("{}{}", "{\"a\":".repeat(depth - 1) + "{}", "}".repeat(depth - 1));
    let mut buffer = Buffer::default();
    assert!(buffer.read(&nested(MAX_DEPTH)).is_some());
    assert!(buffer.read(&nested(MAX_DEPTH + 1)).is_none());
    let lists = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(buffer.read(&lists(MAX_DEPTH)).is_some());
    assert!(buffer.read(&lists(MAX_DEPTH + 1)).is_none());
    let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    assert!(buffer.read(&long(PROPERTIES_BYTES)).is_some());
    assert!(buffer.read(&long(PROPERTIES_BYTES + 1)).is_none());
}
