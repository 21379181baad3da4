//! Random schemas and documents that have a chance to satisfy each other: few names, small numbers, short texts.
//!
//! In: a seed. Out: a schema within our vocabulary, and documents. The same seed always gives the same.

use serde_json::{Map, Value, json};

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn several<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = 1 + self.below(most);
        (0..count).map(|_| make(self)).collect()
    }
}

const NAMES: [&str; 5] = ["a", "b", "c", "ab", "a-rather-long-name"];
const TEXTS: [&str; 8] = ["", "a", "b", "ab", "abc", "\u{e9}", "\u{1F600}x", "2020-01-31"];
const PATTERNS: [&str; 6] = ["^a", "b$", "^[a-c]+$", "^.$", "-", "^$"];
const FORMATS: [&str; 7] = ["date", "ipv4", "uuid", "json-pointer", "date-time", "ipv6", "time"];
const FORMATTED: [&str; 14] = [
    "2024-02-29",
    "2023-02-29",
    "127.0.0.1",
    "127.0.0.256",
    "::1",
    "1::2::3",
    "/a~0/b",
    "a",
    "12:00:00Z",
    "24:00:00Z",
    "2024-02-29T12:00:00Z",
    "2024-02-29 12:00:00Z",
    "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
    "2eb8aa08",
];
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
const NUMBERS: [f64; 10] = [-2.0, -1.5, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0];

/// A schema with definitions that it and they refer to.
pub fn schema(random: &mut Random) -> Value {
    let mut root = object(random, 3);
    let definitions: Map<String, Value> =
        ["x", "y"].into_iter().map(|name| (name.to_owned(), any_schema(random, 2))).collect();
    root.insert("$defs".to_owned(), definitions.into());
    root.into()
}

fn any_schema(random: &mut Random, depth: usize) -> Value {
    match random.below(12) {
        0 => true.into(),
        1 => false.into(),
        2 | 3 => json!({"$ref": random.pick(&["#/$defs/x", "#/$defs/y", "#"])}),
        _ => object(random, depth).into(),
    }
}

fn object(random: &mut Random, depth: usize) -> Map<String, Value> {
    let mut schema = Map::new();
    for _keyword in 0..1 + random.below(3) {
        keyword(random, depth, &mut schema);
    }
    schema
}

fn keyword(random: &mut Random, depth: usize, schema: &mut Map<String, Value>) {
    let kinds = if depth == 0 { 18 } else { 37 };
    let kind = random.below(kinds);
    let (name, value) = match kind {
        0 | 1 => ("type", json!(random.pick(&TYPES))),
        2 => {
            let mut types = random.several(3, |random| random.pick(&TYPES));
            types.sort_unstable();
            types.dedup();
            ("type", json!(types))
        }
        3 => ("const", document(random, 1)),
        4 => ("enum", random.several(4, |random| document(random, 1)).into()),
        5 => ("multipleOf", json!(random.pick(&[0.5, 1.0, 1.5, 2.0, 3.0]))),
        6 => (random.pick(&["minimum", "exclusiveMinimum"]), number(random)),
        7 => (random.pick(&["maximum", "exclusiveMaximum"]), number(random)),
        8 => (random.pick(&["minLength", "maxLength"]), json!(random.below(4))),
        9 => ("pattern", json!(random.pick(&PATTERNS))),
        10 => ("format", json!(random.pick(&FORMATS))),
        11 => (random.pick(&["minItems", "maxItems"]), json!(random.below(4))),
        12 => ("uniqueItems", json!(!random.one_in(4))),
        13 => ("required", names(random).into()),
        14 => (random.pick(&["minProperties", "maxProperties"]), json!(random.below(4))),
        15 => ("dependentRequired", json!({random.pick(&NAMES): names(random)})),
        16 => (random.pick(&["minContains", "maxContains"]), json!(random.below(3))),
        17 => ("$ref", json!(random.pick(&["#/$defs/x", "#/$defs/y"]))),
        18 | 19 => ("properties", named(random, depth)),
        20 => ("patternProperties", json!({random.pick(&PATTERNS): any_schema(random, depth - 1)})),
        21 => ("additionalProperties", any_schema(random, depth - 1)),
        22 => ("propertyNames", any_schema(random, depth - 1)),
        23 => ("items", any_schema(random, depth - 1)),
        24 => ("prefixItems", list(random, depth)),
        25 => ("contains", any_schema(random, depth - 1)),
        26 => ("allOf", list(random, depth)),
        27 => ("anyOf", list(random, depth)),
        28 => ("oneOf", list(random, depth)),
        29 => ("not", any_schema(random, depth - 1)),
        30 => ("if", any_schema(random, depth - 1)),
        31 => ("then", any_schema(random, depth - 1)),
        32 => ("else", any_schema(random, depth - 1)),
        33 => ("dependentSchemas", json!({random.pick(&NAMES): any_schema(random, depth - 1)})),
        34 | 35 => ("unevaluatedProperties", any_schema(random, depth - 1)),
        _ => ("unevaluatedItems", any_schema(random, depth - 1)),
    };
    schema.insert(name.to_owned(), value);
}

fn list(random: &mut Random, depth: usize) -> Value {
    random.several(3, |random| any_schema(random, depth - 1)).into()
}

fn named(random: &mut Random, depth: usize) -> Value {
    let named: Map<String, Value> = random
        .several(3, |random| (random.pick(&NAMES).to_owned(), any_schema(random, depth - 1)))
        .into_iter()
        .collect();
    named.into()
}

fn names(random: &mut Random) -> Vec<Value> {
    let mut names = random.several(2, |random| random.pick(&NAMES));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Value::from).collect()
}

fn number(random: &mut Random) -> Value {
    let number: f64 = random.pick(&NUMBERS);
    match number.fract() == 0.0 && random.below(3) > 0 {
        true => json!(number as i64),
        false => json!(number),
    }
}

/// A document that nests up to `depth` deep.
pub fn document(random: &mut Random, depth: usize) -> Value {
    let kinds = if depth == 0 { 6 } else { 12 };
    match random.below(kinds) {
        0 => Value::Null,
        1 => random.one_in(2).into(),
        2 | 3 => number(random),
        4 => random.pick(&TEXTS).into(),
        5 => random.pick(&FORMATTED).into(),
        6..9 => {
            let count = random.below(4);
            (0..count).map(|_| document(random, depth - 1)).collect::<Vec<_>>().into()
        }
        _ => {
            let count = random.below(4);
            let members = (0..count).map(|_| (random.pick(&NAMES).to_owned(), document(random, depth - 1)));
            members.collect::<Map<_, _>>().into()
        }
    }
}
