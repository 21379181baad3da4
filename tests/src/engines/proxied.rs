//! The server's `/authz`, asked by a real Envoy (`ext_authz` over HTTP) and a real nginx (`auth_request`), in front of a
//! real upstream.
//!
//! Requests go over HTTP as for the filter in Envoy. The proxies pass on the header in which the server shows its
//! decision; what a client sees, status and body, must fit it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use portcullis_rig::upstream::Seen;
use portcullis_rig::{
    Client, Envoy, EnvoyBinary, EnvoySetup, Nginx, NginxBinary, NginxSetup, Response, Server, Upstream, token,
};
use portcullis_runtime::{Decision, Reason, Request};
use tempfile::TempDir;

use super::edge::{CONTINENT_HEADER, COUNTRY_HEADER, check_denial};
use super::envoy::to_http;
use super::{Engine, Given, json, portcullis};

/// One of the proxies, and what is behind it.
pub struct Proxied {
    pub client: Client,
    pub server: Server,
    pub upstream: Upstream,
    kind: Kind,
    /// Revision that the server gave to the document, and that the test gives to it.
    revisions: (u64, u64),
    _proxy: Running,
    _folder: TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Envoy,
    Nginx,
}

/// Ends with its handle.
enum Running {
    Envoy { _process: Envoy },
    Nginx { _process: Nginx },
}

impl Proxied {
    pub fn start(kind: Kind) -> Result<Self> {
        let folder = TempDir::new()?;
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let server = Server::start_with(&portcullis()?, folder.path(), &configuration(folder.path())?)?;
        let upstream = Upstream::start()?;
        let token = server.create_edge("proxy")?;
        let (client, proxy) = match kind {
            Kind::Envoy => {
                let setup = EnvoySetup {
                    asks_server: true,
                    show_decisions: true,
                    country_header: Some(COUNTRY_HEADER.to_owned()),
                    continent_header: Some(CONTINENT_HEADER.to_owned()),
                    ..EnvoySetup::new(Path::new(""), upstream.address(), server.address(), &token, server.bundle_key())
                };
                let envoy = Envoy::start(&EnvoyBinary::find_or_install(&tools)?, &setup, folder.path())?;
                (envoy.client(), Running::Envoy { _process: envoy })
            }
            Kind::Nginx => {
                let setup =
                    NginxSetup { upstream: upstream.address(), server: server.address(), token, show_decisions: true };
                let nginx = Nginx::start(&NginxBinary::find_or_install(&tools)?, &setup, folder.path())?;
                (nginx.client(), Running::Nginx { _process: nginx })
            }
        };
        Ok(Self { client, server, upstream, kind, revisions: (0, 0), _proxy: proxy, _folder: folder })
    }

    fn ask(&mut self, request: &Request) -> Result<Decision> {
        let response = self.client.send(&to_http(request)?)?;
        let Some(shown) = response.header("x-portcullis-decision") else {
            return match self.kind {
                Kind::Envoy => self.unshown(request, &response),
                Kind::Nginx => self.refused_by_nginx(request, &response),
            };
        };
        let mut decision = json::decision(&serde_json::from_str(shown)?)?;
        ensure!(decision.revision == self.revisions.0, "decided under revision {}", decision.revision);
        decision.revision = self.revisions.1;
        if decision.is_allow() {
            ensure!(response.status == 200, "allowed, but the answer is {}", response.status);
            let path = Seen::in_response(&response)?.path().to_owned();
            let (portcullis_runtime::Target::Http { path: decided, .. }, path) = (&request.target, path) else {
                bail!("not sendable: {request:?}")
            };
            ensure!(path == *decided, "the upstream sees {path}, decided was {decided}");
        } else {
            check_denial(&decision, response.status, &response.json().context("body of a denial")?)?;
        }
        Ok(decision)
    }

    /// nginx refuses some paths and hosts by itself, before it asks anybody: what the client sees is what it would see
    /// of `malformed_request`.
    fn refused_by_nginx(&self, request: &Request, response: &Response) -> Result<Decision> {
        let is_its_own = response.status == 400 && response.text().contains("<center>nginx/");
        ensure!(is_its_own, "{request:?}: {} {}", response.status, response.text());
        let (status, reason) = (400, Reason::MalformedRequest);
        Ok(Decision { status, reason, revision: self.revisions.1, ..Decision::unavailable() })
    }

    /// Envoy takes a deny with a 5xx for a failure of the server and answers 503 by itself; the decision is asked for
    /// apart.
    fn unshown(&self, request: &Request, response: &Response) -> Result<Decision> {
        ensure!(response.status == 503, "{request:?}: {} {}", response.status, response.text());
        let facts = serde_json::from_str(&json::request(request))?;
        let mut decision = json::decision(&self.server.decide(&facts)?)?;
        ensure!(decision.status >= 500, "answered 503, decided was {decision:?}");
        decision.revision = self.revisions.1;
        Ok(decision)
    }
}

/// The identity provider of the tests, this machine as the only proxy, and where proxies write places.
pub fn configuration(folder: &Path) -> Result<String> {
    let keys = folder.join("jwks.json");
    std::fs::write(&keys, token::jwks())?;
    Ok(format!(
        "trusted_proxies = [\"127.0.0.1\"]\ncountry_header = \"{COUNTRY_HEADER}\"\n\
         continent_header = \"{CONTINENT_HEADER}\"\n[[issuers]]\nissuer = \"{}\"\naudience = \"{}\"\n\
         jwks_file = {:?}\n",
        token::ISSUER,
        token::AUDIENCE,
        keys
    ))
}

impl Engine for Proxied {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Envoy => "server asked by Envoy",
            Kind::Nginx => "server asked by nginx",
        }
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        let Given { document: _, text, revocations, revision } = given;
        ensure!(revocations.is_empty(), "the time of a revocation is the server's");
        self.revisions = (self.server.put_policy(text)?, revision);
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        requests.iter().map(|request| self.ask(request)).collect()
    }
}
