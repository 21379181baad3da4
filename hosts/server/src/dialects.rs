//! Published APIs that the server speaks beside its own, one folder each.

pub mod barong;
pub mod padlock;

mod time;

use crate::pep;

/// Whether a request to this path is a question of a proxy about a request of its client.
pub fn is_question(path: &str) -> bool {
    pep::is_door(path) || padlock::is_door(path) || barong::gateway::is_door(path)
}
