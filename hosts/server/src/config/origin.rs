//! Where the value of a setting comes from.

use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};

use crate::config::environment::Environment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    Flag(String),
}

/// Settings of all sources, one over the other.
pub struct Merged {
    pub figment: Figment,
    pub file: Option<PathBuf>,
    pub environment: Environment,
}

/// A provider under the name by which `Merged::origin` knows it.
pub struct Named<P>(pub &'static str, pub P);

pub const FILE: &str = "file";
pub const ENVIRONMENT: &str = "environment";
pub const FLAGS: &str = "flags";

// === impl Merged ===

impl Merged {
    /// Of the value of `key`, with its section.
    pub fn origin(&self, key: &str) -> Origin {
        let source = self.figment.find_metadata(key).map(|metadata| metadata.name.as_ref());
        match (source, &self.file) {
            (Some(FILE), Some(path)) => Origin::File(path.clone()),
            (Some(ENVIRONMENT), _) => Origin::Variable(self.environment.variable(key)),
            (Some(FLAGS), _) => Origin::Flag(format!("--{}", key.replace('_', "-"))),
            _ => Origin::Default,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.1.data()
    }
}
