//! The filter in a real Envoy, in front of a real upstream, with policies from a real server.
//!
//! Requests go over HTTP: the address in `x-forwarded-for` of a trusted hop, the subject in a token that Envoy's
//! `jwt_authn` verifies. The decision comes back in a header that only this test's Envoy adds; what a client sees,
//! status and body, must fit it.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use portcullis_rig::envoy::shown_decision;
use portcullis_rig::process::poll;
use portcullis_rig::{Client, Response, token};
use portcullis_runtime::{Decision, Request, Target};
use serde_json::json;

use super::edge::{CONTINENT_HEADER, COUNTRY_HEADER, check_denial, claims};
use super::{Engine, Given, json};
use crate::stage::Stage;

const TIMEOUT: Duration = Duration::from_secs(30);

pub struct EnvoyFilter {
    client: Client,
    /// Revision that the server gave to the document, and that the test gives to it.
    revisions: (u64, u64),
    stage: Stage,
}

impl EnvoyFilter {
    pub fn start() -> Result<Self> {
        let stage = Stage::start(|setup| {
            (setup.rewrite_paths, setup.show_decisions) = (true, true);
            setup.country_header = Some(COUNTRY_HEADER.to_owned());
            setup.continent_header = Some(CONTINENT_HEADER.to_owned());
        })?;
        Ok(Self { client: stage.envoy.client(), revisions: (0, 0), stage })
    }

    fn ask(&mut self, request: &Request) -> Result<Decision> {
        let response = self.client.send(&to_http(request)?)?;
        let mut shown = shown_decision(&response).with_context(|| format!("{request:?}: {}", response.status))?;
        if shown["errors"].is_null() {
            shown["errors"] = json!([]);
        }
        let mut decision = json::decision(&shown)?;
        ensure!(decision.revision == self.revisions.0, "decided under revision {}", decision.revision);
        decision.revision = self.revisions.1;
        check_answer(&decision, &response)?;
        Ok(decision)
    }
}

impl Engine for EnvoyFilter {
    fn name(&self) -> &'static str {
        "filter in Envoy"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        let Given { document: _, text, revocations, revision } = given;
        ensure!(revocations.is_empty(), "the server takes no revocations");
        let stored = self.stage.server.put_policy(text)?;
        self.revisions = (stored, revision);
        let probe = portcullis_rig::Request::get("/probe");
        poll("the filter to decide under the new policy", TIMEOUT, || {
            let shown = shown_decision(&self.client.send(&probe)?)?;
            Ok((shown["revision"] == stored).then_some(()))
        })
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        requests.iter().map(|request| self.ask(request)).collect()
    }
}

pub(super) fn to_http(request: &Request) -> Result<portcullis_rig::Request> {
    let Target::Http { host: Some(host), path } = &request.target else { bail!("not sendable: {request:?}") };
    ensure!(request.context.is_none(), "no wire for context: {request:?}");
    let address = request.source_ip.context("every connection has an address")?;
    let mut http = portcullis_rig::Request::new(&request.action, path).header("host", host);
    http = http.header("x-forwarded-for", &address.to_string());
    for (name, code) in [(COUNTRY_HEADER, &request.country), (CONTINENT_HEADER, &request.continent)] {
        if let Some(code) = code {
            http = http.header(name, code);
        }
    }
    if let Some(subject) = &request.subject {
        http = http.bearer(&token::mint(claims(subject, request.credential)?));
    }
    Ok(http)
}

/// What the client sees is what was decided.
fn check_answer(decision: &Decision, response: &Response) -> Result<()> {
    if decision.is_allow() {
        ensure!(response.status == 200, "allowed, but the answer is {}", response.status);
        return Ok(());
    }
    check_denial(decision, response.status, &response.json().context("body of a denial")?)
}
