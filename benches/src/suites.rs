//! What is measured, one file per question.

#[cfg(feature = "server")]
pub mod allow;
pub mod compile;
#[cfg(feature = "component")]
pub mod component;
pub mod decide;
#[cfg(feature = "edge")]
pub mod edge;
pub mod instructions;
#[cfg(any(feature = "edge", feature = "server"))]
pub mod load;
#[cfg(feature = "server")]
pub mod nodes;
#[cfg(feature = "server")]
pub mod polls;
#[cfg(feature = "validators")]
pub mod validate;

/// What the user chose.
pub struct Settings {
    pub rules: Vec<usize>,
    /// Names of `engines::KINDS` and `calls::Call`; empty is all.
    pub engines: Vec<String>,
    pub rounds: usize,
}

impl Settings {
    fn is_chosen(&self, engine: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|name| name == engine)
    }
}
