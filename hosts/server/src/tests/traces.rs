//! Traces, as a collector receives them.

use std::future::IntoFuture as _;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::observe::Traces;
use crate::observe::traces::{Collector, Tracer};
use crate::pep::Proxies;
use crate::tests::client::{POLICY, TestApp};

/// Takes what is posted to it.
struct Stand {
    endpoint: String,
    batches: mpsc::UnboundedReceiver<Value>,
}

impl Stand {
    async fn open(status: StatusCode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, batches) = mpsc::unbounded_channel();
        let take = move |headers: HeaderMap, body: Bytes| {
            assert_eq!(headers["content-type"], "application/json");
            sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
            async move { (status, "{}") }
        };
        tokio::spawn(axum::serve(listener, Router::new().route("/v1/traces", post(take))).into_future());
        Self { endpoint, batches }
    }

    /// The spans that came until now, which has all that were flushed.
    fn spans(&mut self) -> Vec<Value> {
        let mut spans = Vec::new();
        while let Ok(batch) = self.batches.try_recv() {
            let resource = &batch["resourceSpans"][0];
            let name = json!({"key": "service.name", "value": {"stringValue": "gate"}});
            assert_eq!(resource["resource"]["attributes"][0], name);
            spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().clone());
        }
        spans
    }
}

fn tracer(endpoint: &str) -> Tracer {
    Tracer::start(Traces { collector: Collector::parse(endpoint).unwrap(), service_name: "gate".to_owned() })
}

async fn traced(endpoint: &str) -> TestApp {
    let tracer = tracer(endpoint);
    TestApp::changed(|parts| {
        parts.tracer = Some(tracer);
        parts.proxies = Proxies { trusted: vec!["192.0.2.1/32".parse().unwrap()], ..Proxies::default() };
    })
    .await
}

async fn flush(app: &TestApp) {
    app.app.tracer.as_ref().unwrap().flush().await;
}

#[track_caller]
fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

#[tokio::test]
async fn a_request_is_a_span_and_its_parts_are_below_it() {
    let mut stand = Stand::open(StatusCode::OK).await;
    let app = traced(&stand.endpoint).await;
    let admin = app.admin().await;
    admin.publish(POLICY).await;
    flush(&app).await;
    stand.spans();

    let ask = json!({"action": "GET", "path": "/x"});
    admin.post("/policy/decide?tenant=default").json(&ask).send().await.expect_status(200);
    flush(&app).await;
    let spans = stand.spans();
    assert_eq!(spans.len(), 3, "{spans:?}");
    let request = named(&spans, "POST /policy/decide");
    let id = |span: &Value, key: &str| span[key].as_str().unwrap_or_default().to_owned();
    assert_eq!((id(request, "traceId").len(), id(request, "spanId").len()), (32, 16));
    assert_eq!((&request["kind"], id(request, "parentSpanId")), (&json!(2), String::new()));
    for part in ["authorize", "decide"] {
        let part = named(&spans, part);
        assert_eq!((id(part, "traceId"), id(part, "parentSpanId")), (id(request, "traceId"), id(request, "spanId")));
        assert_eq!(part["kind"], 1);
        let time = |span: &Value, key: &str| id(span, key).parse::<u64>().unwrap();
        assert!(time(request, "startTimeUnixNano") <= time(part, "startTimeUnixNano"));
        assert!(time(part, "startTimeUnixNano") <= time(part, "endTimeUnixNano"));
        assert!(time(part, "endTimeUnixNano") <= time(request, "endTimeUnixNano"));
    }
    let attributes = json!([
        {"key": "http.request.method", "value": {"stringValue": "POST"}},
        {"key": "http.route", "value": {"stringValue": "/policy/decide"}},
        {"key": "http.response.status_code", "value": {"intValue": "200"}},
        {"key": "enduser.id", "value": {"stringValue": "user/admin"}},
    ]);
    assert_eq!(request["attributes"], attributes);
    assert_eq!(request["status"], json!(null));
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

#[tokio::test]
async fn a_trace_of_a_trusted_proxy_goes_on() {
    let mut stand = Stand::open(StatusCode::OK).await;
    let app = traced(&stand.endpoint).await;
    let ask = async |flags: &str| {
        let parent = format!("00-{TRACE}-{SPAN}-{flags}");
        app.anonymous().get("/healthz").header("traceparent", &parent).send().await.expect_status(200);
        flush(&app).await;
    };
    ask("01").await;
    let spans = stand.spans();
    let request = named(&spans, "GET /healthz");
    assert_eq!((&request["traceId"], &request["parentSpanId"]), (&json!(TRACE), &json!(SPAN)));
    ask("00").await;
    assert!(stand.spans().is_empty(), "whoever began it does not record it");
}

#[tokio::test]
async fn a_trace_of_a_stranger_does_not() {
    let mut stand = Stand::open(StatusCode::OK).await;
    let tracer = tracer(&stand.endpoint);
    let app = TestApp::changed(|parts| parts.tracer = Some(tracer)).await;
    let parent = format!("00-{TRACE}-{SPAN}-00");
    app.anonymous().get("/healthz").header("traceparent", &parent).send().await.expect_status(200);
    flush(&app).await;
    let spans = stand.spans();
    let request = named(&spans, "GET /healthz");
    assert_ne!(request["traceId"], TRACE);
    assert_eq!(request["parentSpanId"], json!(null));
}

#[tokio::test]
async fn a_collector_that_is_down_costs_no_request() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let app = traced(&format!("http://{gone}")).await;
    app.anonymous().get("/healthz").send().await.expect_status(200);
    flush(&app).await;
    assert_eq!(app.app.tracer.as_ref().unwrap().dropped(), 2, "the request and its authorization");

    let refusing = Stand::open(StatusCode::SERVICE_UNAVAILABLE).await;
    let app = traced(&refusing.endpoint).await;
    app.anonymous().get("/healthz").send().await.expect_status(200);
    flush(&app).await;
    assert_eq!(app.app.tracer.as_ref().unwrap().dropped(), 2);
}

/// A collector that takes connections and says nothing.
#[tokio::test]
async fn a_collector_that_never_answers_costs_no_request_and_no_memory() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = traced(&format!("http://{}", silent.local_addr().unwrap())).await;
    // More spans than may wait.
    for _ in 0..3_000 {
        app.anonymous().get("/healthz").send().await.expect_status(200);
    }
    assert!(app.app.tracer.as_ref().unwrap().dropped() > 0);
}
