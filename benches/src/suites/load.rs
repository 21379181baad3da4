//! Requests at a fixed rate, or as fast as answers come, over connections that stay open.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use portcullis_rig::{Client, Request};

/// How soon after one another requests begin.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many a second, over all connections.
    PerSecond(f64),
    /// Each connection sends when it has its answer.
    Unbounded,
}

/// When it is over.
pub enum Until<'a> {
    Requests(usize),
    Stopped(&'a AtomicBool),
}

/// Sends `requests` in turn, and answers with how long each took, in ns: from the moment when it was due, so that an
/// answer that keeps others waiting counts for them too. Any status but 200 is an error.
pub fn run(clients: &mut [Client], requests: &[Request], pace: Pace, until: &Until<'_>) -> Result<Vec<f64>> {
    let (begin, next) = (Instant::now(), AtomicUsize::new(0));
    let next = &next;
    thread::scope(|scope| {
        let threads = clients.iter_mut().map(|client| {
            scope.spawn(move || -> Result<Vec<f64>> {
                let mut times = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = match until {
                        Until::Requests(count) => number >= *count,
                        Until::Stopped(stopped) => stopped.load(Ordering::Relaxed),
                    };
                    if is_over {
                        return Ok(times);
                    }
                    let due = match pace {
                        Pace::PerSecond(rate) => begin + Duration::from_secs_f64(number as f64 / rate),
                        Pace::Unbounded => Instant::now(),
                    };
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let response = client.send(&requests[number % requests.len()])?;
                    ensure!(response.status == 200, "{}: {:.300}", response.status, response.text());
                    times.push(due.elapsed().as_nanos() as f64);
                }
            })
        });
        let mut times = Vec::new();
        for thread in threads.collect::<Vec<_>>() {
            times.extend(thread.join().map_err(|_| anyhow!("a connection panicked"))??);
        }
        Ok(times)
    })
}
