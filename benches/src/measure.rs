//! Times: engines take turns in one run, so that what else the machine does falls on all of them.
//!
//! The clock counts the time of this thread on a processor, so that other processes cost nothing but caches.

use std::hint::black_box;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use portcullis_core::{Request, Target};

use crate::engines::Engine;
use crate::workload::Question;

/// Nanoseconds that one batch shall take: reading the clock is little beside it. Slow engines are timed singly.
const BATCH_NS: f64 = 20_000.0;
/// Requests of one batch, at most.
const BATCH: usize = 256;
/// Nanoseconds that one turn of an engine may take; a slower engine gets fewer requests.
const TURN_NS: f64 = 25e6;
/// Requests of one turn, at most; the first quarter only warms the caches.
const TURN_REQUESTS: usize = 8_192;
/// What decides faster than this is timed singly by the clock that is cheap to read, though it runs for all processes.
const FAST_NS: f64 = 20_000.0;

/// What is timed: something that decides one request at a time, or several.
pub trait Subject<Q> {
    /// How many requests one call decides.
    fn at_once(&self) -> usize {
        1
    }

    /// Makes of `asks` what the calls will need; not timed.
    fn prepare(&mut self, _asks: &[Q]) {}

    /// One call for the requests from `at` on of those it has prepared; how many are allowed.
    fn decide(&mut self, asks: &[Q], at: usize) -> usize;
}

impl<Q: Question> Subject<Q> for Box<dyn Engine> {
    #[inline]
    fn decide(&mut self, asks: &[Q], at: usize) -> usize {
        usize::from((**self).decide(&black_box(asks[at].request())))
    }
}

/// Single calls below which nobody can tell their 99th percentile.
const FEWEST_SINGLES: usize = 300;

/// Nanoseconds per decision.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Of batches, per decision.
    pub median: f64,
    /// Of single calls, per decision; NaN when there were too few.
    pub p99: f64,
}

struct Turns<'s, Q> {
    subject: &'s mut dyn Subject<Q>,
    per_turn: usize,
    per_batch: usize,
    is_fast: bool,
    /// Where in the requests the next turn starts.
    next: usize,
    /// Batches for the median and single calls for the tail, one after the other.
    in_batch: bool,
    batches: Vec<f64>,
    singles: Vec<f64>,
}

/// Times of each subject after `rounds` rounds; all decide the same requests.
pub fn times<Q: Question>(subjects: &mut [&mut dyn Subject<Q>], asks: &[Q], rounds: usize) -> Vec<Times> {
    let mut turns: Vec<Turns<'_, Q>> = subjects.iter_mut().map(|subject| Turns::new(*subject, asks)).collect();
    for _round in 0..rounds {
        for turn in &mut turns {
            turn.take(asks);
        }
    }
    turns.into_iter().map(Turns::summary).collect()
}

impl<'s, Q: Question> Turns<'s, Q> {
    /// Finds out how many requests make a turn.
    fn new(subject: &'s mut dyn Subject<Q>, asks: &[Q]) -> Self {
        let at_once = subject.at_once();
        let asks = &asks[..asks.len().min(TURN_REQUESTS)];
        subject.prepare(asks);
        let started = thread_ns();
        let mut decided = 0;
        while decided + at_once <= asks.len() && thread_ns() - started < TURN_NS {
            black_box(subject.decide(asks, decided));
            decided += at_once;
        }
        let each = (thread_ns() - started) / decided as f64;
        let whole = |requests: usize| (requests / at_once).max(1) * at_once;
        let per_batch = whole(((BATCH_NS / each) as usize).clamp(1, BATCH));
        let (per_turn, is_fast) = (whole(decided).max(per_batch), each * at_once as f64 <= FAST_NS);
        Self { subject, per_turn, per_batch, is_fast, next: 0, in_batch: true, batches: vec![], singles: vec![] }
    }

    fn take(&mut self, asks: &[Q]) {
        let warm = self.per_turn / 4;
        let mut done = 0;
        while done < self.per_turn {
            if self.next + self.per_batch > asks.len() {
                self.next = 0;
            }
            let batch = &asks[self.next..self.next + self.per_batch];
            self.next += self.per_batch;
            done += self.per_batch;
            touch(batch);
            self.subject.prepare(batch);
            let is_warm = done > warm || self.per_turn == self.per_batch;
            match self.in_batch {
                true => self.batch(batch, is_warm),
                false => self.singles(batch, is_warm),
            }
            self.in_batch = !self.in_batch;
        }
    }

    fn batch(&mut self, asks: &[Q], is_warm: bool) {
        let at_once = self.subject.at_once();
        let started = thread_ns();
        for at in (0..asks.len()).step_by(at_once) {
            black_box(self.subject.decide(asks, at));
        }
        let time = (thread_ns() - started) / asks.len() as f64;
        self.batches.extend(is_warm.then_some(time));
    }

    fn singles(&mut self, asks: &[Q], is_warm: bool) {
        let at_once = self.subject.at_once();
        for at in (0..asks.len()).step_by(at_once) {
            let (subject, is_fast) = (&mut *self.subject, self.is_fast);
            let decide = || black_box(subject.decide(asks, at));
            let time = if is_fast { wall(decide) } else { on_processor(decide) };
            self.singles.extend(is_warm.then_some(time / at_once as f64));
        }
    }

    fn summary(mut self) -> Times {
        let (wall, on_processor) = (cost(|| wall(|| ())), cost(|| on_processor(|| ())));
        let at_once = self.subject.at_once() as f64;
        let clock = if self.is_fast { wall } else { on_processor };
        if self.singles.len() < FEWEST_SINGLES {
            self.singles.clear();
        }
        Times {
            median: quantile(&mut self.batches, 0.5) - on_processor / self.per_batch as f64,
            p99: quantile(&mut self.singles, 0.99) - clock / at_once,
        }
    }
}

fn wall<T>(run: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    run();
    started.elapsed().as_nanos() as f64
}

fn on_processor<T>(run: impl FnOnce() -> T) -> f64 {
    let started = thread_ns();
    run();
    thread_ns() - started
}

/// Nanoseconds that this thread has run.
fn thread_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// What a clock says of nothing.
fn cost(of: impl Fn() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..1_000).map(|_| of()).collect();
    quantile(&mut times, 0.5)
}

/// Reads the requests once: a host has just received what it asks about, so the bytes are in its caches.
fn touch(asks: &[impl Question]) {
    let touch = |text: &str| {
        black_box(text.bytes().fold(0_u8, u8::wrapping_add));
    };
    for ask in asks {
        let Request { action, target, subject, context, .. } = ask.request();
        let of_target = match target {
            Target::Http { host, path } => [Some(path), host, None],
            Target::Resource { kind, id, properties } => [Some(kind), id, properties],
        };
        of_target.into_iter().chain([Some(action), context]).flatten().for_each(touch);
        if let Some(subject) = subject {
            [Some(subject.id), subject.properties].into_iter().flatten().chain(subject.roles.iter()).for_each(touch);
        }
    }
}

/// Medians of calls that take turns, in nanoseconds.
pub fn alternately<const N: usize>(mut calls: [&mut dyn FnMut() -> bool; N], rounds: usize) -> [f64; N] {
    let mut times = [(); N].map(|()| Vec::new());
    let once = calls.each_mut().map(|call| on_processor(|| black_box(call())).max(1.0));
    for _round in 0..rounds {
        for ((call, times), once) in calls.iter_mut().zip(&mut times).zip(once) {
            let batch = ((TURN_NS / 10.0 / once) as usize).clamp(1, TURN_REQUESTS);
            let time = on_processor(|| {
                (0..batch).for_each(|_| {
                    black_box(call());
                })
            });
            times.push(time / batch as f64);
        }
    }
    times.map(|mut times| quantile(&mut times, 0.5))
}

/// The value below which a share of `quantile` of the values lies; NaN when there are none.
pub fn quantile(values: &mut [f64], quantile: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * quantile).round() as usize).copied().unwrap_or(f64::NAN)
}
