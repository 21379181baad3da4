//! Writes the few structures of DER (X.690) that `verify_signature` of Envoy takes.

use p256::ecdsa::{Signature, VerifyingKey};

/// SEQUENCE { SEQUENCE { OID ecPublicKey, OID prime256v1 }, BIT STRING of the point } up to the point (RFC 5480).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// SEQUENCE { OID rsaEncryption, NULL } (RFC 8017 appendix A.1).
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `SubjectPublicKeyInfo` of a point of P-256.
pub(super) fn p256_key(key: &VerifyingKey) -> Vec<u8> {
    [P256_PREFIX.as_slice(), key.to_sec1_point(false).as_bytes()].concat()
}

/// `SubjectPublicKeyInfo` of an RSA key with the exponent 65537.
pub(super) fn rsa_key(modulus: &[u8]) -> Vec<u8> {
    let key = element(SEQUENCE, &[integer(modulus), integer(&[1, 0, 1])].concat());
    element(SEQUENCE, &[RSA_ALGORITHM.to_vec(), element(BIT_STRING, &[&[0], key.as_slice()].concat())].concat())
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).
pub(super) fn p256_signature(signature: &Signature) -> Vec<u8> {
    let (r, s) = signature.split_bytes();
    element(SEQUENCE, &[integer(&r), integer(&s)].concat())
}

/// A number that is not negative, from its bytes, the highest first.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    // The highest bit is the sign; and zero has one byte.
    let sign: &[u8] = if bytes.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    element(INTEGER, &[sign, bytes].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, 0..=0x7F) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, content].concat()
}
