//! Published APIs that the server speaks beside its own, one folder each.

pub mod barong;
pub mod padlock;

mod time;
