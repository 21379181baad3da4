//! The key that signs bundles, and the file it lives in: a 32-byte seed in base64, one line.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use portcullis_compiler::{PublicKey, SigningKey};

/// An Ed25519 key, kept as its seed because `SigningKey` is not copied.
pub struct BundleKey {
    seed: [u8; 32],
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read the key file `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the key file `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the key file `{}` is not one line with 32 bytes in base64", path.display())]
    Malformed { path: PathBuf },
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

// === impl BundleKey ===

impl BundleKey {
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed }
    }

    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
        let line = text.strip_suffix(b"\n").unwrap_or(&text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let seed = STANDARD.decode(line).ok().and_then(|seed| seed.try_into().ok());
        seed.map(Self::from_seed).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
    }

    /// The key in `path`; on the first start a new one, written as a whole and readable by its owner only.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            create(path)?;
        }
        Self::read(path)
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

fn create(path: &Path) -> Result<(), KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyError::Random)?;
    let write = |folder: &Path| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?; // mode 0600
        writeln!(file, "{}", STANDARD.encode(seed))?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            // Another process was faster: its key is the key.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.error),
            Ok(_) => fs::File::open(folder)?.sync_all(),
        }
    };
    write(crate::cli::folder_of(path)).map_err(|source| KeyError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
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
