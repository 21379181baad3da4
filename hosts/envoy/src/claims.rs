//! The claims of a verified token -> the facts about the subject.
//!
//! In: the metadata of the request (`envoy.config.core.v3.Metadata`), where Envoy's `jwt_authn` puts the payload of a
//! token that it verified. Out: the subject, nobody, or `Unreadable`. A claim that is there and cannot be read is never
//! skipped: a token never turns into an anonymous or a role-less subject.
//!
//! Why the serialized message: in the property of one payload (a map in Envoy's own encoding) types are lost, so
//! that a number reads like a text, and Envoy fails the whole map over one `null` claim (Envoy 1.40).

use portcullis_core::Subject;

use crate::config::ClaimNames;
use crate::identity::{FactNames, Identity, Payload, Unreadable};
use crate::protobuf::{Field, Wire, fields};

/// Who writes the payload of a verified token into the metadata.
const JWT_AUTHN: &[u8] = b"envoy.filters.http.jwt_authn";

/// The subject of the token; `None` when none was verified.
pub fn identity(metadata: &[u8], payload_key: &str, names: &ClaimNames) -> Result<Option<Identity>, Unreadable> {
    match of_filter(metadata, JWT_AUTHN)?.map(|of_filter| of_filter.structure(payload_key)).transpose()?.flatten() {
        Some(payload) => Identity::read(&payload, &FactNames::of_claims(names)).map(Some),
        None => Ok(None),
    }
}

/// What one filter says in `Metadata.filter_metadata`.
pub fn of_filter<'a>(metadata: &'a [u8], filter: &[u8]) -> Result<Option<Struct<'a>>, Unreadable> {
    Ok(entry(metadata, filter)?.map(Struct))
}

/// A serialized `google.protobuf.Struct`.
#[derive(Clone, Copy)]
pub struct Struct<'a>(&'a [u8]);

impl<'a> Struct<'a> {
    /// The struct under a key; anything else there is unreadable.
    fn structure(self, name: &str) -> Result<Option<Self>, Unreadable> {
        match self.get(name)?.map(value).transpose()? {
            None => Ok(None),
            Some(Value::Struct(fields)) => Ok(Some(Self(fields))),
            Some(_) => Err(Unreadable),
        }
    }

    /// The names of all fields.
    pub fn names(self) -> impl Iterator<Item = Result<&'a [u8], Unreadable>> {
        fields(self.0).filter_map(|field| match field {
            None => Some(Err(Unreadable)),
            Some(field) => field.bytes(1).map(|entry| key_and_value(entry).map(|(key, _)| key)),
        })
    }

    fn get(self, name: &str) -> Result<Option<&'a [u8]>, Unreadable> {
        entry(self.0, name.as_bytes())
    }
}

impl Payload for Struct<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        self.get(name)?.map(text).transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Unreadable> {
        self.get(name)?.map(list).transpose()
    }

    fn integer(&self, name: &str) -> Result<Option<u64>, Unreadable> {
        self.get(name)?.map(integer).transpose()
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        self.get(name)?.map(flag).transpose()
    }
}

// === google.protobuf.Struct, as far as claims need it ===

/// A `google.protobuf.Value`; what no claim may be is left out.
enum Value<'a> {
    Number(f64),
    Text(&'a [u8]),
    Flag(bool),
    Struct(&'a [u8]),
    List(&'a [u8]),
}

/// The value under `key` of a map that is field 1 of `message`; twice the same key is unreadable.
fn entry<'a>(message: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, Unreadable> {
    let mut found = None;
    for field in fields(message) {
        let Some(entry) = field.ok_or(Unreadable)?.bytes(1) else {
            continue;
        };
        let (entry_key, value) = key_and_value(entry)?;
        if entry_key == key && found.replace(value).is_some() {
            return Err(Unreadable);
        }
    }
    Ok(found)
}

/// Both parts of a map entry; absent ones are empty.
fn key_and_value(entry: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let (mut key, mut value) = (&b""[..], &b""[..]);
    for field in fields(entry) {
        let field = field.ok_or(Unreadable)?;
        if let Some(bytes) = field.bytes(1) {
            key = bytes;
        } else if let Some(bytes) = field.bytes(2) {
            value = bytes;
        }
    }
    Ok((key, value))
}

/// The one field of a `Value`.
fn value(message: &[u8]) -> Result<Value<'_>, Unreadable> {
    let mut only = fields(message);
    let (Some(Some(Field { number, value })), None) = (only.next(), only.next()) else {
        return Err(Unreadable);
    };
    match (number, value) {
        (2, Wire::Fixed64(bytes)) => Ok(Value::Number(f64::from_le_bytes(bytes))),
        (3, Wire::Bytes(text)) => Ok(Value::Text(text)),
        (4, Wire::Varint(flag)) => Ok(Value::Flag(flag != 0)),
        (5, Wire::Bytes(fields)) => Ok(Value::Struct(fields)),
        (6, Wire::Bytes(values)) => Ok(Value::List(values)),
        _ => Err(Unreadable),
    }
}

fn text(message: &[u8]) -> Result<String, Unreadable> {
    match value(message)? {
        Value::Text(bytes) => core::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Unreadable),
        _ => Err(Unreadable),
    }
}

fn flag(message: &[u8]) -> Result<bool, Unreadable> {
    match value(message)? {
        Value::Flag(flag) => Ok(flag),
        _ => Err(Unreadable),
    }
}

/// A number without a fraction, not negative, and small enough to be exact in a `Value` (2^53).
fn integer(message: &[u8]) -> Result<u64, Unreadable> {
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    match value(message)? {
        // The guard makes the cast exact.
        Value::Number(number) if number.fract() == 0.0 && (0.0..=LARGEST).contains(&number) => Ok(number as u64),
        _ => Err(Unreadable),
    }
}

/// At most `Subject::MAX_ROLES` texts.
fn list(message: &[u8]) -> Result<Vec<String>, Unreadable> {
    let Value::List(values) = value(message)? else {
        return Err(Unreadable);
    };
    let mut names = Vec::new();
    for field in fields(values) {
        if names.len() == Subject::MAX_ROLES {
            return Err(Unreadable);
        }
        names.push(text(field.ok_or(Unreadable)?.bytes(1).ok_or(Unreadable)?)?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use portcullis_core::Credential;
    use serde_json::{Value, json};

    use super::identity;
    use crate::fake::{config, metadata};
    use crate::identity::{Identity, Unreadable};

    /// What is read with these keys in the configuration.
    fn read_with(bytes: &[u8], keys: Value) -> Result<Option<Identity>, Unreadable> {
        identity(bytes, "jwt_payload", &config(keys).claims)
    }

    fn read(bytes: &[u8]) -> Result<Option<Identity>, Unreadable> {
        read_with(bytes, json!({}))
    }

    #[track_caller]
    fn check(payload: Value, expected: Result<(), Unreadable>) {
        let bytes = metadata("jwt_payload", &payload);
        let found = read(&bytes).map(|claims| assert!(claims.is_some(), "{payload}"));
        assert_eq!(found, expected, "{payload}");
    }

    /// Recorded from Envoy 1.40 for `{"iss":"https://issuer.demo","exp":4000000000,"aud":"portcullis",
    /// "roles":["x\u0000y"],"sub":"a\u0000b"}`.
    const RECORDED: &[u8] = b"\n\x9a\x01\n\x1cenvoy.filters.http.jwt_authn\x12z\nx\n\x0bjwt_payload\x12i*g\n\x1c\n\x03iss\x12\x15\x1a\x13https://issuer.demo\n\x10\n\x03exp\x12\t\x11\x00\x00\x00\x00e\xcd\xedA\n\x13\n\x03aud\x12\x0c\x1a\nportcullis\n\x12\n\x05roles\x12\t2\x07\n\x05\x1a\x03x\x00y\n\x0c\n\x03sub\x12\x05\x1a\x03a\x00b";

    #[test]
    fn reads_what_envoy_writes() {
        let claims = read(RECORDED).unwrap().unwrap();
        assert_eq!((&*claims.id, claims.roles.as_slice()), ("a\0b", ["x\0y".to_owned()].as_slice()));
        assert_eq!((&*claims.state, claims.otp, claims.credential), ("active", false, Credential::Token));
        assert_eq!((claims.kind, claims.level, claims.issued_at), (None, None, None));
    }

    #[test]
    fn a_number_is_an_integer_that_is_exact() {
        let read = |payload: Value| {
            let claims = read(&metadata("jwt_payload", &payload)).map(Option::unwrap);
            claims.map(|claims| (claims.level, claims.issued_at))
        };
        assert_eq!(read(json!({"sub": "u1", "level": 0, "iat": 0})), Ok((Some(0), Some(0))));
        assert_eq!(
            read(json!({"sub": "u1", "level": 4_294_967_295_u32, "iat": 1_u64 << 53})),
            Ok((Some(u32::MAX), Some(1 << 53)))
        );
        for level in [json!(4_294_967_296_u64), json!(-1), json!(1.5), json!("3"), json!(1e300), json!(null)] {
            assert_eq!(read(json!({"sub": "u1", "level": level})), Err(Unreadable), "{level}");
        }
        for issued in [json!((1_u64 << 53) + 2), json!(-1), json!(0.5), json!("1700000000"), json!(true)] {
            assert_eq!(read(json!({"sub": "u1", "iat": issued})), Err(Unreadable), "{issued}");
        }
    }

    #[test]
    fn no_bytes_of_the_recording_can_be_missing() {
        for length in 1..RECORDED.len() {
            assert_eq!(read(&RECORDED[..length]), Err(Unreadable), "{length}");
        }
    }

    #[test]
    fn no_verified_token_is_nobody() {
        let other = metadata("other_key", &json!({"sub": "u1"}));
        assert_eq!(read(b""), Ok(None));
        assert_eq!(read(&other), Ok(None));
    }

    #[test]
    fn reads_every_claim_under_its_configured_name() {
        let names = json!({"claims": {"roles": "r", "state": "s", "permission_groups": "g", "otp": "o", "credential": "c",
            "type": "t", "level": "l", "issued_at": "i"}});
        let payload = json!({"sub": "u1", "r": ["a", "b"], "s": "banned", "g": ["p"], "o": true, "c": "api_key",
            "t": "service", "l": 3, "i": 1_700_000_000,
            "roles": 7, "state": null, "otp": "yes", "type": 1, "level": "x", "iat": {}});
        let bytes = metadata("jwt_payload", &payload);
        let claims = read_with(&bytes, names).unwrap().unwrap();
        assert_eq!(
            claims,
            Identity {
                id: "u1".to_owned(),
                kind: Some("service".to_owned()),
                state: "banned".to_owned(),
                roles: vec!["a".to_owned(), "b".to_owned()],
                permission_groups: vec!["p".to_owned()],
                level: Some(3),
                otp: true,
                issued_at: Some(1_700_000_000),
                credential: Credential::ApiKey,
                properties: None,
                expires: None,
            }
        );
    }

    #[test]
    fn claims_that_nobody_asked_for_may_be_anything() {
        check(json!({"sub": "u1", "x": null, "y": [1, {"a": []}], "z": {"sub": 1}}), Ok(()));
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_unreadable() {
        for payload in [
            json!({}),
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sub": null}),
            json!({"sub": ["u1"]}),
            json!({"sub": "u1", "roles": "admin"}),
            json!({"sub": "u1", "roles": null}),
            json!({"sub": "u1", "roles": {"admin": ""}}),
            json!({"sub": "u1", "roles": ["a", 1]}),
            json!({"sub": "u1", "roles": ["a", ["b"]]}),
            json!({"sub": "u1", "permission_groups": 1.5}),
            json!({"sub": "u1", "type": 1}),
            json!({"sub": "u1", "state": ""}),
            json!({"sub": "u1", "state": true}),
            json!({"sub": "u1", "otp": "true"}),
            json!({"sub": "u1", "otp": 1}),
            json!({"sub": "u1", "credential": "password"}),
            json!({"sub": "u1", "credential": 1}),
        ] {
            check(payload, Err(Unreadable));
        }
    }

    #[test]
    fn a_list_of_names_has_a_limit() {
        let names = |count: usize| (0..count).map(|index| format!("r{index}")).collect::<Vec<_>>();
        for claim in ["roles", "permission_groups"] {
            check(json!({"sub": "u1", claim: names(256)}), Ok(()));
            check(json!({"sub": "u1", claim: names(257)}), Err(Unreadable));
        }
    }

    #[test]
    fn a_payload_that_is_no_object_is_unreadable() {
        for payload in [json!("u1"), json!(["u1"]), json!(null), json!(1)] {
            check(payload, Err(Unreadable));
        }
    }
}
