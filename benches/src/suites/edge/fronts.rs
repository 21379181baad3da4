//! What stands before the upstream in each row, with requests that it lets pass.

use anyhow::Result;
use portcullis_compiler::{Options, compile};
use portcullis_rig::envoy::plugin;
use portcullis_rig::{Answer, EnvoySetup, Origin, Request, Upstream, token};
use serde_json::{Value, json};

use crate::workload::documents::{ORDER, order};
use crate::workload::{Effect, Rule, WILDCARD, Workload, asks};

/// Different requests of one row: fewer than the filter remembers tokens.
const REQUESTS: usize = 200;
/// Where any policy of `policy` lets everybody in.
const OPEN: &str = "/open";
const CHECKED: &str = "/checked";

pub struct Ours {
    pub origin: Origin,
    /// With a token that the filter verifies.
    pub requests: Vec<Request>,
    pub bundle_bytes: usize,
    key: String,
}

impl Ours {
    /// A source of the policy W(`rules`).
    pub fn new(rules: usize) -> Result<Self> {
        let workload = Workload::new(rules);
        Self::of(&policy(&workload), &workload)
    }

    /// The same with a second path for everybody, where a body must be an order.
    pub fn checking_bodies(rules: usize) -> Result<Self> {
        let workload = Workload::new(rules);
        let (open, checked) = (format!("{{\"exact\":\"{OPEN}\"}}"), format!("{{\"exact\":\"{CHECKED}\"}}"));
        let document = policy(&workload).replace(
            &format!("\"public\":[{{\"path\":{open}}}]"),
            &format!(
                "\"public\":[{{\"path\":{open}}},{{\"path\":{checked}}}],\"schemas\":{{\"order\":{ORDER}}},\
                 \"validations\":[{{\"target\":{{\"path\":{checked}}},\"schema\":\"order\"}}]"
            ),
        );
        Self::of(&document, &workload)
    }

    fn of(document: &str, workload: &Workload) -> Result<Self> {
        let key = portcullis_compiler::SigningKey::from_seed(&[1; 32]);
        let public_key = key.public_key().to_string();
        let options = Options { revision: 1, document_bytes: 256 << 20, sign: Some(key), ..Options::default() };
        let compiled = compile(document, &options);
        let compiled = compiled.map_err(|diagnostics| anyhow::anyhow!("{:?}", diagnostics.first()))?;
        Ok(Self {
            bundle_bytes: compiled.bundle.len(),
            origin: Origin::start(Answer::Bundle(compiled.bundle))?,
            requests: requests(workload),
            key: public_key,
        })
    }

    pub fn setup(&self, filter: &std::path::Path, upstream: &Upstream) -> EnvoySetup {
        EnvoySetup {
            jwt_authn: false,
            more: json!({"revocations": false, "issuers": issuers(), "allow_on_headers_stop_iteration": true}),
            ..EnvoySetup::new(filter, upstream.address(), self.origin.address(), "token", &self.key)
        }
    }
}

/// The document of the workload, and a path for everybody.
pub fn policy(workload: &Workload) -> String {
    let document = workload.document();
    let rules = document.trim_end().trim_end_matches('}');
    format!("{rules},\"public\":[{{\"path\":{{\"exact\":\"{OPEN}\"}}}}]}}\n")
}

pub fn issuers() -> Value {
    let keys: Value = serde_json::from_str(&token::jwks()).unwrap_or_default();
    json!([{"issuer": token::ISSUER, "audience": token::AUDIENCE, "keys": keys["keys"]}])
}

/// Requests that the workload allows, each with a token.
pub fn requests(workload: &Workload) -> Vec<Request> {
    let allowed = asks(workload, 20 * REQUESTS).into_iter().filter(|ask| ask.allowed).take(REQUESTS);
    allowed.map(|ask| request(ask.method, &ask.path, &ask.subject, &ask.roles)).collect()
}

/// The same for the public path, without a token.
pub fn open_requests() -> Vec<Request> {
    vec![plain("GET", OPEN).header("x-role", "nobody")]
}

/// An order of 1 KB for everybody: without and with a validation.
pub fn order_requests() -> [Vec<Request>; 2] {
    [OPEN, CHECKED].map(|path| {
        let request = Request::new("POST", path).header("host", "shop.example").header("user-agent", "bench/1.0");
        vec![request.body("application/json", order(9))]
    })
}

fn request(method: &str, path: &str, subject: &str, roles: &[&str]) -> Request {
    let token = token::mint(json!({"sub": subject, "roles": roles}));
    plain(method, path).header("x-role", roles.first().unwrap_or(&"")).bearer(&token)
}

fn plain(method: &str, path: &str) -> Request {
    let request = Request::new(method, path).header("host", "shop.example").header("user-agent", "bench/1.0");
    let request = request.header("accept", "application/json").header("accept-encoding", "gzip");
    if matches!(method, "GET" | "HEAD") { request } else { request.header("content-length", "0") }
}

/// A filter of Envoy's own, or `file`, in place of ours.
pub fn without(upstream: &Upstream, filters: Vec<Value>) -> EnvoySetup {
    let nobody = upstream.address();
    EnvoySetup { filters: Some(filters), ..EnvoySetup::new("".as_ref(), nobody, nobody, "", "") }
}

pub fn empty(file: &str) -> Value {
    json!({"name": "empty", "typed_config": plugin("empty", file.as_ref(), &json!({}))})
}

/// Envoy's RBAC with a policy for each of `count` rules that allow, and requests that these let pass. The role stands
/// in a header, which is the least it can cost.
pub fn rbac(count: usize) -> (Value, Vec<Request>) {
    let rules = Workload::new(count * 2).rules.into_iter().filter(|rule| rule.effect == Effect::Allow);
    let rules: Vec<Rule> = rules.take(count).collect();
    let policies = rules.iter().enumerate().map(|(number, rule)| (format!("p{number:04}"), rbac_policy(rule)));
    let filter = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "ALLOW", "policies": policies.collect::<serde_json::Map<_, _>>()},
        },
    });
    let requests = rules.iter().step_by((count / REQUESTS).max(1)).map(|rule| {
        let roles: Vec<&str> = rule.role_names().collect();
        request(rule.method.unwrap_or("GET"), &rule.path.replace(WILDCARD, "42"), "u1", &roles)
    });
    (filter, requests.collect())
}

fn rbac_policy(rule: &Rule) -> Value {
    let path = match rule.has_wildcard() {
        true => json!({"safe_regex": {"regex": rule.path.replace(WILDCARD, "[^/]+")}}),
        false => json!({"exact": rule.path}),
    };
    let mut all = vec![json!({"url_path": {"path": path}})];
    if let Some(method) = rule.method {
        all.push(json!({"header": {"name": ":method", "string_match": {"exact": method}}}));
    }
    let principal = |role: &str| json!({"header": {"name": "x-role", "string_match": {"exact": role}}});
    json!({
        "permissions": [{"and_rules": {"rules": all}}],
        "principals": rule.role_names().map(principal).collect::<Vec<_>>(),
    })
}
