//! Tokens of a made-up identity provider: EdDSA, always the same key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "portcullis";
const KEY_ID: &str = "demo";
/// The year 2100: no test waits that long, and Envoy requires an expiry.
const EXPIRES: u64 = 4_102_444_800;

fn key() -> SigningKey {
    SigningKey::from_bytes(b"portcullis demo key, no secret. ")
}

/// The public key as a JSON Web Key Set (RFC 7517, RFC 8037).
pub fn jwks() -> String {
    let x = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": x}]}).to_string()
}

/// A token with these claims; issuer, audience and expiry are added unless they are there.
pub fn mint(claims: Value) -> String {
    let mut payload = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": EXPIRES});
    if let (Value::Object(payload), Value::Object(claims)) = (&mut payload, claims) {
        payload.extend(claims);
    }
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": KEY_ID});
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&payload));
    let signature = URL_SAFE_NO_PAD.encode(key().sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}
