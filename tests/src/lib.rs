//! End to end: every engine gives the same answer, the artifacts have the promised shape, bad input never gets through.
//!
//! `oracle` is obvious code on the document itself; `engines` puts it, the linked core, the component and the filter, in
//! a real Envoy and under the host in `proxy_wasm`, behind one trait; `generate` makes policies and requests; `cases`
//! reads `tests/cases`.

pub mod cases;
pub mod engines;
pub mod generate;
pub mod oracle;
#[cfg(feature = "hosts")]
pub mod proxy_wasm;
#[cfg(feature = "hosts")]
pub mod stage;
#[cfg(feature = "hosts")]
pub mod traps;

#[cfg(test)]
mod tests;
