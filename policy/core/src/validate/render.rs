//! Violations by their numbers -> in words: where, which code, which parameters, which message.

use core::fmt::Write as _;

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Range, Text};
use portcullis_bundle::schema::{Check, Format, JsonType, Note, NoteKind};

use super::equal::Literals;
use super::found::{Found, Violations};
use super::keyword::Keyword;
use super::report::{Param, Report, Verdict, Violation};
use super::tape::{Item, Tape};
use super::write;

/// Values that are listed in a parameter.
const MOST_VALUES: usize = 32;
/// Bytes of a value of the document in a parameter.
const MOST_BYTES: usize = 64;

pub(super) fn report<'p>(policy: &'p Policy, tape: Tape<'_>, violations: &Violations, language: &str) -> Report<'p> {
    let in_words = |found: &Found| Writer { policy, tape, found, language }.violation();
    Report {
        verdict: Verdict::Invalid,
        violations: violations.found().iter().map(in_words).collect(),
        has_more: violations.has_more(),
        normalized: None,
    }
}

struct Writer<'w, 'p> {
    policy: &'p Policy,
    tape: Tape<'w>,
    found: &'w Found,
    language: &'w str,
}

impl<'p> Writer<'_, 'p> {
    fn violation(&self) -> Violation<'p> {
        let keyword = self.found.keyword;
        let pointer = Pointer::of(self.tape, self.found.at);
        let params = self.params(&pointer);
        let message = fill(self.template(), &params);
        Violation { pointer: pointer.text, keyword: keyword.name(), code: self.code(), params, message }
    }

    // === what the schema says ===

    fn notes(&self, node: u32, kind: NoteKind) -> impl Iterator<Item = (&'p str, &'p str)> {
        let policy = self.policy;
        let notes: &[Note] = policy.schema_node(node).and_then(|node| policy.notes(node.notes)).unwrap_or_default();
        let of_kind = notes.iter().filter(move |note| note.kind == kind as u8);
        of_kind.filter_map(|note| Some((policy.str(note.key)?, policy.str(note.text)?)))
    }

    fn code(&self) -> &'p str {
        let keyword = self.found.keyword;
        let code = |node: u32, key: &str| {
            self.notes(node, NoteKind::Code).find(|(found, _)| *found == key).map(|(_, code)| code)
        };
        // A property that is missing may have a code of its own.
        let missing = match keyword {
            Keyword::Required => self.policy.property(self.found.property).map(|property| property.node.get()),
            _ => None,
        };
        let own = missing.and_then(|node| code(node, keyword.name()));
        let noted = self.found.noted;
        own.or_else(|| code(noted, keyword.name())).or_else(|| code(noted, "")).unwrap_or(keyword.code())
    }

    /// The message in the language that is asked for, or a broader one, or the first.
    fn template(&self) -> &'p str {
        let messages = || self.notes(self.found.noted, NoteKind::Message);
        let in_language = |wanted: &str| {
            messages().find(|(language, _)| language.eq_ignore_ascii_case(wanted)).map(|(_, message)| message)
        };
        let broader = self.language.split(['-', '_']).next().unwrap_or_default();
        let first = || messages().next().map(|(_, message)| message);
        let found = in_language(self.language).or_else(|| in_language(broader)).or_else(first);
        found.unwrap_or(self.found.keyword.message())
    }

    // === parameters ===

    fn params(&self, pointer: &Pointer) -> Vec<(&'static str, Param)> {
        let Found { keyword, property, actual, second, .. } = *self.found;
        let mut params = Vec::new();
        let mut number = |name: &'static str, number: u32| params.push((name, Param::Json(number.to_string())));
        let check = self.policy.records().schema_checks.get(self.found.check as usize);
        let limit = |check: Option<&Check>| check.map_or(0, |check| check.a.get());
        match keyword {
            Keyword::MinLength | Keyword::MaxLength | Keyword::MinItems | Keyword::MaxItems => {
                number("limit", limit(check));
                number("actual", actual);
            }
            Keyword::MinProperties | Keyword::MaxProperties => {
                number("limit", limit(check));
                number("actual", actual);
            }
            Keyword::Contains | Keyword::MinContains => {
                number("limit", check.map_or(0, |check| check.b.get()));
                number("actual", actual);
            }
            Keyword::MaxContains => {
                number("limit", check.map_or(0, |check| check.c.get()));
                number("actual", actual);
            }
            Keyword::OneOf => number("actual", actual),
            Keyword::UniqueItems => {
                number("first", actual);
                number("second", second);
            }
            Keyword::Required | Keyword::DependentRequired => {
                params.push(("property", self.name_of(property)));
                if let (Keyword::DependentRequired, Some(check)) = (keyword, check) {
                    params.push(("because", self.name_of(check.a.get())));
                }
            }
            keyword if keyword.is_about_property() => {
                params.push(("property", Param::Text(pointer.last.clone())));
            }
            Keyword::Type => self.type_params(&mut params),
            _ => {
                if let Some(check) = check {
                    self.value_params(check, &mut params);
                }
            }
        }
        params
    }

    fn name_of(&self, property: u32) -> Param {
        let property = self.policy.property(property);
        Param::Text(property.and_then(|property| self.policy.str(property.name)).unwrap_or_default().to_owned())
    }

    fn type_params(&self, params: &mut Vec<(&'static str, Param)>) {
        let types = self.policy.schema_node(self.found.node).map_or(0, |node| node.types);
        let names = JsonType::ALL.into_iter().filter(|kind| types & *kind as u8 != 0).map(JsonType::name);
        params.push(("expected", Param::Text(names.collect::<Vec<_>>().join(" or "))));
        let actual = match self.tape.item(self.found.at) {
            None | Some(Item::Null) => JsonType::Null,
            Some(Item::Bool(_)) => JsonType::Boolean,
            Some(Item::Int(_)) => JsonType::Integer,
            Some(Item::Number(_)) => JsonType::Number,
            Some(Item::String(_) | Item::Key { .. }) => JsonType::String,
            Some(Item::List { .. }) => JsonType::Array,
            Some(Item::Map { .. }) => JsonType::Object,
        };
        params.push(("actual", Param::Text(actual.name().to_owned())));
    }

    /// Of keywords that compare with a value.
    fn value_params(&self, check: &Check, params: &mut Vec<(&'static str, Param)>) {
        let text = |offset, bytes| self.policy.str(Text { offset, bytes }).unwrap_or_default().to_owned();
        match self.found.keyword {
            Keyword::Minimum | Keyword::Maximum | Keyword::ExclusiveMinimum | Keyword::ExclusiveMaximum => {
                let limit = check.int_limit().map_or_else(|| text(check.a, check.b), |limit| limit.to_string());
                params.push(("limit", Param::Json(limit)));
                self.push_actual(params);
            }
            Keyword::MultipleOf => {
                let digits = u64::from(check.a.get()) | u64::from(check.b.get()) << u32::BITS;
                params.push(("divisor", Param::Json(decimal(digits, check.c.get() as i32))));
                self.push_actual(params);
            }
            Keyword::Pattern => params.push(("pattern", Param::Text(text(check.b, check.c)))),
            Keyword::Format => {
                let format = Format::from_byte(check.x).map_or("", Format::name);
                params.push(("format", Param::Text(format.to_owned())));
            }
            Keyword::Const => {
                let mut json = String::new();
                write::value(&Literals(self.policy), check.a.get(), write::DEPTH, &mut json);
                params.push(("expected", Param::Json(json)));
            }
            Keyword::Enum => {
                let values = self.policy.schema_list(Range { start: check.a, count: check.b }).unwrap_or_default();
                if values.len() <= MOST_VALUES {
                    let mut json = String::from("[");
                    for (index, value) in values.iter().enumerate() {
                        json.push_str(if index > 0 { "," } else { "" });
                        write::value(&Literals(self.policy), value.get(), write::DEPTH, &mut json);
                    }
                    json.push(']');
                    params.push(("allowed", Param::Json(json)));
                }
            }
            _ => {}
        }
    }

    /// The number that is wrong, unless it is long.
    fn push_actual(&self, params: &mut Vec<(&'static str, Param)>) {
        let mut json = String::new();
        write::value(&self.tape, self.found.at, 1, &mut json);
        if json.len() <= MOST_BYTES {
            params.push(("actual", Param::Json(json)));
        }
    }
}

/// `digits` times ten to the power of `exponent` as a JSON number.
fn decimal(digits: u64, exponent: i32) -> String {
    let mut text = digits.to_string();
    let shift = exponent.unsigned_abs() as usize;
    match exponent {
        0 => {}
        1..=20 => text.extend(core::iter::repeat_n('0', shift)),
        -20..0 => {
            if text.len() <= shift {
                let zeros = shift.saturating_sub(text.len()).saturating_add(1);
                text.insert_str(0, &"0".repeat(zeros));
            }
            text.insert(text.len().saturating_sub(shift), '.');
        }
        _ => {
            // Writing to a string does not fail.
            let _ = write!(text, "e{exponent}");
        }
    }
    text
}

/// The template with parameters for the names in braces.
fn fill(template: &str, params: &[(&'static str, Param)]) -> String {
    let mut message = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        message.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let (_, param) = params.iter().find(|(found, _)| *found == name)?;
            Some((param, after))
        });
        rest = match named {
            Some((param, after)) => {
                message.push_str(param.as_str());
                after
            }
            None => {
                message.push('{');
                after
            }
        };
    }
    message.push_str(rest);
    message
}

/// A place in the document.
struct Pointer {
    /// RFC 6901.
    text: String,
    /// Its last part, not escaped.
    last: String,
}

impl Pointer {
    fn of(tape: Tape<'_>, target: u32) -> Self {
        let mut pointer = Self { text: String::new(), last: String::new() };
        let mut at = Tape::ROOT;
        while at != target {
            let holds = |value: u32| (value..tape.after(value)).contains(&target);
            let item = tape.list(at).zip(0_u32..).find(|(item, _)| holds(*item));
            let member = tape.map(at).find(|member| member.key == target || holds(member.value));
            (at, pointer.last) = match (item, member) {
                (Some((item, number)), _) => (item, number.to_string()),
                (None, Some(member)) if member.key == target => (target, tape.str(member.name).to_owned()),
                (None, Some(member)) => (member.value, tape.str(member.name).to_owned()),
                (None, None) => break,
            };
            pointer.text.push('/');
            pointer.text.push_str(&pointer.last.replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}
