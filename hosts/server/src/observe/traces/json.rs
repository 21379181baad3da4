//! Spans as the JSON of an `ExportTraceServiceRequest` (OTLP 1.x: ids in hexadecimal, numbers of 64 bits as texts).

use portcullis_identity::hex;
use serde_json::{Value, json};

use crate::observe::traces::span::{Attribute, Finished, Kind};

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

pub fn request(spans: &[Finished], service_name: &str) -> String {
    let resource = [("service.name", service_name), ("service.version", env!("CARGO_PKG_VERSION"))];
    let resource = resource.map(|(name, text)| attribute(name, &Attribute::Text(text.to_owned())));
    let spans: Vec<Value> = spans.iter().map(span).collect();
    let scope = json!({"name": "portcullis", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
    .to_string()
}

fn span(span: &Finished) -> Value {
    let Finished { trace_id, span_id, parent, kind, name, started, ended, is_failure, attributes } = span;
    let mut json = json!({
        "traceId": hex(trace_id),
        "spanId": hex(span_id),
        "name": name,
        "kind": match kind {
            Kind::Internal => 1,
            Kind::Server => 2,
        },
        "startTimeUnixNano": started.as_nanos().to_string(),
        "endTimeUnixNano": ended.as_nanos().to_string(),
        "attributes": attributes.iter().map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
    });
    if let Some(parent) = parent {
        json["parentSpanId"] = hex(parent).into();
    }
    if *is_failure {
        json["status"] = json!({"code": ERROR});
    }
    json
}

fn attribute(name: &str, value: &Attribute) -> Value {
    let value = match value {
        Attribute::Text(text) => json!({"stringValue": text}),
        Attribute::Number(number) => json!({"intValue": number.to_string()}),
    };
    json!({"key": name, "value": value})
}
