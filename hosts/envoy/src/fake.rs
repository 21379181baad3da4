//! A proxy for tests: it has state and can fail each call, and nothing is asserted about the order of calls.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis_compiler::{Options, SigningKey, compile};
use serde_json::{Value, json};

use crate::config::Config;
use crate::headers::Headers;
use crate::host::{Call, CallId, Cas, Host, HostError, Level, MetricId, Property};
use crate::pairs;

/// Headers that tests can change.
pub(crate) type Pairs = Vec<(String, Vec<u8>)>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SentReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) headers: Pairs,
    pub(crate) source_address: Option<Vec<u8>>,
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) route_metadata: Option<Vec<u8>>,
    /// First URI and first DNS name of the client's certificate.
    pub(crate) peer: [Option<Vec<u8>>; 2],
    pub(crate) response_headers: BTreeMap<String, String>,
    pub(crate) resumed: bool,
    pub(crate) filter_state: BTreeMap<String, String>,
    pub(crate) reply: Option<SentReply>,
    /// What came of the body of the request.
    pub(crate) body: Vec<u8>,
    /// Calls to the server, by their headers.
    pub(crate) calls: Vec<BTreeMap<String, String>>,
    /// Their bodies.
    pub(crate) bodies: Vec<String>,
    pub(crate) answer: (Pairs, Vec<u8>),
    pub(crate) now: Duration,
    pub(crate) tick_every: Option<Duration>,
    pub(crate) shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// A key that somebody else writes just before the next write of it.
    pub(crate) rival: Option<String>,
    /// What `verify_signature` of the proxy answers; `None` where there is no such function.
    pub(crate) native: Option<bool>,
    /// What it was asked.
    pub(crate) foreign: Vec<(String, Vec<u8>)>,
    pub(crate) metrics: BTreeMap<String, u64>,
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
        self.0.borrow().metrics.get(name).copied().unwrap_or(0)
    }

    fn try_with<T>(&self, call: &'static str, run: impl FnOnce(&mut State) -> T) -> Result<T, HostError> {
        let mut state = self.0.borrow_mut();
        if state.broken.contains(call) { Err(HostError) } else { Ok(run(&mut state)) }
    }

    fn metric_id(&self, call: &'static str, name: &str) -> Result<MetricId, HostError> {
        self.try_with(call, |_| {
            METRICS.with_borrow_mut(|names| {
                let known = names.iter().position(|metric| metric == name);
                let index = known.unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
                MetricId(u32::try_from(index).unwrap())
            })
        })
    }
}

thread_local! {
    /// Names of all metrics, so that one worker can be tried with several hosts.
    static METRICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn metric_name(MetricId(index): MetricId) -> String {
    METRICS.with_borrow(|names| names[index as usize].clone())
}

impl Host for FakeHost {
    fn request_headers(&self) -> Result<Headers, HostError> {
        self.try_with("request_headers", |state| packed(&state.headers))
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

    fn set_response_header(&self, name: &str, value: &str) -> Result<(), HostError> {
        self.try_with("set_response_header", |state| {
            state.response_headers.insert(name.to_owned(), value.to_owned());
        })
    }

    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, HostError> {
        match property {
            Property::SourceAddress => self.try_with("source_address", |state| state.source_address.clone()),
            Property::Metadata => self.try_with("metadata", |state| state.metadata.clone()),
            Property::RouteMetadata => self.try_with("route_metadata", |state| state.route_metadata.clone()),
            Property::PeerUri => self.try_with("peer", |state| state.peer[0].clone()),
            Property::PeerDns => self.try_with("peer", |state| state.peer[1].clone()),
        }
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

    fn resume(&self) -> Result<(), HostError> {
        self.try_with("resume", |state| state.resumed = true)
    }

    fn request_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        self.try_with("request_body", |state| state.body[..size_bytes].to_vec())
    }

    fn replace_request_body(&self, size_bytes: usize, body: &[u8]) -> Result<(), HostError> {
        self.try_with("replace_request_body", |state| _ = state.body.splice(..size_bytes, body.iter().copied()))
    }

    fn call(&self, call: &Call<'_>) -> Result<CallId, HostError> {
        let Call { cluster, headers, body, .. } = *call;
        self.try_with("call", |state| {
            let mut call: BTreeMap<_, _> =
                headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            call.insert("cluster".to_owned(), cluster.to_owned());
            state.calls.push(call);
            state.bodies.push(String::from_utf8(body.unwrap_or_default().to_vec()).unwrap());
            CallId(u32::try_from(state.calls.len()).unwrap())
        })
    }

    fn answer_headers(&self) -> Result<Headers, HostError> {
        self.try_with("answer_headers", |state| packed(&state.answer.0))
    }

    fn answer_body(&self, size_bytes: usize) -> Result<Vec<u8>, HostError> {
        self.try_with("answer_body", |state| state.answer.1[..size_bytes].to_vec())
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, HostError> {
        self.try_with("shared", |state| state.shared.get(key).map(|(value, cas)| (value.clone(), Cas(*cas))))
    }

    fn set_shared(&self, key: &str, value: &[u8], cas: Option<Cas>) -> Result<bool, HostError> {
        self.try_with("set_shared", |state| {
            let known = state.shared.entry(key.to_owned()).or_default();
            if state.rival.take_if(|rival| rival == key).is_some() {
                known.1 += 1;
            }
            let is_free = cas.is_none_or(|Cas(cas)| known.1 == cas || known.1 == 0);
            if is_free {
                *known = (value.to_vec(), known.1 + 1);
            }
            is_free
        })
    }

    fn foreign(&self, function: &str, argument: &[u8]) -> Result<Vec<u8>, HostError> {
        let native = self.0.borrow().native.ok_or(HostError)?;
        self.try_with("foreign", |state| {
            state.foreign.push((function.to_owned(), argument.to_vec()));
            if native { vec![0x08, 1] } else { Vec::new() }
        })
    }

    fn now(&self) -> Result<Duration, HostError> {
        self.try_with("now", |state| state.now)
    }

    fn tick_every(&self, period: Duration) -> Result<(), HostError> {
        self.try_with("tick_every", |state| state.tick_every = Some(period))
    }

    fn counter(&self, name: &str) -> Result<MetricId, HostError> {
        self.metric_id("counter", name)
    }

    fn gauge(&self, name: &str) -> Result<MetricId, HostError> {
        self.metric_id("gauge", name)
    }

    fn add(&self, counter: MetricId, value: u32) -> Result<(), HostError> {
        self.try_with("add", |state| *state.metrics.entry(metric_name(counter)).or_default() += u64::from(value))
    }

    fn record(&self, gauge: MetricId, value: u64) -> Result<(), HostError> {
        self.try_with("record", |state| _ = state.metrics.insert(metric_name(gauge), value))
    }

    fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().logs.push((level, message.to_owned()));
    }
}

// === what tests are made of ===

/// As the proxy gives them.
pub(crate) fn packed(pairs: &Pairs) -> Headers {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value)).collect();
    pairs::decode(pairs::encode(&pairs)).unwrap()
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}

fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub(crate) fn public_key() -> String {
    signing_key().public_key().to_string()
}

/// A configuration with these keys beside the necessary ones.
pub(crate) fn config_json(keys: Value) -> String {
    let mut config = json!({"cluster": "server", "token": "ptc_secret", "public_key": public_key(), "max_stale": 60});
    config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    config.to_string()
}

pub(crate) fn config(keys: Value) -> Config {
    Config::parse(config_json(keys).as_bytes()).unwrap()
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

/// What one filter, or a route under one name, says: a struct of its own.
pub(crate) fn filter_metadata(filter: &str, fields: &Value) -> Vec<u8> {
    let fields = fields.as_object().unwrap().iter();
    let fields: Vec<_> = fields.map(|(key, value)| map_entry(key, &protobuf_value(value))).collect();
    map_entry(filter, &fields.concat())
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
