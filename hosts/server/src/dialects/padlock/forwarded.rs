//! What a proxy tells about the request of its client, in headers whose names are configured. Pure.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use portcullis_directory::{UnixSeconds, UserId};
use portcullis_runtime::{Credential, Request, Subject, Target};

use crate::dialects::padlock::input::{UserConfig, user_id};
use crate::dialects::padlock::settings::HeaderNames;
use crate::error::ApiError;
use crate::pep::Proxies;
use crate::pep::received::{client_address, place, single};
use crate::revocations::read_at;

/// A request that is asked about.
pub struct Forwarded<'a> {
    method: &'a str,
    host: &'a str,
    /// Raw, with the query.
    path: &'a str,
    pub user: UserId,
    source_ip: IpAddr,
    country: Option<&'a str>,
    continent: Option<&'a str>,
}

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];

/// Of a label of a host name (RFC 1035 section 2.3.4).
const LABEL_BYTES: usize = 63;

impl<'a> Forwarded<'a> {
    pub fn read(
        headers: &'a HeaderMap,
        names: &HeaderNames,
        proxies: &Proxies,
        peer: IpAddr,
    ) -> Result<Self, ApiError> {
        let user = user_id(required(headers, &names.user_id)?)?;
        let method = required(headers, &names.method)?;
        if !METHODS.contains(&method) {
            return Err(unusable(&names.method));
        }
        let path = required(headers, &names.path)?;
        if !path.starts_with('/') {
            return Err(unusable(&names.path));
        }
        let host = required(headers, &names.host)?;
        if !is_full_name(host) {
            return Err(unusable(&names.host));
        }
        let place =
            |name: &Option<String>| place(headers, name.as_deref()).map_err(|_| strange("country or continent"));
        let source_ip = client_address(headers, proxies, peer).map_err(|_| strange("x-forwarded-for"))?;
        let (country, continent) = (place(&proxies.country_header)?, place(&proxies.continent_header)?);
        Ok(Self { method, host, path, user, source_ip, country, continent })
    }

    /// What is known of the subject is known at this moment.
    pub fn request(&self, subject: Option<Subject>, now: u64) -> Request {
        let subject = subject.map(|subject| Subject { issued_at: Some(read_at(UnixSeconds(now))), ..subject });
        Request {
            action: self.method.to_owned(),
            target: Target::Http { host: Some(self.host.to_owned()), path: self.path.to_owned() },
            source_ip: Some(self.source_ip),
            country: self.country.map(str::to_owned),
            continent: self.continent.map(str::to_owned),
            credential: if subject.is_some() { Credential::Token } else { Credential::None },
            subject,
            context: None,
            now: Some(now),
        }
    }
}

/// The user as the proxy describes it; an empty header says nothing.
pub fn described(headers: &HeaderMap, names: &HeaderNames, user: &UserId) -> Result<UserConfig, ApiError> {
    let said = |name: &HeaderName| {
        let value = single(headers, name.as_str()).map_err(|_| unusable(name))?;
        Ok::<_, ApiError>(value.filter(|value| !value.is_empty()).map(str::to_owned))
    };
    Ok(UserConfig {
        user_id: user.to_string(),
        username: said(&names.username)?,
        email: said(&names.email)?,
        first_name: said(&names.first_name)?,
        last_name: said(&names.last_name)?,
    })
}

fn required<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, ApiError> {
    let value = single(headers, name.as_str()).ok().flatten();
    value.filter(|value| !value.is_empty()).ok_or_else(|| unusable(name))
}

fn unusable(name: &HeaderName) -> ApiError {
    strange(name.as_str())
}

fn strange(what: &str) -> ApiError {
    ApiError::malformed(format!("`{what}` is missing or cannot be used"))
}

/// A host name of two labels or more, with or without the dot at the end; no port, no address.
fn is_full_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let legal = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        legal && label.len() <= LABEL_BYTES && label.starts_with(|first: char| first.is_ascii_alphanumeric())
    };
    let is_top = |label: &str| label.starts_with(|first: char| first.is_ascii_alphabetic()) && !label.contains('-');
    match host.rsplit_once('.') {
        Some((others, top)) => is_label(top) && is_top(top) && others.split('.').all(is_label),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_of_two_labels_or_more() {
        for host in ["api.example.org", "API.Example.ORG", "a.b", "a.b1", "api.example.org.", "xn--a.org", "1.a"] {
            assert!(is_full_name(host), "{host}");
        }
        for host in
            ["localhost", "10.0.0.1", "a.1b", "a.b-c", "-a.b", "a..b", "a.b:80", ".", "", "a_b.c", "a.b..", "é.org"]
        {
            assert!(!is_full_name(host), "{host}");
        }
    }
}
