//! Who somebody is: passwords, second factors, sessions, one-time tokens, API keys, access tokens.
//!
//! In: what somebody shows, the time, and a directory. Out: a user, or an error that says what is wrong to the server; what
//! it tells the client is its own matter. Never: HTTP, a clock, a decision about what a user may do.
#![forbid(unsafe_code)]

mod address;
mod compare;
mod random;
mod secret;

pub mod api_keys;
pub mod bearer;
pub mod csrf;
pub mod login;
pub mod one_time;
pub mod passwords;
pub mod reseal;
pub mod sessions;
pub mod token;
pub mod totp;
pub mod vault;

pub use address::Network;
pub use compare::is_same;
pub use random::{NoRandomness, Random, SystemRandom};
pub use secret::{Secret, hex};

#[cfg(test)]
mod tests;
