//! The HTTP API through the router as a service: no socket, SQLite in memory or in a temporary folder, a fixed clock.

mod client;

mod access;
mod bundle;
mod decide;
mod document;
mod health;
mod setup;
mod users;
