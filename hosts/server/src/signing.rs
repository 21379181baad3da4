//! The key that signs bundles, and the file it lives in: a 32-byte seed in base64, one line.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use portcullis_compiler::{PublicKey, SigningKey};
use portcullis_identity::NoRandomness;

use crate::secret_file::{self, SecretFileError};

/// An Ed25519 key, kept as its seed because `SigningKey` is not copied.
pub struct BundleKey {
    seed: [u8; 32],
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    File(#[from] SecretFileError),
    #[error("the key file `{}` is not one line with 32 bytes in base64", path.display())]
    Malformed { path: PathBuf },
}

// === impl BundleKey ===

impl BundleKey {
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::parse(&secret_file::read(path)?).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
    }

    /// The key in `path`; on the first start a new one.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        secret_file::create(path, || {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|_| NoRandomness)?;
            Ok(format!("{}\n", STANDARD.encode(seed)))
        })?;
        Self::read(path)
    }

    fn parse(text: &str) -> Option<Self> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        STANDARD.decode(line).ok().and_then(|seed| seed.try_into().ok()).map(Self::from_seed)
    }

    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed)
    }

    /// The Ed25519 signature of bytes that begin with what they are, so that they are nothing else.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        ed25519_dalek::SigningKey::from_bytes(&self.seed).sign(bytes).to_bytes()
    }

    pub fn public_key(&self) -> PublicKey {
        self.signing_key().public_key()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_is_created_once_and_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        let created = BundleKey::read_or_create(&path).unwrap().public_key();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(BundleKey::read_or_create(&path).unwrap().public_key(), created);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_broken_key_file_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        for text in ["", "c2hvcnQ=\n", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"] {
            fs::write(&path, text).unwrap();
            assert!(matches!(BundleKey::read_or_create(&path), Err(KeyError::Malformed { .. })), "{text:?}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
