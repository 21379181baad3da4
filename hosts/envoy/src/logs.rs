//! Decision records on their way to the server: a bounded buffer, and one call at a time that empties it.
//!
//! In: records as JSON. Out: batches in order, each sent until the server took it or refused it for good. A record that
//! finds no room is dropped, counted, and leaves a gap in the numbers.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::{Config, DecisionLogs, LogMode, Tenancy};
use crate::feed::poll::{MAX_SPACING, SPACING};
use crate::host::{Call, CallId, Host, HostError, Level};
use crate::json::Writer;
use crate::metrics::Metrics;

/// Of one batch (the protocol's limits, with room for what is around the records).
const BATCH_RECORDS: usize = 500;
const BATCH_BYTES: usize = 960 << 10;
/// Of all records that wait.
const BUFFER_BYTES: usize = 8 << 20;
/// So many records do not wait for more.
const ENOUGH: usize = 100;
/// Nor does a record that waited so long.
const LINGER: Duration = Duration::from_secs(1);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What became of records that were offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Yes,
    Dropped,
}

pub struct Logs {
    config: DecisionLogs,
    /// With the number of each.
    records: VecDeque<(u64, String)>,
    bytes: usize,
    next_number: u64,
    /// In total.
    dropped: u64,
    in_flight: Option<InFlight>,
    /// When the oldest record that is not in flight came.
    waits_since: Duration,
    not_before: Duration,
    failures: u32,
    /// Whether the server refused the last batch; said once.
    is_refused: bool,
}

struct InFlight {
    call: CallId,
    records: usize,
    /// When the answer must be there.
    end: Duration,
}

impl Logs {
    pub fn new(config: DecisionLogs) -> Self {
        Self {
            config,
            records: VecDeque::new(),
            bytes: 0,
            next_number: 1,
            dropped: 0,
            in_flight: None,
            waits_since: Duration::ZERO,
            not_before: Duration::ZERO,
            failures: 0,
            is_refused: false,
        }
    }

    pub fn mode(&self) -> LogMode {
        self.config.mode
    }

    /// Takes all of the records, or none of them.
    pub fn offer(&mut self, host: &impl Host, metrics: &mut Metrics, records: Vec<String>, now: Duration) -> Kept {
        let bytes = records.iter().fold(0_usize, |bytes, record| bytes.saturating_add(record.len()));
        let count = self.records.len().saturating_add(records.len());
        let has_room = count <= self.config.buffer && self.bytes.saturating_add(bytes) <= BUFFER_BYTES;
        if !has_room {
            let lost = records.len() as u64;
            self.next_number = self.next_number.saturating_add(lost);
            self.drop_records(host, metrics, lost);
            return Kept::Dropped;
        }
        if self.records.is_empty() {
            self.waits_since = now;
        }
        for record in records {
            self.bytes = self.bytes.saturating_add(record.len());
            self.records.push_back((self.next_number, record));
            self.next_number = self.next_number.saturating_add(1);
        }
        Kept::Yes
    }

    /// Sends a batch if it is time. `worker` is this worker's name at the server.
    pub fn tick(&mut self, host: &impl Host, config: &Config, tenancy: &Tenancy, worker: &str, now: Duration) {
        if self.in_flight.as_ref().is_some_and(|call| now > call.end) {
            self.fail(now);
        }
        // A clock that was set back must not stop them.
        let is_time = now >= self.not_before || self.not_before.saturating_sub(now) > MAX_SPACING;
        let is_due = self.records.len() >= ENOUGH || now.abs_diff(self.waits_since) >= LINGER;
        if self.records.is_empty() || self.in_flight.is_some() || !is_time || !is_due {
            return;
        }
        let records = self.batch();
        let body = self.body(worker, records);
        match send(host, config, tenancy, &body) {
            Ok(call) => {
                let end = now.saturating_add(CALL_TIMEOUT).saturating_add(CALL_TIMEOUT);
                self.in_flight = Some(InFlight { call, records, end });
            }
            Err(HostError) => self.fail(now),
        }
    }

    /// Whether the call was one of these.
    pub fn answered(
        &mut self,
        host: &impl Host,
        metrics: &mut Metrics,
        call: CallId,
        headers: usize,
        now: Duration,
    ) -> bool {
        let Some(InFlight { records, .. }) = self.in_flight.take_if(|in_flight| in_flight.call == call) else {
            return false;
        };
        let headers = if headers == 0 { Err(HostError) } else { host.answer_headers() };
        let headers = headers.unwrap_or_default();
        let status = headers.first(":status");
        match status {
            Some([b'2', ..]) => {
                self.forget(records, now);
                self.is_refused = false;
            }
            Some(status @ [b'4', ..]) => {
                if !core::mem::replace(&mut self.is_refused, true) {
                    let status = String::from_utf8_lossy(status);
                    host.log(Level::Error, &format!("the server refuses decision logs with status {status}"));
                }
                if self.gives_up_at(status) {
                    self.forget(records, now);
                    self.drop_records(host, metrics, records as u64);
                } else {
                    self.fail(now);
                }
            }
            _ => self.fail(now),
        }
        true
    }

    /// Where records are required, only what is said about the records themselves: a token that is not valid, or a server
    /// that has no time, may change.
    fn gives_up_at(&self, status: &[u8]) -> bool {
        self.config.mode == LogMode::BestEffort || matches!(status, b"400" | b"413" | b"422")
    }

    fn drop_records(&mut self, host: &impl Host, metrics: &mut Metrics, records: u64) {
        self.dropped = self.dropped.saturating_add(records);
        metrics.count_dropped_records(host, u32::try_from(records).unwrap_or(u32::MAX));
    }

    /// How many records the next batch has: those at the front whose numbers follow each other.
    fn batch(&self) -> usize {
        let Some((first, _)) = self.records.front() else { return 0 };
        let mut bytes = 0_usize;
        let fits = |(number, (found, record)): &(u64, &(u64, String))| {
            bytes = bytes.saturating_add(record.len()).saturating_add(1);
            found == number && bytes <= BATCH_BYTES
        };
        (*first..).zip(&self.records).take(BATCH_RECORDS).take_while(fits).count().max(1)
    }

    fn body(&self, worker: &str, records: usize) -> String {
        let mut body = Writer::object();
        body.text("worker", worker);
        body.number("first", self.records.front().map_or(0, |(number, _)| *number));
        body.number("dropped", self.dropped);
        body.items("records", self.records.iter().take(records), |out, (_, record)| out.push_str(record));
        body.finish()
    }

    /// The first records are at the server, or never will be.
    fn forget(&mut self, records: usize, now: Duration) {
        for (_, record) in self.records.drain(..records.min(self.records.len())) {
            self.bytes = self.bytes.saturating_sub(record.len());
        }
        self.failures = 0;
        self.waits_since = now;
    }

    fn fail(&mut self, now: Duration) {
        let spacing = SPACING.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX)).min(MAX_SPACING);
        self.in_flight = None;
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.saturating_add(spacing);
    }
}

fn send(host: &impl Host, config: &Config, tenancy: &Tenancy, body: &str) -> Result<CallId, HostError> {
    let path = ["/policy/decision-logs?tenant=", tenancy.tenant.as_str()].concat();
    let authorization = ["Bearer ", &tenancy.token].concat();
    let headers = [
        (":method", "POST"),
        (":path", &*path),
        (":authority", &config.authority),
        ("authorization", &authorization),
        ("content-type", "application/json"),
    ];
    let body = Some(body.as_bytes());
    host.call(&Call { cluster: &config.cluster, headers: &headers, body, timeout: CALL_TIMEOUT })
}

#[cfg(test)]
mod tests;
