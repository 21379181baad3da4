//! A form (`application/x-www-form-urlencoded`, WHATWG URL section 5) or a query string -> a tape.
//!
//! In: the bytes, and which fields of a schema are no texts. Out: an object with one member per name, in the order of
//! their first values: numbers and booleans where the schema says so and the text is one, a list where a list is
//! declared or a name comes more than once. Refused: broken percent-encoding, what is not UTF-8, too many fields.

use portcullis_bundle::Policy;
use portcullis_bundle::limits::FORM_FIELDS;
use portcullis_bundle::schema::{ITEMS_SHIFT, JsonType, Schema, property_hash};

use super::fault::{Fault, FaultKind};
use super::number;
use super::tape::{Buffer, Item, Span};

/// The fields of the form that is being read.
pub(super) type Fields = Vec<Field>;

#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    hash: u32,
    name: Span,
    value: Span,
    is_taken: bool,
}

pub(super) fn read<'t>(
    policy: &Policy,
    schema: &Schema,
    document: &'t [u8],
    buffer: &mut Buffer,
    fields: &mut Fields,
) -> Result<&'t str, Fault> {
    buffer.clear();
    fields.clear();
    let text = core::str::from_utf8(document).map_err(|error| Fault::at(FaultKind::Utf8, error.valid_up_to()))?;
    let mut offset = 0_usize;
    for pair in text.split('&') {
        if !pair.is_empty() {
            if fields.len() >= FORM_FIELDS {
                return Err(Fault::at(FaultKind::TooManyFields, offset));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let [name, value] = [name, value].map(|part| decode(part, buffer).map_err(|kind| Fault::at(kind, offset)));
            let name = name?;
            let hash = property_hash(buffer.tape(text).str(name).as_bytes());
            fields.push(Field { hash, name, value: value?, is_taken: false });
        }
        offset = offset.saturating_add(pair.len()).saturating_add(1);
    }
    let mut form = Form { policy, schema, text, buffer };
    form.write(fields);
    Ok(text)
}

/// Adds a part of a pair, decoded, to the texts.
fn decode(part: &str, buffer: &mut Buffer) -> Result<Span, FaultKind> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>().ok_or(FaultKind::Escape)?;
                let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
                rest = after;
                (high.ok_or(FaultKind::Escape)? << 4 | low.ok_or(FaultKind::Escape)?) as u8
            }
            byte => byte,
        });
    }
    let start = buffer.decoded.len();
    buffer.decoded.push_str(core::str::from_utf8(&bytes).map_err(|_| FaultKind::Utf8)?);
    Ok(buffer.decoded_from(start))
}

struct Form<'a> {
    policy: &'a Policy,
    schema: &'a Schema,
    text: &'a str,
    buffer: &'a mut Buffer,
}

impl Form<'_> {
    fn write(&mut self, fields: &mut [Field]) {
        self.buffer.items.push(Item::Null);
        let mut count = 0_u32;
        let mut rest = fields;
        while let Some((field, others)) = rest.split_first_mut() {
            if !field.is_taken {
                self.member(*field, others);
                count = count.saturating_add(1);
            }
            rest = others;
        }
        let end = self.buffer.next();
        self.buffer.set(0, Item::Map { count, end });
    }

    /// A member, with the values of all later fields of this name.
    fn member(&mut self, field: Field, others: &mut [Field]) {
        let Field { hash, name, value, .. } = field;
        let tape = self.buffer.tape(self.text);
        let is_same = |other: &Field| other.hash == hash && tape.str(other.name) == tape.str(name);
        let mut values = vec![value];
        for other in others.iter_mut().filter(|other| is_same(other)) {
            other.is_taken = true;
            values.push(other.value);
        }
        let (types, of_items) = self.types(field);
        self.buffer.items.push(Item::Key { hash, name });
        let is_list = types & JsonType::Array as u8 != 0 && types & JsonType::String as u8 == 0;
        match values.as_slice() {
            &[value] if !is_list => self.value(value, types),
            values => {
                let at = self.buffer.next();
                self.buffer.items.push(Item::Null);
                values.iter().for_each(|&value| self.value(value, of_items));
                let (count, end) = (values.len() as u32, self.buffer.next());
                self.buffer.set(at, Item::List { count, end });
            }
        }
    }

    /// The types that are declared for a field, and for its items; those of texts when it is not listed.
    fn types(&self, field: Field) -> (u8, u8) {
        const TEXT: u8 = JsonType::String as u8;
        let name = self.buffer.tape(self.text).str(field.name);
        let fields = self.policy.properties(self.schema.fields).unwrap_or_default();
        let first = fields.partition_point(|known| known.hash.get() < field.hash);
        let same_hash =
            fields.get(first..).unwrap_or_default().iter().take_while(|known| known.hash.get() == field.hash);
        let found = same_hash.into_iter().find(|known| self.policy.text(known.name) == Some(name.as_bytes()));
        found.map_or((TEXT, TEXT), |known| (known.node.get() as u8, (known.node.get() >> ITEMS_SHIFT) as u8))
    }

    fn value(&mut self, value: Span, types: u8) {
        let is = |kind: JsonType| types & kind as u8 != 0;
        let text = self.buffer.tape(self.text).str(value);
        let item = match text {
            _ if is(JsonType::String) => Item::String(value),
            "true" if is(JsonType::Boolean) => Item::Bool(true),
            "false" if is(JsonType::Boolean) => Item::Bool(false),
            "" if is(JsonType::Null) => Item::Null,
            text if (is(JsonType::Integer) || is(JsonType::Number)) && number::is_number(text) => Item::Number(value),
            _ => Item::String(value),
        };
        self.buffer.items.push(item);
    }
}
