//! The policy core inside Envoy: a proxy-wasm filter that decides every request where it passes.
//!
//! In: a plugin configuration, bundles and revocations from the server, requests. Out: requests that the policy allows,
//! with verified identity headers; for all others a reply. Never: a panic (a trap kills the VM of the worker), a request
//! that passes without a decision. Only `proxy` knows the calls of proxy-wasm; the rest runs and is tested natively.
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

pub mod headers;
pub mod host;
#[cfg(any(target_family = "wasm", test))]
mod pairs;

pub mod config;
mod json;

pub mod feed;
pub mod revocations;
pub mod root;
pub mod tenant;

pub mod address;
pub mod authenticate;
pub mod body;
pub mod claims;
pub mod enforce;
pub mod extract;
pub mod gateway;
pub mod http;
pub mod identity;
mod protobuf;
pub mod route;
pub mod token;

pub mod logs;
pub mod metrics;
pub mod record;

#[cfg(target_family = "wasm")]
mod proxy;

#[cfg(test)]
mod fake;
