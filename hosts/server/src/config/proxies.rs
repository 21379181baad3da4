//! Settings about proxies and the tokens of their clients.

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::HeaderName;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::authn::jwt::{Issuer, Key};
use crate::config::error::Problem;

/// Addresses and networks: a list, or a text with commas.
#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "it must be a list of addresses and networks")]
pub enum Addresses {
    List(Vec<String>),
    Text(String),
}

/// One of `[[issuers]]`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RawIssuer {
    issuer: String,
    audience: String,
    /// A JSON Web Key Set (RFC 7517).
    jwks_file: PathBuf,
}

impl Addresses {
    pub fn parse(self) -> Result<Vec<IpNet>, Problem> {
        let texts = match self {
            Self::List(texts) => texts,
            Self::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        texts.iter().map(|text| network(text.trim())).collect()
    }
}

fn network(text: &str) -> Result<IpNet, Problem> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|_| text.parse()).map_err(|_| {
        let why = format!("has `{text}`, which is neither an address nor a network like `10.0.0.0/8`");
        Problem::unusable("trusted_proxies", why)
    })
}

impl RawIssuer {
    pub fn read(self) -> Result<Issuer, Problem> {
        let Self { issuer: name, audience, jwks_file: path } = self;
        let text = std::fs::read_to_string(&path).map_err(|source| Problem::Read { path: path.clone(), source })?;
        match Key::parse_set(&text) {
            Ok(keys) => Ok(Issuer { name, audience, keys }),
            Err(source) => Err(Problem::Keys { issuer: name, path, source }),
        }
    }
}

/// In lower case.
pub fn header(key: &str, name: Option<String>) -> Result<Option<String>, Problem> {
    let header = |name: String| match name.parse::<HeaderName>() {
        Ok(header) => Ok(header.as_str().to_owned()),
        Err(_) => Err(Problem::header(key, &name)),
    };
    name.map(header).transpose()
}
