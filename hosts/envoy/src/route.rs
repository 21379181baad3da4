//! What Envoy's configuration says about a single route: metadata of the route under `portcullis`.
//!
//! `disabled: true` switches the filter off, `tenant: NAME` chooses another tenant of the configuration,
//! `require_validation: true` lets no body pass that the policy has no schema for. What is not understood refuses every
//! request of the route.

use crate::claims::of_filter;
use crate::config::Config;
use crate::identity::{Payload, Unreadable};

const NAMESPACE: &[u8] = b"portcullis";
const DISABLED: &str = "disabled";
const TENANT: &str = "tenant";
const REQUIRE_VALIDATION: &str = "require_validation";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub disabled: bool,
    /// Index in the tenants of the configuration.
    pub tenant: usize,
    pub requires_validation: bool,
}

impl Settings {
    /// The defaults for a route that says nothing.
    pub fn read(metadata: Option<&[u8]>, config: &Config) -> Result<Self, Unreadable> {
        let Some(settings) = metadata.map(|bytes| of_filter(bytes, NAMESPACE)).transpose()?.flatten() else {
            return Ok(Self::default());
        };
        for name in settings.names() {
            if ![DISABLED, TENANT, REQUIRE_VALIDATION].map(str::as_bytes).contains(&name?) {
                return Err(Unreadable);
            }
        }
        let tenant = match settings.text(TENANT)? {
            None => 0,
            Some(name) => {
                let known = |tenancy: &crate::config::Tenancy| tenancy.tenant.as_str() == name;
                config.tenants.iter().position(known).ok_or(Unreadable)?
            }
        };
        Ok(Self {
            disabled: settings.flag(DISABLED)?.unwrap_or(false),
            tenant,
            requires_validation: settings.flag(REQUIRE_VALIDATION)?.unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Settings;
    use crate::fake::{config, filter_metadata};
    use crate::identity::Unreadable;

    fn read(settings: Value) -> Result<Settings, Unreadable> {
        let config = config(json!({"tenants": [{"tenant": "acme", "token": "t"}]}));
        Settings::read(Some(&filter_metadata("portcullis", &settings)), &config)
    }

    #[test]
    fn reads_what_a_route_says() {
        assert_eq!(read(json!({})), Ok(Settings::default()));
        assert_eq!(read(json!({"disabled": true})), Ok(Settings { disabled: true, ..Settings::default() }));
        assert_eq!(
            read(json!({"disabled": false, "tenant": "acme", "require_validation": true})),
            Ok(Settings { disabled: false, tenant: 1, requires_validation: true })
        );
        assert_eq!(read(json!({"tenant": "default"})), Ok(Settings::default()));
    }

    #[test]
    fn most_routes_say_nothing() {
        let config = config(json!({}));
        assert_eq!(Settings::read(None, &config), Ok(Settings::default()));
        assert_eq!(Settings::read(Some(b""), &config), Ok(Settings::default()));
        let other = filter_metadata("envoy.lb", &json!({"disabled": true}));
        assert_eq!(Settings::read(Some(&other), &config), Ok(Settings::default()));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for settings in [
            json!({"disable": true}),
            json!({"require_validation": "yes"}),
            json!({"disabled": "true"}),
            json!({"tenant": "globex"}),
            json!({"tenant": 1}),
        ] {
            assert_eq!(read(settings.clone()), Err(Unreadable), "{settings}");
        }
        let config = config(json!({}));
        assert_eq!(Settings::read(Some(b"\x0a\x05abc"), &config), Err(Unreadable));
    }
}
