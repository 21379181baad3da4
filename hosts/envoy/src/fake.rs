//! A proxy for tests: it has state and can fail each call, and nothing is asserted about the order of calls.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis_compiler::{Options, SigningKey, compile};
use serde_json::{Value, json};

use crate::config::Config;
use crate::host::{CallId, Headers, Host, HostError, Level, MetricId};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SentReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) headers: Headers,
    pub(crate) source_address: Option<Vec<u8>>,
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) filter_state: BTreeMap<String, String>,
    pub(crate) reply: Option<SentReply>,
    /// Calls to the server, by their headers.
    pub(crate) calls: Vec<BTreeMap<String, String>>,
    pub(crate) answer: (Headers, Vec<u8>),
    pub(crate) now: Duration,
    pub(crate) tick_after: Option<Duration>,
    pub(crate) metrics: Vec<(String, u64)>,
    pub(crate) logs: Vec<(Level, String)>,
    /// Names of the calls that fail.
    pub(crate) broken: BTreeSet<&'static str>,
}

pub(crate) struct FakeHost(pub(crate) RefCell<State>);

impl FakeHost {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(State { now: Duration::from_secs(1_700_000_000), ..State::default() }))
    }

    pub(crate) fn with(change: impl FnOnce(&mut State)) -> Self {
        let host = Self::new();
        change(&mut host.0.borrow_mut());
        host
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.borrow_mut().now += time;
    }

    /// What a request header says to the upstream.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let state = self.0.borrow();
        let (_, value) = state.headers.iter().find(|(header, _)| header == name)?;
        Some(String::from_utf8(value.clone()).unwrap())
    }

    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.0.borrow().metrics.iter().find(|(metric, _)| metric == name).map_or(0, |(_, value)| *value)
    }

    fn try_with<T>(&self, call: &'static str, run: impl FnOnce(&mut State) -> T) -> Result<T, HostError> {
        let mut state = self.0.borrow_mut();
        if state.broken.contains(call) { Err(HostError) } else { Ok(run(&mut state)) }
    }

    fn metric_id(&self, call: &'static str, name: &str) -> Result<MetricId, HostError> {
        self.try_with(call, |state| {
            let known = state.metrics.iter().position(|(metric, _)| metric == name);
            let index = known.unwrap_or_else(|| {
                state.metrics.push((name.to_owned(), 0));
                state.metrics.len() - 1
            });
            MetricId(u32::try_from(index).unwrap())
        })
    }
}

impl Host for FakeHost {
    fn request_headers(&self) -> Result<Headers, HostError> {
        self.try_with("request_headers", |state| state.headers.clone())
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostError> {
        self.try_with("remove_request_header", |state| state.headers.retain(|(header, _)| header != name))
    }

    fn set_request_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        self.try_with("set_request_header", |state| {
            state.headers.retain(|(header, _)| header != name);
            state.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        })
    }

    fn source_address(&self) -> Result<Option<Vec<u8>>, HostError> {
        self.try_with("source_address", |state| state.source_address.clone())
    }

    fn metadata(&self) -> Result<Option<Vec<u8>>, HostError> {
        self.try_with("metadata", |state| state.metadata.clone())
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostError> {
        self.try_with("set_filter_state", |state| {
            state.filter_state.insert(name.to_owned(), String::from_utf8(value.to_vec()).unwrap());
        })
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<(), HostError> {
        self.try_with("reply", |state| {
            state.reply = Some(SentReply {
                status,
                headers: headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
        })
    }

    fn call(&self, cluster: &str, headers: &[(&str, &str)], _timeout: Duration) -> Result<CallId, HostError> {
        self.try_with("call", |state| {
            let mut call: BTreeMap<_, _> =
                headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            call.insert("cluster".to_owned(), cluster.to_owned());
            state.calls.push(call);
            CallId(u32::try_from(state.calls.len()).unwrap())
        })
    }

    fn answer_headers(&self) -> Result<Headers, HostError> {
        self.try_with("answer_headers", |state| state.answer.0.clone())
    }

    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        self.try_with("answer_body", |state| state.answer.1[..size_bytes].to_vec())
    }

    fn now(&self) -> Result<Duration, HostError> {
        self.try_with("now", |state| state.now)
    }

    fn tick_after(&self, delay: Option<Duration>) -> Result<(), HostError> {
        self.try_with("tick_after", |state| state.tick_after = delay)
    }

    fn counter(&self, name: &str) -> Result<MetricId, HostError> {
        self.metric_id("counter", name)
    }

    fn gauge(&self, name: &str) -> Result<MetricId, HostError> {
        self.metric_id("gauge", name)
    }

    fn increment(&self, counter: MetricId) -> Result<(), HostError> {
        self.try_with("increment", |state| state.metrics[counter.0 as usize].1 += 1)
    }

    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError> {
        self.try_with("record", |state| state.metrics[gauge.0 as usize].1 = value)
    }

    fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().logs.push((level, message.to_owned()));
    }
}

// === what tests are made of ===

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}

fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub(crate) fn public_key() -> String {
    signing_key().public_key().to_string()
}

/// A configuration with these keys beside the necessary ones.
pub(crate) fn config(keys: Value) -> Config {
    let mut config = json!({"cluster": "server", "token": "ptc_secret", "public_key": public_key()});
    config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    Config::parse(config.to_string().as_bytes()).unwrap()
}

pub(crate) fn bundle(document: &str, revision: u64) -> Vec<u8> {
    bundle_with(document, Options { revision, ..Options::default() })
}

/// A bundle that the configured key signed, unless the options sign with another.
pub(crate) fn bundle_with(document: &str, options: Options) -> Vec<u8> {
    let sign = options.sign.or_else(|| Some(signing_key()));
    match compile(document, &Options { sign, ..options }) {
        Ok(compiled) => compiled.bundle,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

/// What `jwt_authn` leaves for a token with this payload.
pub(crate) fn metadata(payload_key: &str, payload: &Value) -> Vec<u8> {
    let of_filter = map_entry(payload_key, &protobuf_value(payload));
    map_entry("envoy.filters.http.jwt_authn", &of_filter)
}

fn protobuf_value(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![0x08, 0],
        Value::Number(number) => [vec![0x11], number.as_f64().unwrap().to_le_bytes().to_vec()].concat(),
        Value::String(text) => delimited(0x1A, text.as_bytes()),
        Value::Bool(flag) => vec![0x20, u8::from(*flag)],
        Value::Object(object) => {
            let fields: Vec<_> = object.iter().map(|(key, value)| map_entry(key, &protobuf_value(value))).collect();
            delimited(0x2A, &fields.concat())
        }
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| delimited(0x0A, &protobuf_value(value))).collect();
            delimited(0x32, &values.concat())
        }
    }
}

fn map_entry(key: &str, value: &[u8]) -> Vec<u8> {
    delimited(0x0A, &[delimited(0x0A, key.as_bytes()), delimited(0x12, value)].concat())
}

fn delimited(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![tag];
    let mut length = bytes.len();
    while length > 0x7F {
        field.push(u8::try_from(length & 0x7F).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    [field, bytes.to_vec()].concat()
}
