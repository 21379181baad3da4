//! The check request of Envoy's `ext_authz` over HTTP: method, path and host of the client's request, behind a prefix.

use std::net::IpAddr;

use axum::extract::Request;

use crate::pep::Proxies;
use crate::pep::received::{MALFORMED, Received, Refusal, client_address, single};

/// `path_prefix` in Envoy is this without the last slash, which is the first of the client's path.
pub const PREFIX: &str = "/authz/envoy/";

/// Where Envoy writes the address of its client (`%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`), which it knows better than
/// anyone who reads `x-forwarded-for`.
const CLIENT_ADDRESS: &str = "x-portcullis-client-address";

pub fn receive<'a>(request: &'a Request, proxies: &Proxies, peer: IpAddr) -> Result<Received<'a>, Refusal> {
    let headers = request.headers();
    let target = request.uri().path_and_query().ok_or(MALFORMED)?.as_str();
    let path = target.get(PREFIX.len() - 1..).ok_or(MALFORMED)?;
    let source_ip = match single(headers, CLIENT_ADDRESS)? {
        Some(address) => address.parse::<IpAddr>().map_err(|_| MALFORMED)?.to_canonical(),
        None => client_address(headers, proxies, peer)?,
    };
    Ok(Received { method: request.method().as_str(), host: single(headers, "host")?, path, source_ip, headers })
}
