//! Requests that need no token: a policy of nothing but public targets, decided by the component, so that a path counts in
//! its canonical form.

use axum::http::HeaderMap;
use portcullis_compiler::{Diagnostic, Options, compile};
use portcullis_runtime::{Credential, PolicySlot, PrepareError, Request, Runtime, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dialects::padlock::settings::HeaderNames;
use crate::pep::received::single;

/// Any one of them is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BypassRules {
    /// In any case.
    pub methods: Vec<String>,
    pub hosts: Vec<String>,
    /// Regular expressions.
    pub paths: Vec<String>,
}

/// The rules, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BypassBundle(Vec<u8>);

/// Open in the component; without rules nothing passes.
pub struct Bypass(Option<PolicySlot>);

impl BypassRules {
    /// `None` without rules.
    pub fn compile(&self) -> Result<Option<BypassBundle>, Vec<Diagnostic>> {
        let Self { methods, hosts, paths } = self;
        let methods = methods.iter().map(|method| json!({"methods": [method.to_ascii_uppercase()]}));
        let hosts = hosts.iter().map(|host| json!({"hosts": [host]}));
        let paths = paths.iter().map(|path| json!({"path": {"regex": path}}));
        let public: Vec<Value> = methods.chain(hosts).chain(paths).collect();
        if public.is_empty() {
            return Ok(None);
        }
        let document = json!({"version": 1, "public": public}).to_string();
        let options = Options { revision: 1, ..Options::default() };
        compile(&document, &options).map(|compiled| Some(BypassBundle(compiled.bundle)))
    }
}

impl Bypass {
    pub fn open(runtime: &Runtime, bundle: Option<&BypassBundle>) -> Result<Self, PrepareError> {
        let Some(BypassBundle(bundle)) = bundle else { return Ok(Self(None)) };
        let slot = PolicySlot::new(runtime);
        slot.install(slot.prepare(bundle.clone())?);
        Ok(Self(Some(slot)))
    }

    /// Whether the request that the headers tell about needs no token. One that they do not tell in full does.
    pub fn lets(&self, headers: &HeaderMap, names: &HeaderNames) -> bool {
        let said = |name| single(headers, name).ok().flatten();
        let Self(Some(slot)) = self else { return false };
        let (Some(method), Some(path)) = (said(names.method.as_str()), said(names.path.as_str())) else { return false };
        let host = said(names.host.as_str()).map(str::to_owned);
        let request = Request {
            action: method.to_ascii_uppercase(),
            target: Target::Http { host, path: path.to_owned() },
            source_ip: None,
            country: None,
            continent: None,
            subject: None,
            credential: Credential::None,
            context: None,
            now: None,
        };
        slot.decide(&request).is_allow()
    }
}
