//! A policy server that does what a test tells it, also what none should do.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::http::{Ends, Head, read_body, read_head};

/// What comes back for `GET /policy/bundle`.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200, or 304 after a while when the caller has it.
    Bundle(Vec<u8>),
    /// This status and body.
    Plain(u16, Vec<u8>),
    /// The same for each tenant in the list; 404 for any other.
    Bundles(Vec<(String, Vec<u8>)>),
    /// 200 with so many headers and no body.
    Headers(usize),
    /// The head of 200 and half of the body, then the connection ends.
    Half(Vec<u8>),
    /// The connection ends without an answer.
    HangUp,
    /// Nothing comes, until the answer is another one.
    Silence,
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug)]
struct Now {
    answer: Answer,
    /// Number of the answer.
    version: u64,
    /// Requests that came while this was the answer, or waited when it became so.
    requests: u64,
    stopped: bool,
}

impl Answer {
    fn of(self, tenant: &str) -> Self {
        let Self::Bundles(bundles) = self else { return self };
        let bundle = bundles.into_iter().find(|(name, _)| name == tenant);
        bundle.map_or(Self::Plain(404, Vec::new()), |(_, bytes)| Self::Bundle(bytes))
    }
}

impl Origin {
    pub fn start(answer: Answer) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let now = Mutex::new(Now { answer, version: 1, requests: 0, stopped: false });
        let state = Arc::new(State { now, changed: Condvar::new() });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().stopped {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&shared);
                // Ends when either side ends the connection.
                thread::spawn(move || state.serve(stream));
            }
        });
        Ok(Self { address, state })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this is the answer; callers that wait get it at once.
    pub fn answer(&self, answer: Answer) {
        let mut now = self.state.lock();
        now.answer = answer;
        now.version += 1;
        now.requests = 0;
        drop(now);
        self.state.changed.notify_all();
    }

    /// How many requests came, or waited, since the answer is what it is.
    pub fn requests(&self) -> u64 {
        self.state.lock().requests
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.state.lock().stopped = true;
        self.state.changed.notify_all();
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(Head { headers, first_line }) = read_head(&mut stream)? {
            read_body(&mut stream, &headers, Ends::AtOnce)?;
            let known = headers.iter().find(|(name, _)| name == "if-none-match").map(|(_, tag)| tag.as_str());
            let parameters = || first_line.split(['?', '&', ' ']);
            let wait = parameters().find_map(|pair| pair.strip_prefix("wait=")?.parse().ok());
            let wait = Duration::from_secs(wait.unwrap_or(0));
            let tenant = parameters().find_map(|pair| pair.strip_prefix("tenant=")).unwrap_or_default();
            let (version, answer) = self.settled(known, wait);
            let stream = stream.get_mut();
            match answer.of(tenant) {
                Answer::Bundle(_) if known == Some(&tag(version)) => write(stream, 304, &tag(version), &[], 0)?,
                Answer::Bundle(bytes) => write(stream, 200, &tag(version), &bytes, bytes.len())?,
                Answer::Plain(status, body) => write(stream, status, &tag(version), &body, body.len())?,
                Answer::Half(body) => {
                    write(stream, 200, &tag(version), &body[..body.len() / 2], body.len())?;
                    return Ok(());
                }
                Answer::Headers(count) => {
                    let headers: String = (0..count).map(|number| format!("x-{number}: 1\r\n")).collect();
                    let head = format!("HTTP/1.1 200 X\r\ncontent-length: 0\r\n{headers}\r\n");
                    stream.write_all(head.as_bytes())?;
                }
                Answer::Bundles(_) | Answer::HangUp | Answer::Silence => return Ok(()),
            }
        }
        Ok(())
    }

    /// The answer for one who has `known`, when it is another one or the caller has waited long enough.
    fn settled(&self, known: Option<&str>, wait: Duration) -> (u64, Answer) {
        let mut now = self.lock();
        now.requests += 1;
        let mut seen = now.version;
        let end = Instant::now() + wait;
        while !now.stopped {
            let left = match &now.answer {
                Answer::Bundle(_) | Answer::Bundles(_) if known == Some(&tag(now.version)) => {
                    end.saturating_duration_since(Instant::now())
                }
                Answer::Silence => Duration::from_secs(60),
                _ => Duration::ZERO,
            };
            if left.is_zero() {
                break;
            }
            now = self.changed.wait_timeout(now, left).unwrap_or_else(PoisonError::into_inner).0;
            if now.version != seen {
                seen = now.version;
                now.requests += 1;
            }
        }
        (now.version, now.answer.clone())
    }
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

fn write(stream: &mut TcpStream, status: u16, tag: &str, body: &[u8], length: usize) -> Result<()> {
    let head = format!("HTTP/1.1 {status} X\r\netag: {tag}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    Ok(())
}
