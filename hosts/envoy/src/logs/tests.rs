use std::time::Duration;

use serde_json::{Value, json};

use super::{Kept, Logs};
use crate::config::Config;
use crate::fake::{FakeHost, config, headers};
use crate::host::CallId;
use crate::metrics::Metrics;

struct Case {
    host: FakeHost,
    config: Config,
    metrics: Metrics,
    logs: Logs,
}

impl Case {
    fn new(settings: Value) -> Self {
        let config = config(json!({"decision_logs": settings}));
        let logs = Logs::new(config.decision_logs.unwrap());
        Self { host: FakeHost::new(), config, metrics: Metrics::new("default"), logs }
    }

    fn now(&self) -> Duration {
        self.host.0.borrow().now
    }

    fn offer(&mut self, records: &[&str]) -> Kept {
        let records = records.iter().map(|record| format!("\"{record}\"")).collect();
        let now = self.now();
        self.logs.offer(&self.host, &mut self.metrics, records, now)
    }

    fn tick_after(&mut self, time: Duration) {
        self.host.advance(time);
        let now = self.now();
        self.logs.tick(&self.host, &self.config, &self.config.tenants[0], "w1", now);
    }

    /// The bodies that were sent so far.
    fn sent(&self) -> Vec<Value> {
        self.host.0.borrow().bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    fn answer(&mut self, status: &[(&str, &str)]) {
        self.host.0.borrow_mut().answer.0 = headers(status);
        let call = CallId(u32::try_from(self.host.0.borrow().calls.len()).unwrap());
        let now = self.now();
        assert!(self.logs.answered(&self.host, &mut self.metrics, call, status.len(), now));
    }

    fn dropped(&self) -> u64 {
        self.host.metric("portcullis_log_records_dropped_total.tenant.default")
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn records_go_out_in_batches_with_their_numbers() {
    let mut case = Case::new(json!({}));
    assert_eq!(case.offer(&["a", "b"]), Kept::Yes);
    case.tick_after(SECOND / 2);
    assert!(case.sent().is_empty(), "a few records wait for more");
    case.tick_after(SECOND / 2);
    assert_eq!(case.sent(), [json!({"worker": "w1", "first": 1, "dropped": 0, "records": ["a", "b"]})]);
    let call = case.host.0.borrow().calls[0].clone();
    assert_eq!((&*call[":method"], &*call[":path"]), ("POST", "/policy/decision-logs?tenant=default"));
    assert_eq!((&*call["authorization"], &*call["content-type"]), ("Bearer ptc_secret", "application/json"));

    case.offer(&["c"]);
    case.tick_after(SECOND);
    assert_eq!(case.sent().len(), 1, "one call at a time");
    case.answer(&[(":status", "200")]);
    case.tick_after(SECOND);
    assert_eq!(case.sent()[1], json!({"worker": "w1", "first": 3, "dropped": 0, "records": ["c"]}));
    case.answer(&[(":status", "200")]);
    case.tick_after(SECOND);
    assert_eq!((case.sent().len(), case.dropped()), (2, 0));
}

#[test]
fn many_records_do_not_wait() {
    let mut case = Case::new(json!({}));
    (0..1200).for_each(|_| _ = case.offer(&["x"]));
    for (first, count) in [(1, 500), (501, 500), (1001, 200)] {
        case.tick_after(Duration::from_millis(100));
        let sent = case.sent().pop().unwrap();
        assert_eq!((&sent["first"], sent["records"].as_array().unwrap().len()), (&json!(first), count));
        case.answer(&[(":status", "200")]);
    }
}

#[test]
fn a_batch_is_below_a_mebibyte() {
    let mut case = Case::new(json!({}));
    let long = "x".repeat(20_000);
    (0..120).for_each(|_| _ = case.offer(&[&long]));
    let mut numbers = 1;
    for _ in 0..3 {
        case.tick_after(SECOND);
        let body = case.host.0.borrow().bodies.last().unwrap().clone();
        let sent: Value = serde_json::from_str(&body).unwrap();
        assert!(body.len() < 1 << 20 && sent["first"] == json!(numbers), "{} bytes", body.len());
        numbers += sent["records"].as_array().unwrap().len();
        case.answer(&[(":status", "200")]);
    }
    assert_eq!(numbers, 121);
}

#[test]
fn a_full_buffer_drops_counts_and_leaves_a_gap() {
    let mut case = Case::new(json!({"buffer": 3}));
    assert_eq!(
        (case.offer(&["a", "b"]), case.offer(&["c", "d"]), case.offer(&["e"])),
        (Kept::Yes, Kept::Dropped, Kept::Yes)
    );
    assert_eq!((case.offer(&["f"]), case.dropped()), (Kept::Dropped, 3));
    case.tick_after(SECOND);
    assert_eq!(case.sent()[0], json!({"worker": "w1", "first": 1, "dropped": 3, "records": ["a", "b"]}));
    case.answer(&[(":status", "200")]);
    case.tick_after(SECOND);
    assert_eq!(case.sent()[1], json!({"worker": "w1", "first": 5, "dropped": 3, "records": ["e"]}));
    case.answer(&[(":status", "200")]);
    case.offer(&["g"]);
    case.tick_after(SECOND);
    assert_eq!(case.sent()[2]["first"], json!(7));
}

#[test]
fn the_buffer_is_bounded_in_bytes_too() {
    let mut case = Case::new(json!({"buffer": 100_000}));
    let long = "x".repeat(1 << 20);
    let kept = (0..20).filter(|_| case.offer(&[&long]) == Kept::Yes).count();
    assert_eq!((kept, case.dropped()), (7, 13));
}

#[test]
fn a_server_that_fails_gets_the_same_again() {
    let mut case = Case::new(json!({}));
    case.offer(&["a"]);
    for answer in [&[][..], &[(":status", "503")], &[(":status", "504")], &[(":status", "301")], &[("x", "")]] {
        case.tick_after(6 * SECOND);
        case.answer(answer);
    }
    case.tick_after(Duration::from_millis(100));
    assert_eq!(case.sent().len(), 5, "it is not hammered");
    case.host.0.borrow_mut().broken.insert("call");
    case.tick_after(6 * SECOND);
    case.host.0.borrow_mut().broken.remove("call");
    // A call that is never answered counts as failed.
    case.tick_after(6 * SECOND);
    case.tick_after(30 * SECOND);
    case.tick_after(6 * SECOND);
    let sent = case.sent();
    assert!(sent.len() == 7 && sent.iter().all(|body| *body == sent[0]), "{sent:?}");
    assert_eq!(case.dropped(), 0);
}

#[test]
fn where_records_are_required_only_wrong_ones_are_given_up() {
    let mut case = Case::new(json!({"mode": "required"}));
    case.offer(&["a"]);
    for status in ["401", "403", "404", "429"] {
        case.tick_after(6 * SECOND);
        case.answer(&[(":status", status)]);
        assert_eq!(case.dropped(), 0, "{status}");
    }
    assert_eq!(case.host.0.borrow().logs.len(), 1, "the trouble is said once");
    case.tick_after(6 * SECOND);
    case.answer(&[(":status", "400")]);
    assert_eq!((case.sent().len(), case.dropped()), (5, 1));
}

#[test]
fn what_the_server_never_accepts_is_dropped_and_counted() {
    let mut case = Case::new(json!({}));
    case.offer(&["a", "b"]);
    case.tick_after(SECOND);
    case.answer(&[(":status", "422")]);
    assert_eq!(case.dropped(), 2);
    case.offer(&["c"]);
    case.tick_after(SECOND);
    assert_eq!(case.sent()[1], json!({"worker": "w1", "first": 3, "dropped": 2, "records": ["c"]}));
}
