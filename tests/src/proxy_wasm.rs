//! A host of proxy-wasm 0.2.1 for one filter, as far as ours uses the interface (proxy-wasm/spec, abi-versions/v0.2.1).
//!
//! In: a module, its configuration, answers of the server, requests. Out: what the filter made of each request.
//! Stricter than a proxy: an import that is not here, a pointer outside the guest's memory, a second reply and more than
//! `FUEL` in one callback are traps, and a trap is an error.

mod abi;
mod callbacks;
mod hostcalls;
mod memory;
mod state;

pub use abi::Pairs;
pub use callbacks::Proxy;
pub use state::{Answer, Call, Exchange, Reply, Request};
