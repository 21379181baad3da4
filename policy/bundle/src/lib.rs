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

mod automata;
pub mod bytecode;
mod check;
mod label;
pub mod layout;
pub mod limits;
mod open;
mod pattern;
mod policy;
mod reason;
mod records;
pub mod schema;
mod seal;
mod signature;
mod table;
mod tenant;

pub use automata::Automaton;
pub use label::{HTTP_ROOT, Key, RESOURCE_ROOT, after_wildcard, start};
pub use open::{Admission, OpenError};
pub use pattern::{COLUMNS, FAILED, FOUND, PatternTable};
pub use policy::{Policy, Summary};
pub use reason::{Reason, UnknownReason};
pub use records::{COMMON_METHODS, Entries, Mark, Node, Records, child_bit, common_method};
pub use seal::{Contents, Meta};
pub use signature::{KeyId, PublicKey, SigningKey};
pub use table::Placement;
pub use tenant::{InvalidTenant, TenantId};
