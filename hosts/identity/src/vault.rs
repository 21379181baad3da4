//! Secrets that must be read again are sealed before they are stored: XChaCha20-Poly1305, by a key from the configuration.
//!
//! A sealed text says by which key, so that several keys are valid at once: the first one seals, all of them open. It is
//! bound to its place: sealed bytes that were copied to another row do not open there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::random::{NoRandomness, Random, bytes};

/// Keys of the server. Its `Debug` shows none.
pub struct Vault {
    current: String,
    keys: BTreeMap<String, XChaCha20Poly1305>,
    index: Zeroizing<[u8; 32]>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The configuration has no keys.
    #[error("there is no key")]
    NoKey,
    #[error("key `{id}` is not `ID:` and 32 bytes in base64; an id is 1 to 32 of `a-z`, `0-9` and `-`")]
    BadKey { id: String },
    #[error("there are two keys `{id}`")]
    SameKey { id: String },
    #[error("there is no key `index`, by which sealed numbers are found")]
    NoIndex,
    #[error("sealed by key `{id}`, which the configuration does not have")]
    UnknownKey { id: String },
    /// Damaged, of another place, or by another key of the same id.
    #[error("what is stored does not open")]
    Damaged,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Format of sealed bytes: this, length of the key's id, id, nonce, text.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
/// Name of the key that seals nothing.
const INDEX: &str = "index";

impl Vault {
    /// Keys as `ID:BASE64` with white space between; the first one seals. The one of id `index` is the key of searchable
    /// hashes and must stay the same.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let (mut keys, mut current, mut index) = (BTreeMap::new(), None, None);
        for entry in text.split_whitespace() {
            let (id, key) = read(entry)?;
            if id == INDEX {
                index = Some(key);
                continue;
            }
            let cipher = XChaCha20Poly1305::new_from_slice(&*key).map_err(|_| VaultError::Damaged)?;
            if keys.insert(id.to_owned(), cipher).is_some() {
                return Err(VaultError::SameKey { id: id.to_owned() });
            }
            current.get_or_insert_with(|| id.to_owned());
        }
        let current = current.ok_or(VaultError::NoKey)?;
        Ok(Self { current, keys, index: index.ok_or(VaultError::NoIndex)? })
    }

    /// Text for `parse`, with new keys: for a first start.
    pub fn generate(random: &dyn Random) -> Result<String, NoRandomness> {
        let key = |random| Ok::<_, NoRandomness>(STANDARD.encode(Zeroizing::new(bytes::<32>(random)?)));
        Ok(format!("k1:{}\n{INDEX}:{}\n", key(random)?, key(random)?))
    }

    /// `place` says where it is stored, like `totp/ID`.
    pub fn seal(&self, place: &str, text: &[u8], random: &dyn Random) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = bytes(random)?;
        let cipher = self.key(&self.current)?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Damaged)?;
        let id = self.current.as_bytes();
        let length = u8::try_from(id.len()).map_err(|_| VaultError::Damaged)?;
        Ok([&[FORMAT, length], id, &nonce, &sealed].concat())
    }

    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, rest) = split(sealed).ok_or(VaultError::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Damaged)?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let opened = self.key(id)?.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::Damaged)?;
        Ok(Zeroizing::new(opened))
    }

    /// The same, sealed by the current key; `None` when it is already.
    pub fn reseal(&self, place: &str, sealed: &[u8], random: &dyn Random) -> Result<Option<Vec<u8>>, VaultError> {
        let (id, _) = split(sealed).ok_or(VaultError::Damaged)?;
        if id == self.current {
            return Ok(None);
        }
        self.seal(place, &self.open(place, sealed)?, random).map(Some)
    }

    /// Keyed hash by which a sealed text of that kind is found.
    pub fn index(&self, kind: &str, text: &str) -> Result<Vec<u8>, VaultError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.index).map_err(|_| VaultError::Damaged)?;
        for part in [kind, text] {
            // Lengths first, so that no two questions are the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        Ok(mac.finalize().into_bytes().to_vec())
    }

    fn key(&self, id: &str) -> Result<&XChaCha20Poly1305, VaultError> {
        self.keys.get(id).ok_or_else(|| VaultError::UnknownKey { id: id.to_owned() })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("current", &self.current).finish_non_exhaustive()
    }
}

fn read(entry: &str) -> Result<(&str, Zeroizing<[u8; 32]>), VaultError> {
    let (id, key) = entry.split_once(':').unwrap_or((entry, ""));
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let bad = || {
        // What stands before a colon may be the key itself.
        let id = if id.len() <= 32 { id } else { "..." };
        VaultError::BadKey { id: id.to_owned() }
    };
    let is_id = (1..=32).contains(&id.len()) && id.bytes().all(legal);
    let decoded = Zeroizing::new(STANDARD.decode(key).map_err(|_| bad())?);
    match <[u8; 32]>::try_from(decoded.as_slice()) {
        Ok(key) if is_id => Ok((id, Zeroizing::new(key))),
        _ => Err(bad()),
    }
}

/// Id of the key, and what follows it.
fn split(sealed: &[u8]) -> Option<(&str, &[u8])> {
    let (&[format, length], rest) = sealed.split_first_chunk::<2>()?;
    let (id, rest) = rest.split_at_checked(usize::from(length))?;
    let id = std::str::from_utf8(id).ok()?;
    (format == FORMAT).then_some((id, rest))
}
