//! The Portcullis server and command line.
//!
//! A request goes router -> `permit` (who calls: `authn`; may they: the component) -> a handler in `api` -> `store` or
//! `publish`. Nothing is written without a `Permit`, and only `permit` makes one.
#![forbid(unsafe_code)]

pub mod cli;

pub mod app;
pub mod clock;
pub mod config;
mod secret_file;
pub mod signing;

mod openapi;
pub mod router;

pub mod observe;

mod authn;
mod identity;
mod later;
mod pdp;
mod permit;

pub mod pep;

pub mod dialects;

mod api;
mod body;
mod precondition;
mod valid;

mod follow;
pub mod publish;
mod retention;
mod revocations;
mod store;
mod tenant;

mod error;

#[cfg(test)]
mod tests;
