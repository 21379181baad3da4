//! The HTTP API through the router as a service: no socket, SQLite in memory or in a temporary folder, a fixed clock.

mod client;

mod access;
mod audit;
mod barong;
mod bundle;
mod candidate;
mod decide;
mod decision_logs;
mod document;
mod edges;
mod gateway;
mod health;
mod identity;
mod input;
mod metrics;
mod openapi;
mod outbox;
mod padlock;
mod pep;
mod requests;
mod revocations;
mod setup;
mod traces;
mod users;
