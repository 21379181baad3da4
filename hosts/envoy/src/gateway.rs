//! Cookies and API keys: what only the server knows, asked at `/gateway/identity`.
//!
//! In: the credentials of a request. Out: a question, its key in the cache, and what the answer says. An answer that
//! cannot be used is an error, never an anonymous request.

use std::rc::Rc;
use std::time::Duration;

use portcullis_core::Credential;

use crate::config::{Config, Gateway, Tenancy};
use crate::extract::{Malformed, single};
use crate::headers::Headers;
use crate::host::{Call, CallId, Host, HostError};
use crate::identity::{FactNames, Identity, Unreadable};
use crate::json::Json;
use crate::token::JsonPayload;
use crate::token::cache::{self, Key};

const API_KEY: &str = "x-api-key";

/// Credentials that the server may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The one cookie with the session, `NAME=VALUE`.
    cookie: Option<String>,
    api_key: Option<String>,
    authorization: Option<String>,
}

/// What the server says about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Known(Rc<Identity>),
    /// They are none that it knows.
    Nobody,
    /// They are wrong, or not valid any more.
    Wrong,
}

impl Question {
    /// `None` when there is nothing to ask about.
    pub fn read(headers: &Headers, gateway: &Gateway, authorization: Option<&str>) -> Result<Option<Self>, Malformed> {
        let question = Self {
            cookie: gateway.cookie.as_deref().map(|name| cookie(headers, name)).transpose()?.flatten(),
            api_key: single(headers, API_KEY)?.map(str::to_owned),
            authorization: authorization.map(str::to_owned),
        };
        let Self { cookie, api_key, authorization } = &question;
        let is_empty = cookie.is_none() && api_key.is_none() && authorization.is_none();
        Ok((!is_empty).then_some(question))
    }

    pub fn key(&self, tenancy: &Tenancy) -> Key {
        let part = |part: &Option<String>| part.as_ref().map_or(Vec::new(), |text| [b"=", text.as_bytes()].concat());
        let Self { cookie, api_key, authorization } = self;
        cache::key(&[tenancy.tenant.as_str().as_bytes(), &part(cookie), &part(api_key), &part(authorization)])
    }

    pub fn ask(
        &self,
        host: &impl Host,
        config: &Config,
        gateway: &Gateway,
        tenancy: &Tenancy,
    ) -> Result<CallId, HostError> {
        let path = ["/gateway/identity?tenant=", tenancy.tenant.as_str()].concat();
        let token = ["Bearer ", &tenancy.token].concat();
        let mut headers =
            vec![(":method", "GET"), (":path", &*path), (":authority", &config.authority), ("authorization", &token)];
        let forwarded = [
            ("x-portcullis-forwarded-cookie", &self.cookie),
            ("x-portcullis-forwarded-api-key", &self.api_key),
            ("x-portcullis-forwarded-authorization", &self.authorization),
        ];
        headers.extend(forwarded.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        let timeout = Duration::from_millis(gateway.timeout_ms);
        host.call(&Call { cluster: &config.cluster, headers: &headers, body: None, timeout })
    }
}

impl Answer {
    /// What the proxy received; `now` is in unix seconds.
    pub fn read(host: &impl Host, headers: usize, body_bytes: usize, now: u64) -> Result<Self, Unreadable> {
        // Without headers Envoy has none to give, and asking for them is an error.
        if headers == 0 {
            return Err(Unreadable);
        }
        let headers = host.answer_headers().map_err(|HostError| Unreadable)?;
        match headers.first(":status") {
            Some(b"204") => Ok(Self::Nobody),
            Some(b"401") => Ok(Self::Wrong),
            Some(b"200") if body_bytes > 0 => {
                let body = host.answer_body(body_bytes).map_err(|HostError| Unreadable)?;
                identity(&body, now).map(|identity| Self::Known(Rc::new(identity)))
            }
            _ => Err(Unreadable),
        }
    }
}

fn identity(body: &[u8], now: u64) -> Result<Identity, Unreadable> {
    let json = Json::parse(body).map_err(|_| Unreadable)?;
    let subject = json.get("subject").ok_or(Unreadable)?;
    let expires = json.get("expires").and_then(Json::integer).filter(|expires| *expires > now).ok_or(Unreadable)?;
    let identity = Identity::read(&JsonPayload { json: subject, null_is_absent: true }, &FactNames::OF_SUBJECT)?;
    Ok(Identity {
        credential: match json.get("credential").and_then(Json::text) {
            Some("session") => Credential::Session,
            Some("api_key") => Credential::ApiKey,
            Some("jwt") => Credential::Token,
            _ => return Err(Unreadable),
        },
        issued_at: Some(json.get("issued_at").and_then(Json::integer).ok_or(Unreadable)?),
        properties: subject.get("properties").map(|json| json.raw).filter(|raw| *raw != "null").map(str::to_owned),
        expires: Some(expires),
        ..identity
    })
}

/// The cookie of that name as `NAME=VALUE`. Twice is malformed: the server might take the other one.
fn cookie(headers: &Headers, name: &str) -> Result<Option<String>, Malformed> {
    let mut found = None;
    for pair in headers.all("cookie").flat_map(|value| value.split(|&byte| byte == b';')) {
        let pair = pair.trim_ascii();
        let is_named = pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='));
        if !is_named {
            continue;
        }
        let is_plain = pair.iter().all(u8::is_ascii_graphic);
        let pair = core::str::from_utf8(pair).map_err(|_| Malformed)?;
        if !is_plain || found.replace(pair.to_owned()).is_some() {
            return Err(Malformed);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
