//! Reads protobuf messages in place, and writes the simplest (protobuf.dev, "Encoding").
//!
//! In: bytes of one message. Out: its fields in order, or `None` at the first byte that is not protobuf.

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) value: Wire<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Field<'a> {
    /// The bytes of a text, bytes or message field of that number.
    pub(crate) fn bytes(self, number: u64) -> Option<&'a [u8]> {
        match self.value {
            Wire::Bytes(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }
}

/// The first field of `message` and what follows it; `None` when it is malformed.
fn split_field(message: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (tag, rest) = split_varint(message)?;
    let (value, rest) = match tag & 7 {
        0 => {
            let (value, rest) = split_varint(rest)?;
            (Wire::Varint(value), rest)
        }
        1 => {
            let (bytes, rest) = rest.split_first_chunk()?;
            (Wire::Fixed64(*bytes), rest)
        }
        2 => {
            let (length, rest) = split_varint(rest)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Wire::Bytes(bytes), rest)
        }
        5 => {
            let (bytes, rest) = rest.split_first_chunk()?;
            (Wire::Fixed32(*bytes), rest)
        }
        _ => return None,
    };
    Some((Field { number: tag >> 3, value }, rest))
}

fn split_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

/// The fields of `message`; a malformed one comes out as `None`, and nothing after it.
pub(crate) fn fields(message: &[u8]) -> impl Iterator<Item = Option<Field<'_>>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((field, after)) = split_field(rest) else {
            rest = &[];
            return Some(None);
        };
        rest = after;
        Some(Some(field))
    })
}

/// Appends a text, bytes or message field.
pub(crate) fn push_bytes(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = bytes.len();
    while length > 0x7F {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::{Field, Wire, fields};

    #[test]
    fn reads_each_kind_of_field() {
        let message = b"\x08\xac\x02\x11\0\0\0\0\0\0\xf0?\x1a\x03abc\x25\x01\0\0\0";
        let found: Option<Vec<_>> = fields(message).collect();
        let field = |number, value| Field { number, value };
        assert_eq!(
            found.unwrap(),
            [
                field(1, Wire::Varint(300)),
                field(2, Wire::Fixed64(1_f64.to_le_bytes())),
                field(3, Wire::Bytes(b"abc")),
                field(4, Wire::Fixed32([1, 0, 0, 0])),
            ]
        );
    }

    #[test]
    fn stops_at_what_is_not_protobuf() {
        for message in [
            &b"\x08"[..],
            b"\x08\x80",
            b"\x1a\x05abc",
            b"\x11\0",
            b"\x25\0",
            b"\x0b",
            b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(fields(message).last(), Some(None), "{message:?}");
        }
    }
}
