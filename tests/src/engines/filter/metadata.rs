//! What Envoy's `jwt_authn` leaves of a token that it verified: an `envoy.config.core.v3.Metadata` with the claims as a
//! `google.protobuf.Struct`.

use serde_json::Value;

/// The metadata of a request whose token has these claims; `key` is `payload_in_metadata`.
pub fn of_payload(key: &str, claims: &Value) -> Vec<u8> {
    entry("envoy.filters.http.jwt_authn", &entry(key, &value(claims)))
}

/// A `google.protobuf.Value`.
fn value(json: &Value) -> Vec<u8> {
    match json {
        Value::Null => vec![1 << 3, 0],
        Value::Number(number) => {
            let bytes = number.as_f64().unwrap_or(f64::NAN).to_le_bytes();
            [&[2 << 3 | 1], &bytes[..]].concat()
        }
        Value::String(text) => field(3, text.as_bytes()),
        Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
        Value::Object(members) => {
            field(5, &members.iter().flat_map(|(key, member)| entry(key, &value(member))).collect::<Vec<_>>())
        }
        Value::Array(items) => field(6, &items.iter().flat_map(|item| field(1, &value(item))).collect::<Vec<_>>()),
    }
}

/// An entry of a map that is field 1 of its message.
fn entry(key: &str, value: &[u8]) -> Vec<u8> {
    field(1, &[field(1, key.as_bytes()), field(2, value)].concat())
}

/// A field whose length comes first.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(bytes);
    field
}
