//! ForwardAuth: headers name method, path and host of the client's request, in one of two families.
//!
//! Traefik writes `x-forwarded-method`, `-uri`, `-host`; with nginx the configuration writes `x-original-method`, `-uri`,
//! `-host`. Both at once are two stories about one request, and none of them is believed.

use std::net::IpAddr;

use axum::extract::Request;
use serde::Deserialize;

use crate::error::ApiError;
use crate::pep::Proxies;
use crate::pep::received::{MALFORMED, Received, Refusal, client_address, single};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForwardParams {
    /// The status of every deny but 401: nginx knows 401 and 403, anything else is an error to it.
    deny_status: Option<u16>,
}

const FORWARDED: [&str; 3] = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"];
const ORIGINAL: [&str; 3] = ["x-original-method", "x-original-uri", "x-original-host"];

pub fn deny_status(request: &Request) -> Result<Option<u16>, ApiError> {
    let params = axum::extract::Query::<ForwardParams>::try_from_uri(request.uri())?;
    match params.deny_status {
        Some(status) if !(400..=499).contains(&status) => {
            Err(ApiError::malformed(format!("`deny_status` is {status}, it must be 400 to 499")))
        }
        status => Ok(status),
    }
}

pub fn receive<'a, B>(request: &'a Request<B>, proxies: &Proxies, peer: IpAddr) -> Result<Received<'a>, Refusal> {
    let headers = request.headers();
    let has = |family: [&str; 3]| family.iter().any(|&name| headers.contains_key(name));
    let [method, path, host] = match (has(FORWARDED), has(ORIGINAL)) {
        (true, false) => FORWARDED,
        (false, true) => ORIGINAL,
        _ => return Err(MALFORMED),
    };
    Ok(Received {
        method: single(headers, method)?.ok_or(MALFORMED)?,
        host: single(headers, host)?,
        path: single(headers, path)?.ok_or(MALFORMED)?,
        source_ip: client_address(headers, proxies, peer)?,
        headers,
    })
}
