//! The filter as it is shipped, under a host of our own: as in Envoy, without Envoy.
//!
//! The policy is the answer to the filter's own call, signed; the subject is in the metadata of the request, as `jwt_authn`
//! leaves it; the decision comes out as filter state. What upstream and client get must fit it.

mod metadata;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use portcullis_artifacts::ENVOY_FILTER;
use portcullis_compiler::SigningKey;
use portcullis_runtime::{Decision, Request, Target};
use serde_json::{Value, json};

use super::edge::{CONTINENT_HEADER, COUNTRY_HEADER, check_denial, claims};
use super::{Engine, Given, json as wire, signed_bundle_of};
use crate::proxy_wasm::{self, Answer, Exchange, Pairs, Proxy};

const JWT_PAYLOAD_KEY: &str = "jwt_payload";
/// What the clock says when a request does not.
const NOW: Duration = Duration::from_secs(1_800_000_000);
/// Later than any pause between two calls.
const LONG_AFTER: Duration = Duration::from_secs(60);

pub struct Filter {
    pub proxy: Proxy,
    /// When the server answers. Requests say another time, but polls go on by this one.
    clock: Duration,
}

/// Who signs the bundles that the filter takes.
fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

impl Filter {
    /// Configured, without a policy.
    pub fn start() -> Result<Self> {
        let configuration = json!({
            "cluster": "server",
            "token": "ptc_secret",
            "public_key": key().public_key().to_string(),
            // Requests say what time it is, so that nothing is ever too old.
            "max_stale": u32::MAX,
            "revocations": false,
            "path_mode": "rewrite",
            "jwt_payload_key": JWT_PAYLOAD_KEY,
            "country_header": COUNTRY_HEADER,
            "continent_header": CONTINENT_HEADER,
            "decision_state": true,
        });
        let mut proxy = Proxy::start(ENVOY_FILTER, NOW).map_err(trap)?;
        ensure!(proxy.configure(&configuration.to_string()).map_err(trap)?, "configuration refused: {:?}", proxy.log());
        Ok(Self { proxy, clock: NOW })
    }

    /// The server's answer to the next call.
    fn publish(&mut self, given: Given<'_>) -> Result<()> {
        self.clock += LONG_AFTER;
        self.proxy.tick_at(self.clock).map_err(trap)?;
        let call = self.proxy.call_in_flight().context("the filter asks for no policy")?;
        let path = call.headers.iter().find(|(name, _)| name == ":path").map(|(_, value)| &**value);
        ensure!(path == Some(b"/policy/bundle?tenant=default&wait=25"), "not a call for a policy: {call:?}");
        let headers = pairs(&[(":status", "200"), ("etag", &format!("\"{}\"", given.revision))]);
        self.proxy.answer(Answer { headers, body: signed_bundle_of(given, key())? }).map_err(trap)
    }

    /// The metadata of a request whose token has these claims.
    pub fn metadata(claims: &Value) -> Vec<u8> {
        metadata::of_payload(JWT_PAYLOAD_KEY, claims)
    }

    fn ask(&mut self, request: &Request) -> Result<Decision> {
        let exchange = self.proxy.request(to_proxy(request)?).map_err(trap)?;
        let state = exchange.filter_state.get("portcullis.decision").context("no decision in the filter state")?;
        let decision = wire::decision(&serde_json::from_slice(state)?)?;
        check_outcome(request, &decision, &exchange)?;
        Ok(decision)
    }
}

impl Engine for Filter {
    fn name(&self) -> &'static str {
        "filter under the test host"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        self.publish(given)?;
        let revision = self.proxy.metric("portcullis_policy_revision.tenant.default");
        ensure!(revision == Some(given.revision), "revision {revision:?} is in force: {:?}", self.proxy.log());
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        requests.iter().map(|request| self.ask(request)).collect()
    }
}

/// The error of the proxy with all that led to it.
fn trap(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}

fn to_proxy(request: &Request) -> Result<proxy_wasm::Request> {
    let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
    let Target::Http { host, path } = target else { bail!("not for a proxy: {request:?}") };
    ensure!(context.is_none(), "no wire for context: {request:?}");
    let mut headers = pairs(&[(":method", action), (":path", path)]);
    for (name, value) in [(":authority", host), (COUNTRY_HEADER, country), (CONTINENT_HEADER, continent)] {
        headers.extend(value.iter().map(|value| (name.to_owned(), value.as_bytes().to_vec())));
    }
    let claims = subject.as_ref().map(|subject| claims(subject, *credential)).transpose()?;
    let payload = claims.map_or_else(Vec::new, |claims| Filter::metadata(&claims));
    let mut properties = BTreeMap::from([("metadata".to_owned(), payload)]);
    let address = source_ip.map(|ip| SocketAddr::new(ip, 443).to_string().into_bytes());
    properties.extend(address.map(|address| ("source.address".to_owned(), address)));
    Ok(proxy_wasm::Request { headers, properties, now: now.map_or(NOW, Duration::from_secs) })
}

/// A denied request ends here with the reply that was decided, an allowed one goes on with the subject's identity.
fn check_outcome(request: &Request, decision: &Decision, exchange: &Exchange) -> Result<()> {
    let Exchange { passed, reply, .. } = exchange;
    ensure!(*passed == decision.is_allow(), "passed: {passed}, but the decision is {decision:?}");
    let Some(reply) = reply else {
        let identity = exchange.values("x-portcullis-subject");
        let id = request.subject.iter().map(|subject| subject.id.as_bytes());
        ensure!(*passed && id.eq(identity.iter().copied()), "went on without a reply as {identity:?}");
        return Ok(());
    };
    ensure!(!passed, "answered and let through");
    check_denial(decision, u16::try_from(reply.status)?, &serde_json::from_slice(&reply.body)?)
}
