//! The bundle: one tenant's compiled policy as flat bytes, verified once and then read in place.
//!
//! In: the records a compiler made (`Contents::seal`), or bytes from anywhere (`Policy::open`).
//! Out: bundle bytes, or a `Policy` whose every offset, index and string was checked.
//! Never: unsafe code, a panic, an allocation while reading. The only crate that knows the bytes.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod check;
pub mod hash;
pub mod layout;
pub mod limits;
mod open;
mod policy;
mod reason;
mod seal;
mod section;
mod signature;
mod tenant;

pub use open::OpenError;
pub use policy::{Policy, Summary};
pub use reason::{Reason, UnknownReason};
pub use seal::{Contents, Meta};
pub use signature::{KeyId, PublicKey, SigningKey};
pub use tenant::{InvalidTenant, TenantId};
