//! Access tokens (JWT, RFC 7519): signed with keys of this server, verified with these or with those of other issuers.

mod issue;
mod key;
mod key_set;
mod keyring;
mod verify;

pub use issue::{Algorithm, SigningError, SigningKey};
pub use key::{Key, KeyError};
pub use key_set::{KeySet, Look};
pub(crate) use keyring::place;
pub use keyring::{Keyring, KeyringError, Rotation};
pub use verify::{Invalid, Issuer, integer, verify};
