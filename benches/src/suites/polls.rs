//! Thousands of edges wait for news over loopback: how long after the answer to a write the first and the last one is
//! told, by the real server. 0 is: before that answer had arrived.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use portcullis_rig::Server;
use portcullis_rig::process::poll;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::measure::quantile;

/// Edges that wait at once.
const EDGES: usize = 5_000;
/// Connections that are opened at once: fewer than a listener's queue holds.
const OPENING: usize = 200;
/// Writes of each kind; the first one only warms up.
const ROUNDS: usize = 6;
/// So long without using the processor, a server waits.
const IDLE: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_secs(60);

/// What edges wait for, and the write that ends it.
#[derive(Clone, Copy)]
enum News {
    Bundle,
    Revocation,
}

/// Milliseconds from the answer to the write.
struct Told {
    first: f64,
    median: f64,
    last: f64,
}

/// `binary` is the server.
pub fn run(binary: &Path) -> Result<String> {
    raise_file_limit()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(binary, folder.path())?;
    let token = server.create_edge("bench")?;
    server.put_policy(&document(0))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut table = String::from("| edges | wait for | first told | half told | last told |\n|---|---|---|---|---|\n");
    for (what, news) in [("a bundle", News::Bundle), ("a revocation", News::Revocation)] {
        let mut rounds = Vec::new();
        for round in 0..ROUNDS {
            rounds.push(runtime.block_on(one_round(&server, &token, news, round))?);
        }
        rounds.remove(0);
        let middle = |of: fn(&Told) -> f64| quantile(&mut rounds.iter().map(of).collect::<Vec<_>>(), 0.5);
        let (first, median, last) = (middle(|told| told.first), middle(|told| told.median), middle(|told| told.last));
        writeln!(table, "| {EDGES} | {what} | {first:.1} ms | {median:.1} ms | {last:.1} ms |")?;
    }
    Ok(table)
}

/// All edges wait, one write is answered, all are told.
async fn one_round(server: &Server, token: &str, news: News, round: usize) -> Result<Told> {
    let address = server.address();
    let request: Arc<str> = match news {
        News::Bundle => {
            let current = exchange(&mut TcpStream::connect(address).await?, &get("/policy/bundle", token, "")).await?;
            let tag = header(&current, "etag").context("no entity tag")?;
            get("/policy/bundle?wait=60", token, &format!("if-none-match: {tag}\r\n")).into()
        }
        News::Revocation => get(&format!("/policy/revocations?since={round}&wait=60"), token, "").into(),
    };
    let opening = Arc::new(Semaphore::new(OPENING));
    let mut edges = JoinSet::new();
    for _ in 0..EDGES {
        edges.spawn(wait(address, Arc::clone(&request), Arc::clone(&opening)));
    }
    let pid = server.pid();
    tokio::task::spawn_blocking(move || until_idle(pid)).await??;
    ensure!(edges.try_join_next().is_none(), "an edge did not wait");

    let (method, path, body) = match news {
        News::Bundle => ("PUT", "/policy/document".to_owned(), document(round + 1)),
        News::Revocation => ("POST", format!("/directory/users/u{round}/revoke"), String::new()),
    };
    let token = server.admin_token();
    let length = body.len();
    let write = format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\ncontent-type: application/yaml\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(&mut TcpStream::connect(address).await?, &write).await?;
    let answered = Instant::now();
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let mut told = Vec::with_capacity(EDGES);
    while let Some(edge) = edges.join_next().await {
        let at = edge??;
        // Who is told before the answer has arrived was told at once.
        told.push(at.saturating_duration_since(answered).as_secs_f64() * 1e3);
    }
    let first = quantile(&mut told, 0.0);
    Ok(Told { first, median: quantile(&mut told, 0.5), last: quantile(&mut told, 1.0) })
}

/// Asks, and says when the answer was complete.
async fn wait(address: SocketAddr, request: Arc<str>, opening: Arc<Semaphore>) -> Result<Instant> {
    let mut stream = {
        let _turn = opening.acquire().await?;
        TcpStream::connect(address).await?
    };
    let answer = exchange(&mut stream, &request).await?;
    let at = Instant::now();
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    Ok(at)
}

fn get(path: &str, token: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n{headers}\r\n")
}

/// Head and body of the answer.
async fn exchange(stream: &mut TcpStream, request: &str) -> Result<Vec<u8>> {
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(2_048);
    loop {
        ensure!(stream.read_buf(&mut answer).await? > 0, "the server closed the connection");
        let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let length: usize = header(&answer, "content-length").context("no length")?.parse()?;
        if answer.len() >= head + 4 + length {
            return Ok(answer);
        }
    }
}

fn header(answer: &[u8], wanted: &str) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let lines = text.lines().take_while(|line| !line.is_empty());
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
}

fn document(round: usize) -> String {
    format!(
        "version: 1\nrules:\n  - {{id: r{round}, effect: allow, who: {{roles: [a]}}, target: {{path: {{under: /a}}}}}}\n"
    )
}

/// The soft limit of open files becomes the hard one, for this process and those that it starts.
fn raise_file_limit() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    let needed = EDGES as u64 + 100;
    ensure!(limit.maximum.is_none_or(|maximum| maximum >= needed), "{needed} open files are needed");
    Ok(())
}

/// Waits until the process has not used a processor for a while.
fn until_idle(pid: u32) -> Result<()> {
    let mut last = (ticks(pid)?, Instant::now());
    poll("the server to wait", TIMEOUT, || {
        let now = ticks(pid)?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        Ok((last.1.elapsed() >= IDLE).then_some(()))
    })
}

/// Clock ticks on processors, fields 14 and 15 of `/proc/PID/stat` (proc(5)).
fn ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no command in stat")?;
    fields.split_whitespace().skip(11).take(2).map(|field| Ok(field.parse::<u64>()?)).sum()
}
