//! A JSON Web Key (RFC 7517, 7518, 8037) -> a key that verifies with one algorithm and no other.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::VerifyingKey;
use portcullis_core::PublicKey;

use super::rsa::RsaKey;

#[derive(Debug)]
pub struct Key {
    pub kid: Option<String>,
    pub material: Material,
}

/// What verifies; the variant is the algorithm.
#[derive(Debug)]
pub enum Material {
    EdDsa(PublicKey),
    Es256(Box<VerifyingKey>),
    Rs256(RsaKey),
}

impl Material {
    /// The name in the header of a token (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        }
    }
}

/// The members that matter, as they are written.
pub struct Jwk<'a> {
    pub kty: Option<&'a str>,
    pub crv: Option<&'a str>,
    pub alg: Option<&'a str>,
    pub x: Option<&'a str>,
    pub y: Option<&'a str>,
    pub n: Option<&'a str>,
    pub e: Option<&'a str>,
}

/// Which member is wrong, and what it must be.
pub type WrongMember = (&'static str, &'static str);

impl Jwk<'_> {
    pub fn material(&self) -> Result<Material, WrongMember> {
        let material = match (self.kty, self.crv) {
            (Some("OKP"), Some("Ed25519")) => self.ed25519()?,
            (Some("EC"), Some("P-256")) => self.p256()?,
            (Some("RSA"), _) => self.rsa()?,
            (Some("OKP"), _) => return Err(("crv", "`Ed25519`")),
            (Some("EC"), _) => return Err(("crv", "`P-256`")),
            _ => return Err(("kty", "`OKP`, `EC` or `RSA`")),
        };
        if self.alg.is_some_and(|alg| alg != material.algorithm()) {
            return Err(("alg", "the algorithm of such a key: `EdDSA`, `ES256` or `RS256`"));
        }
        Ok(material)
    }

    fn ed25519(&self) -> Result<Material, WrongMember> {
        const EXPECTED: WrongMember = ("x", "an Ed25519 public key: 32 bytes in base64url");
        let bytes = coordinate(self.x).ok_or(EXPECTED)?;
        PublicKey::from_bytes(&bytes).map(Material::EdDsa).ok_or(EXPECTED)
    }

    fn p256(&self) -> Result<Material, WrongMember> {
        const EXPECTED: WrongMember = ("x", "with `y` a point of P-256, 32 bytes each in base64url");
        let (Some(x), Some(y)) = (coordinate(self.x), coordinate(self.y)) else { return Err(EXPECTED) };
        let point = [&[4][..], &x, &y].concat();
        VerifyingKey::from_sec1_bytes(&point).map(Box::new).map(Material::Es256).map_err(|_| EXPECTED)
    }

    fn rsa(&self) -> Result<Material, WrongMember> {
        if self.e != Some("AQAB") {
            return Err(("e", "`AQAB`, which is 65537"));
        }
        let modulus = self.n.and_then(decode).and_then(|n| RsaKey::new(&n));
        modulus.map(Material::Rs256).ok_or(("n", "an odd number of 2048 to 4096 bits in base64url"))
    }
}

pub(crate) fn decode(base64: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(base64).ok()
}

fn coordinate(base64: Option<&str>) -> Option<[u8; 32]> {
    decode(base64?)?.try_into().ok()
}
