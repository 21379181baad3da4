//! Configuration of what a request tells the policy beside its subject, and of what the upstream and the client are told.

use super::ConfigError;
use super::keys::Keys;

/// Where the place of the client comes from. A fact with two sources is refused.
#[derive(Debug, Default)]
pub struct Places {
    pub country: Option<Place>,
    pub continent: Option<Place>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// `country_header`, `continent_header`: where the operator's edge writes it.
    Header(String),
    /// `geoip.country`, `geoip.continent`: key in the metadata of the filter `geoip.filter`.
    Metadata { filter: String, key: String },
}

/// `upstream_headers`: names of the headers that tell the upstream who the subject is. `subject` and `roles` have the
/// defaults `x-portcullis-subject` and `x-portcullis-roles`, the others are not sent unless they are named.
#[derive(Debug)]
pub struct UpstreamHeaders {
    pub subject: String,
    pub roles: String,
    pub kind: Option<String>,
    pub permission_groups: Option<String>,
    pub level: Option<String>,
    pub credential: Option<String>,
    pub tenant: Option<String>,
}

impl UpstreamHeaders {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let Self { subject, roles, kind, permission_groups, level, credential, tenant } = self;
        let others = [kind, permission_groups, level, credential, tenant];
        [subject, roles].into_iter().chain(others.into_iter().flatten()).map(String::as_str)
    }
}

pub(super) fn places(keys: &mut Keys<'_>) -> Result<Places, ConfigError> {
    let header = |name: Option<String>| name.map(Place::Header);
    let (country, continent) = (header(keys.header("country_header")?), header(keys.header("continent_header")?));
    let Some(mut geoip) = keys.object("geoip")? else { return Ok(Places { country, continent }) };
    let filter = geoip.text("filter")?.unwrap_or_else(|| "envoy.filters.http.geoip".to_owned());
    let mut place = |name: &'static str, header: Option<Place>| match (geoip.text(name)?, header) {
        (None, header) => Ok(header),
        (Some(key), None) => Ok(Some(Place::Metadata { filter: filter.clone(), key })),
        (Some(_), Some(_)) => Err(geoip.error(name, "absent: there is a header for it")),
    };
    let places = Places { country: place("country", country)?, continent: place("continent", continent)? };
    geoip.finish()?;
    Ok(places)
}

pub(super) fn upstream_headers(keys: &mut Keys<'_>) -> Result<UpstreamHeaders, ConfigError> {
    let mut headers = keys.object("upstream_headers")?;
    let mut name = |key| headers.as_mut().map_or(Ok(None), |headers| headers.header(key));
    let named = UpstreamHeaders {
        subject: name("subject")?.unwrap_or_else(|| "x-portcullis-subject".to_owned()),
        roles: name("roles")?.unwrap_or_else(|| "x-portcullis-roles".to_owned()),
        kind: name("type")?,
        permission_groups: name("permission_groups")?,
        level: name("level")?,
        credential: name("credential")?,
        tenant: name("tenant")?,
    };
    let spelled = |name: &str| name.replace('_', "-");
    let is_taken = |index, name: &str| named.names().take(index).any(|other| spelled(other) == spelled(name));
    if named.names().enumerate().any(|(index, name)| is_taken(index, name)) {
        return Err(keys.error("upstream_headers", "names that differ"));
    }
    headers.map_or(Ok(()), Keys::finish)?;
    Ok(named)
}
