//! What is configured about identity: `[identity]`, checked.

use std::path::PathBuf;

use portcullis_identity::login::Throttle;
use portcullis_identity::passwords::Cost;
use portcullis_identity::sessions::SessionRules;
use portcullis_identity::token::Algorithm;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Key `keys_file`: keys by which secrets are sealed (docs/IDENTITY.md), created on the first start. Default `DATA_DIR/vault.keys`.
    pub keys_file: PathBuf,
    /// Key `token_algorithm`: of the keys that are made from now on. Default `EdDSA`.
    pub algorithm: Algorithm,
    /// Of all access tokens at most: that long a key verifies after it has signed. Not a key of its own.
    pub token_lifetime_s: u64,
    /// Key `key_lifetime_s`: a key of access tokens that signs for so long is followed by another; 0 is never. Default 7776000
    /// (90 days).
    pub key_lifetime_s: u64,
    /// Keys `session_idle_s` (default 1800) and `session_lifetime_s` (default 86400).
    pub sessions: SessionRules,
    /// Keys `failed_logins_per_account` (default 10), `failed_logins_per_address` (default 100), `failed_logins_window_s` (default
    /// 900).
    pub throttle: Throttle,
    /// Keys `password_memory_kib` (default 19456) and `password_passes` (default 2).
    pub cost: Cost,
    /// Key `passwords_at_once`: how many are hashed at a time. Default 4.
    pub passwords_at_once: usize,
    /// Key `mail_folder`: the maildir that mail is put into. Default `DATA_DIR/mail`.
    pub mail_folder: PathBuf,
    /// Key `mail_from`. Default `portcullis@localhost`.
    pub mail_from: String,
}
