//! `/v1/allow` under load beside a bare handler that reads the same headers and answers a constant, both asked by wrk in
//! turn; and the same while roles are changed.

mod bare;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_rig::wrk::{Measured, Question, Wrk};
use portcullis_rig::{Client, Request, Server};

use crate::measure::quantile;
use crate::suites::load::{self, Pace, Until};
use crate::workload::{Ask, ROLES, Workload, asks};

pub use bare::{Job, child};

const RULES: usize = 10_000;
const USERS: usize = 10_000;
const CONNECTIONS: u32 = 32;
/// Of one turn of wrk.
const SECONDS: u32 = 5;
/// Changes of roles while it asks.
const WRITES_PER_SECOND: f64 = 50.0;
/// How many create users at once: writes take turns, so few.
const CREATING: usize = 4;
const HOST: &str = "shop.example.org";

/// What a round measured.
struct Round {
    bare: Measured,
    quiet: Measured,
    writing: Measured,
}

/// One of them.
type Turn = fn(&Round) -> Measured;

/// `binary` is the server.
pub fn run(binary: &Path, tools: &Path, rounds: usize) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let wrk = Wrk::find_or_install(tools)?;
    let workload = Workload::new(RULES);
    let asks = asks(&workload, USERS);
    let questions: Vec<Question> = asks.iter().enumerate().map(|(at, ask)| question(at, ask)).collect();
    Wrk::prepare(folder.path(), &questions)?;
    let server = Server::start_with(binary, folder.path(), "trusted_proxies = [\"127.0.0.1\"]\n")?;
    server
        .send(Request::new("PUT", "/policy/document").body("application/json", workload.document()))?
        .expect_status(201)?;
    create_users(&server, &asks)?;
    answers_are_right(&server, &questions, &asks)?;
    let bare = bare::Bare::start(folder.path())?;
    let ask = |address: SocketAddr| wrk.ask(address, folder.path(), CONNECTIONS, SECONDS);
    // Connections, caches and the processor's clock warm up.
    ask(bare.address())?;
    ask(server.address())?;
    let mut measured = Vec::new();
    for round in 0..rounds {
        let (bare, quiet) = match round % 2 {
            0 => (ask(bare.address())?, ask(server.address())?),
            _ => {
                let quiet = ask(server.address())?;
                (ask(bare.address())?, quiet)
            }
        };
        let writing = while_writing(&server, &asks, || ask(server.address()))?;
        let lost = bare.lost + quiet.lost + writing.lost;
        ensure!(lost == 0 && bare.refused == 0, "{lost} requests were not answered, {} refused", bare.refused);
        eprintln!("allow: round {} of {rounds}", round + 1);
        measured.push(Round { bare, quiet, writing });
    }
    table(&measured)
}

fn table(rounds: &[Round]) -> Result<String> {
    let median = |of: &dyn Fn(&Round) -> f64| quantile(&mut rounds.iter().map(of).collect::<Vec<_>>(), 0.5);
    let mut table = String::from(
        "| what answers | requests a second | of the bare handler's | median | p99 | to the quiet p99 |\n",
    );
    table.push_str("|---|---|---|---|---|---|\n");
    let rows: [(&str, Turn); 3] = [
        ("a bare axum handler", |round| round.bare),
        ("`/v1/allow`", |round| round.quiet),
        ("`/v1/allow` during 50 writes a second", |round| round.writing),
    ];
    for (what, of) in rows {
        let rate = median(&|round| of(round).per_second);
        let share = median(&|round| of(round).per_second / round.bare.per_second) * 100.0;
        let (half, p99) = (median(&|round| of(round).median_us), median(&|round| of(round).p99_us));
        let to_quiet = median(&|round| of(round).p99_us / round.quiet.p99_us);
        writeln!(table, "| {what} | {rate:.0} | {share:.0} % | {half:.0} us | {p99:.0} us | {to_quiet:.2} |")?;
    }
    writeln!(
        table,
        "\n{RULES} rules, {USERS} users, {CONNECTIONS} connections, {SECONDS} s a turn, medians of {} rounds.",
        rounds.len()
    )?;
    Ok(table)
}

fn user(at: usize) -> String {
    format!("user-{at}")
}

fn question(at: usize, ask: &Ask) -> Question {
    Question { user: user(at), method: ask.method.to_owned(), host: HOST.to_owned(), path: ask.path.clone() }
}

fn names(roles: &[&str]) -> String {
    format!("[{}]", roles.iter().map(|role| format!("\"{role}\"")).collect::<Vec<_>>().join(","))
}

/// The user of each question, with the roles of its request.
fn create_users(server: &Server, asks: &[Ask]) -> Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let create = || -> Result<()> {
            let mut client = Client::new(server.address());
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(ask) = asks.get(at) else { return Ok(()) };
                let body = format!("{{\"user\":{{\"user_id\":\"{}\"}},\"roles\":{}}}", user(at), names(&ask.roles));
                let post = Request::new("POST", "/v1/user").body("application/json", body);
                client.send(&post.bearer(server.admin_token()))?.expect_status(200)?;
            }
        };
        let creating: Vec<_> = (0..CREATING).map(|_| scope.spawn(create)).collect();
        creating.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

/// Each question once: the workload knows the answers.
fn answers_are_right(server: &Server, questions: &[Question], asks: &[Ask]) -> Result<()> {
    let mut client = Client::new(server.address());
    for (Question { user, method, host, path }, ask) in questions.iter().zip(asks) {
        let said = Request::get("/v1/allow").header("x-caller-userid", user).header("x-forwarded-method", method);
        let answer = client.send(&said.header("x-forwarded-host", host).header("x-forwarded-uri", path))?;
        let right = if ask.allowed { 200 } else { 403 };
        ensure!(answer.status == right, "{ask:?}: {}", answer.text());
    }
    Ok(())
}

/// What `ask` measures while users get a role more and lose it again.
fn while_writing(server: &Server, asks: &[Ask], ask: impl FnOnce() -> Result<Measured>) -> Result<Measured> {
    let put = |at: usize, roles: &[&str]| {
        let put = Request::new("PUT", &format!("/v1/user/{}/roles", user(at)));
        put.body("application/json", format!("{{\"roles\":{}}}", names(roles))).bearer(server.admin_token())
    };
    let both = |(at, ask): (usize, &Ask)| {
        let other = ROLES.into_iter().find(|role| !ask.roles.contains(role));
        let more: Vec<&str> = ask.roles.iter().copied().chain(other).collect();
        [put(at, &more), put(at, &ask.roles)]
    };
    let writes: Vec<Request> = asks.iter().enumerate().flat_map(both).collect();
    let mut clients: Vec<Client> = (0..CREATING).map(|_| Client::new(server.address())).collect();
    let (stopped, pace) = (AtomicBool::new(false), Pace::PerSecond(WRITES_PER_SECOND));
    thread::scope(|scope| {
        let writing = scope.spawn(|| load::run(&mut clients, &writes, pace, &Until::Stopped(&stopped)));
        let measured = ask();
        stopped.store(true, Ordering::Relaxed);
        let written = writing.join().map_err(|_| anyhow!("a thread panicked"))?.context("writing")?.len();
        let wanted = WRITES_PER_SECOND * f64::from(SECONDS);
        eprintln!("allow: {written} of {wanted} writes");
        measured
    })
}
