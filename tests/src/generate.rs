//! Policies and requests at random, over a vocabulary so small that they often meet.

mod policies;
mod requests;
pub mod schemas;
mod vocabulary;

pub use policies::{document, revocations, rule};
pub use requests::request;
pub use vocabulary::CONDITIONS;

/// What may be asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Anything the API takes.
    Any,
    /// What one line of JSON can carry.
    Json,
    /// What the headers, and the rest that a filter sees, of a request through a proxy can carry.
    Proxy,
    /// What a well-formed HTTP/1.1 request can carry, as Envoy sees it.
    Http,
}

impl Wire {
    /// Whether a filter reads the request: it has no JSON, and nobody presents a credential without being somebody.
    fn is_for_filter(self) -> bool {
        matches!(self, Self::Proxy | Self::Http)
    }
}
