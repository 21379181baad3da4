//! Files that hold secrets: made on the first start, as a whole, for their owner only, and never changed here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use portcullis_identity::NoRandomness;

use crate::cli::folder_of;

#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("cannot read the key file `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the key file `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the key file `{}` cannot be made", path.display())]
    Make { path: PathBuf, source: NoRandomness },
}

pub fn read(path: &Path) -> Result<String, SecretFileError> {
    fs::read_to_string(path).map_err(|source| SecretFileError::Read { path: path.to_owned(), source })
}

/// Makes the file unless there is one.
pub fn create(path: &Path, make: impl FnOnce() -> Result<String, NoRandomness>) -> Result<(), SecretFileError> {
    if path.exists() {
        return Ok(());
    }
    let text = make().map_err(|source| SecretFileError::Make { path: path.to_owned(), source })?;
    write(path, &text).map_err(|source| SecretFileError::Write { path: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = tempfile::NamedTempFile::new_in(folder)?; // mode 0600
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        // Another process was faster: its keys are the keys.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
        Ok(_) => fs::File::open(folder)?.sync_all(),
    }
}
