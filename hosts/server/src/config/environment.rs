//! Settings from the environment: `PORTCULLIS_*`, and the names that other programs have for the same.

use std::collections::BTreeMap;
use std::ffi::OsString;

use figment::value::{Dict, Map, Num, Value};
use figment::{Metadata, Profile, Provider};

use crate::config::error::{ConfigError, Problem};

/// The variables that are settings; an empty one counts as not set. `__` stands between a section and its key.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// By these it is known what a text is: a number, a list.
    defaults: Dict,
}

const PREFIX: &str = "PORTCULLIS_";

/// Variables without our prefix, and the key that each of them is. One with the prefix beats it.
const COMMON: [(&str, &str); 3] =
    [("RUST_LOG", "log"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint"), ("OTEL_SERVICE_NAME", "otlp_service_name")];

/// The variables of a process that are settings.
pub fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let names = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let settings = names.filter(|(name, _)| key(name).is_some());
    settings
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Problem::NotUtf8 { name }.into()),
        })
        .collect()
}

/// The setting that a variable is, with its section.
fn key(variable: &str) -> Option<String> {
    let common = COMMON.iter().find(|(name, _)| *name == variable).map(|&(_, key)| key.to_owned());
    common.or_else(|| Some(variable.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".")))
}

// === impl Environment ===

impl Environment {
    pub fn new(mut variables: BTreeMap<String, String>, defaults: Dict) -> Self {
        variables.retain(|_, value| !value.is_empty());
        Self { variables, defaults }
    }

    /// The variable that says `key`, or could.
    pub fn variable(&self, key: &str) -> String {
        let ours = format!("{PREFIX}{}", key.replace('.', "__").to_uppercase());
        let common = COMMON.iter().find(|&&(name, common)| common == key && self.variables.contains_key(name));
        match common {
            Some((name, _)) if !self.variables.contains_key(&ours) => (*name).to_owned(),
            _ => ours,
        }
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let is_common = |name: &&String| !name.starts_with(PREFIX);
        let (common, ours): (Vec<_>, Vec<_>) = self.variables.iter().partition(|(name, _)| is_common(name));
        let mut all = Dict::new();
        for (name, text) in common.into_iter().chain(ours) {
            let Some(key) = key(name) else { continue };
            put(&mut all, Some(&self.defaults), &key, text);
        }
        Ok(Map::from([(Profile::Default, all)]))
    }
}

/// A section that has a value too is refused by whoever reads the section.
fn put(settings: &mut Dict, defaults: Option<&Dict>, key: &str, text: &str) {
    let Some((section, key)) = key.split_once('.') else {
        settings.insert(key.to_owned(), value(text, defaults.and_then(|defaults| defaults.get(key))));
        return;
    };
    let defaults = defaults.and_then(|defaults| defaults.get(section)).and_then(Value::as_dict);
    let section = settings.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, section) = section {
        put(section, defaults, key, text);
    }
}

/// The text as what the default is; what cannot be read stays a text, and is refused with its key.
fn value(text: &str, default: Option<&Value>) -> Value {
    let read = match default {
        Some(Value::Bool(..)) => text.parse::<bool>().ok().map(Value::from),
        Some(Value::Num(..)) => text.parse::<u64>().ok().map(|number| Value::from(Num::from(number))),
        Some(Value::Array(..)) => Some(text.split(',').map(|item| Value::from(item.trim())).collect::<Vec<_>>().into()),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}
