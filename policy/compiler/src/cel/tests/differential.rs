//! Our evaluator against the interpreter of the `cel` crate: over generated expressions and the same facts both have
//! the same value of the same type, or both have none.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, Env, Value};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::generate::{Generator, TYPES};
use super::{http, outcome};
use portcullis_core::Request;

const CASES: u32 = 3_000;
/// The parser of the reference takes more stack than a thread has, built for tests.
const STACK_BYTES: usize = 256 << 20;

const CONTEXT: &str =
    r#"{"n": 5, "d": 2.5, "s": "a\n", "flag": true, "list": [3, 1, 2], "counts": {"a": 1, "é😀": 12}}"#;

fn request() -> Request<'static> {
    Request { context: Some(CONTEXT), ..http() }
}

/// The facts of `request` as the reference takes them.
fn facts(context: &mut Context<'_, '_>) {
    let map = |entries: Vec<(&str, Value)>| -> Value {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<HashMap<_, _>>().into()
    };
    let texts = |texts: &[&str]| -> Value { texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>().into() };
    let subject = map(vec![
        ("id", "u1".into()),
        ("level", 3_i64.into()),
        ("otp", true.into()),
        ("roles", texts(&["admin", "editor"])),
    ]);
    let list: Vec<Value> = [3_i64, 1, 2].into_iter().map(Value::from).collect();
    let facts = map(vec![
        ("n", 5_i64.into()),
        ("d", 2.5.into()),
        ("s", "a\n".into()),
        ("flag", true.into()),
        ("list", list.into()),
        ("counts", map(vec![("a", 1_i64.into()), ("é😀", 12_i64.into())])),
    ]);
    context.add_variable_from_value("subject", subject);
    context.add_variable_from_value("request", map(vec![("path", "/a/b/~c".into())]));
    context.add_variable_from_value("context", facts);
    let now = Env::stdlib().compile("timestamp(1700003600)").expect("an expression");
    context.add_variable_from_value("now", now.execute(context).expect("a timestamp"));
}

/// What the reference says: an expression for the value, or nothing.
fn reference(env: &Env, context: &Context<'_, '_>, text: &str) -> Result<Option<Value>, String> {
    let program = env.compile(text).map_err(|error| error.to_string())?;
    Ok(program.execute(context).ok())
}

/// An expression whose value is `value`; `None` when it holds a NaN, which equals nothing.
fn literal(value: &Value) -> Option<String> {
    let sequence = |items: &[Value]| Some(items.iter().map(literal).collect::<Option<Vec<_>>>()?.join(", "));
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => format!("{value}u"),
        Value::Float(value) if value.is_nan() => return None,
        Value::Float(value) if value.is_infinite() => format!("{:?} / 0.0", value.signum()),
        Value::Float(value) => format!("{value:?}"),
        Value::String(value) => {
            let mut text = String::new();
            value.chars().for_each(|c| write!(text, "\\U{:08x}", u32::from(c)).expect("a string"));
            format!("'{text}'")
        }
        Value::Bytes(value) => {
            let mut text = String::new();
            value.iter().for_each(|byte| write!(text, "\\x{byte:02x}").expect("a string"));
            format!("b'{text}'")
        }
        Value::Timestamp(value) => format!("timestamp('{}')", value.to_rfc3339()),
        Value::Duration(value) => {
            format!("duration('{}s') + duration('{}ns')", value.num_seconds(), value.subsec_nanos())
        }
        Value::List(items) => format!("[{}]", sequence(items)?),
        Value::Map(map) => {
            let entry = |(key, value): (&Key, &Value)| Some(format!("{}: {}", literal(&key.into())?, literal(value)?));
            format!("{{{}}}", map.map.iter().map(entry).collect::<Option<Vec<_>>>()?.join(", "))
        }
        other => panic!("{other:?} is no value of a condition"),
    })
}

#[test]
fn agrees_with_the_reference_interpreter() {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(compare_all).expect("a thread");
    thread.join().expect("no difference");
}

fn compare_all() {
    let env = Arc::new(Env::stdlib());
    let mut context = Context::with_env(env.clone());
    facts(&mut context);
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    });
    let choices = prop::collection::vec(any::<u8>(), 1..60);
    let (values, errors) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&choices, |choices| {
        let mut generator = Generator::new(&choices);
        let of = TYPES[generator.pick(TYPES.len())];
        let has_value = compare(&env, &context, &generator.expr(of, 4)).map_err(TestCaseError::fail)?;
        let counter = if has_value { &values } else { &errors };
        counter.set(counter.get() + 1);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let (values, errors): (u32, u32) = (values.get(), errors.get());
    assert!(values > CASES / 3 && errors > CASES / 10, "{values} values, {errors} errors");
}

/// Whether both have a value; an error when they differ.
fn compare(env: &Env, context: &Context<'_, '_>, text: &str) -> Result<bool, String> {
    let (condition, expected) = match reference(env, context, text)? {
        None => (format!("[dyn({text})] == []"), "failed"),
        Some(value) => match literal(&value) {
            Some(literal) => (format!("type({text}) == type({literal}) && dyn({text}) == dyn({literal})"), "true"),
            None => (format!("type({text}) == double && dyn({text}) != dyn({text})"), "true"),
        },
    };
    let found = outcome(&condition, &request());
    if found == expected {
        Ok(expected == "true")
    } else {
        Err(format!("{text}\nexpected {expected}, found {found}\nin {condition}"))
    }
}
