//! Settings from the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use crate::config::error::ConfigError;

/// The variables with our prefix; an empty one counts as not set. `__` stands between a section and its key.
pub struct Environment(pub BTreeMap<String, String>);

const ENVIRONMENT_PREFIX: &str = "PORTCULLIS_";

/// The variables of a process that are settings.
pub fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let names = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let settings = names.filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX));
    settings
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::NotUtf8 { name }),
        })
        .collect()
}

// === impl Environment ===

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let settings = self.0.iter().filter(|(_, value)| !value.is_empty());
        let mut all = Dict::new();
        for (name, value) in settings {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            put(&mut all, &key.to_lowercase(), value);
        }
        Ok(Map::from([(Profile::Default, all)]))
    }
}

/// `A__B` is key `b` of `[a]`. A section that has a value too is refused by whoever reads the section.
fn put(settings: &mut Dict, key: &str, value: &str) {
    let Some((section, key)) = key.split_once("__") else {
        settings.insert(key.to_owned(), Value::from(value));
        return;
    };
    let section = settings.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, section) = section {
        put(section, key, value);
    }
}
