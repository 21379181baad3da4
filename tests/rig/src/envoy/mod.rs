//! A real Envoy with the filter in it.

mod binary;
mod bootstrap;
mod ext_authz;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

pub use binary::EnvoyBinary;
pub use bootstrap::plugin;

use crate::http::{self, Client, Request, Response};
use crate::process::{Process, poll};

const TIMEOUT: Duration = Duration::from_secs(60);
/// So many connections in a row must agree before it is said that every worker does. With two workers one of them is
/// missed once in half a million times.
const CONNECTIONS_IN_A_ROW: u32 = 20;

/// The header in which `EnvoySetup::show_decisions` shows the decision of each request.
pub const DECISION_HEADER: &str = "x-decision";

/// What is in front of the upstream, and how.
#[derive(Clone, Debug)]
pub struct EnvoySetup {
    /// `portcullis-envoy.wasm`.
    pub filter: PathBuf,
    pub upstream: SocketAddr,
    pub server: SocketAddr,
    /// Token of a user with the role `edge`.
    pub token: String,
    /// Who must have signed the bundles, in base64.
    pub public_key: String,
    pub tenant: String,
    /// Threads that handle requests.
    pub workers: u32,
    /// Where the filter reads the country of the client.
    pub country_header: Option<String>,
    /// The same for the continent.
    pub continent_header: Option<String>,
    /// `path_mode` of the filter is `rewrite` instead of `strict`.
    pub rewrite_paths: bool,
    /// Each response has a header `DECISION_HEADER` with the decision in JSON.
    pub show_decisions: bool,
    /// Proxies in front whose `x-forwarded-for` is believed. With 1 the last entry is the address of the client.
    pub trusted_hops: u32,
    /// Envoy's own checks before the filter: normal paths, no escaped slashes, no underscores in header names, no port
    /// and no trailing dot in the host. On in production; off where a test is about what the filter does.
    pub hardened: bool,
    /// Envoy verifies bearer tokens before the filter.
    pub jwt_authn: bool,
    /// Seconds that a policy is good after the server last confirmed it.
    pub max_stale_s: u32,
    /// More keys of the filter's configuration, an object.
    pub more: Value,
    /// Instead of the filter, Envoy asks the server about each request (`ext_authz` over HTTP).
    pub asks_server: bool,
    /// Instead of all that: these HTTP filters before the router.
    pub filters: Option<Vec<Value>>,
    /// Routes before the one for everything; each needs a `match`, the cluster is added.
    pub routes: Vec<Value>,
    /// `transport_socket` of the listener; plain text without.
    pub transport_socket: Option<Value>,
    /// The same of the connections to the upstream.
    pub upstream_socket: Option<Value>,
    /// Where it listens; a free port of 127.0.0.1 without.
    pub listen: Option<SocketAddr>,
}

impl EnvoySetup {
    /// One worker, strict paths, one trusted hop, nothing before the filter but `jwt_authn`.
    pub fn new(filter: &Path, upstream: SocketAddr, server: SocketAddr, token: &str, public_key: &str) -> Self {
        Self {
            filter: filter.to_owned(),
            upstream,
            server,
            token: token.to_owned(),
            public_key: public_key.to_owned(),
            tenant: "default".to_owned(),
            workers: 1,
            country_header: None,
            continent_header: None,
            rewrite_paths: false,
            show_decisions: false,
            trusted_hops: 1,
            hardened: false,
            jwt_authn: true,
            max_stale_s: 300,
            more: json!({}),
            asks_server: false,
            filters: None,
            routes: Vec::new(),
            transport_socket: None,
            upstream_socket: None,
            listen: None,
        }
    }
}

#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    listener: SocketAddr,
    bootstrap: PathBuf,
    /// What Envoys that follow one another by hot restart have in common.
    base_id: u32,
}

impl Envoy {
    /// Starts it and waits until it listens; that it has a policy is another matter (`wait_for_policy`).
    /// Bootstrap and logs go to `folder`.
    pub fn start(binary: &EnvoyBinary, setup: &EnvoySetup, folder: &Path) -> Result<Self> {
        let bootstrap = folder.join("envoy.json");
        fs::write(&bootstrap, format!("{:#}\n", bootstrap::bootstrap(setup)))?;
        Self::run(binary, &bootstrap, setup.workers, folder)
    }

    /// Starts another that takes over from this one by hot restart; this one ends by itself soon after. Both need the
    /// same `EnvoySetup::listen`.
    pub fn hot_restart(&self, binary: &EnvoyBinary, setup: &EnvoySetup, folder: &Path) -> Result<Self> {
        let bootstrap = folder.join("envoy.json");
        fs::write(&bootstrap, format!("{:#}\n", bootstrap::bootstrap(setup)))?;
        let mut command = command(binary, &bootstrap, setup.workers);
        command.args(["--base-id", &self.base_id.to_string(), "--restart-epoch", "1"]);
        let process = Process::start("envoy", command.arg("--admin-address-path").arg(folder.join(ADMIN)), folder)?;
        Self::ready(process, &bootstrap, folder, self.base_id)
    }

    /// The same with a configuration that is there: `admin` and its listener take free ports.
    pub fn run(binary: &EnvoyBinary, bootstrap: &Path, workers: u32, folder: &Path) -> Result<Self> {
        let base_id_file = folder.join("envoy.base-id");
        let mut command = command(binary, bootstrap, workers);
        command.arg("--use-dynamic-base-id").arg("--base-id-path").arg(&base_id_file);
        let mut process = Process::start("envoy", command.arg("--admin-address-path").arg(folder.join(ADMIN)), folder)?;
        let base_id = process.wait_until("Envoy's base id", TIMEOUT, |_| {
            Ok(fs::read_to_string(&base_id_file).ok().and_then(|id| id.trim().parse().ok()))
        })?;
        Self::ready(process, bootstrap, folder, base_id)
    }

    /// Waits until the process listens.
    fn ready(mut process: Process, bootstrap: &Path, folder: &Path, base_id: u32) -> Result<Self> {
        let admin_file = folder.join(ADMIN);
        // Both ports are chosen by Envoy itself, so that nobody can take them before.
        let admin = process.wait_until("Envoy's admin port", TIMEOUT, |_| {
            Ok(fs::read_to_string(&admin_file).ok().and_then(|address| address.trim().parse().ok()))
        })?;
        let listener = process.wait_until("Envoy's listener", TIMEOUT, |_| {
            let is_live = get(admin, "/ready").is_ok_and(|response| response.text().trim() == "LIVE");
            if is_live { listener_address(admin) } else { Ok(None) }
        })?;
        Ok(Self { process, admin, listener, bootstrap: bootstrap.to_owned(), base_id })
    }

    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// Waits until the process has ended by itself.
    pub fn wait(&mut self) -> Result<()> {
        self.process.wait(TIMEOUT, |_| ()).map(drop)
    }

    /// Does something at Envoy's administration interface.
    pub fn command(&self, path: &str) -> Result<()> {
        let request = Request::new("POST", path).header("connection", "close").header("content-length", "0");
        http::send(self.admin, &request)?.expect_status(200).map(drop)
    }

    pub fn bootstrap(&self) -> &Path {
        &self.bootstrap
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Lines that Envoy and the filter logged.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// Keeps its connection.
    pub fn client(&self) -> Client {
        Client::new(self.listener)
    }

    pub fn send(&self, request: &Request) -> Result<Response> {
        http::send(self.listener, request)
    }

    /// Sends `request` over new connections until so many answers in a row are as wanted that every worker agrees.
    pub fn wait_until_all(
        &self,
        what: &str,
        request: &Request,
        timeout: Duration,
        is_wanted: impl Fn(&Response) -> bool,
    ) -> Result<()> {
        poll(what, timeout, || {
            for _ in 0..CONNECTIONS_IN_A_ROW {
                if !is_wanted(&self.send(request)?) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Waits until every worker has a policy.
    pub fn wait_for_policy(&self) -> Result<()> {
        self.wait_until_all("a policy in every worker", &Request::get("/"), TIMEOUT, |response| response.status != 503)
    }

    /// Lines of `/stats/prometheus` of the filter's own metrics, comments left out.
    pub fn filter_metrics(&self) -> Result<Vec<String>> {
        let page = get(self.admin, "/stats/prometheus")?.expect_status(200)?.text();
        Ok(page.lines().filter(|line| line.starts_with("portcullis_")).map(str::to_owned).collect())
    }
}

/// Where Envoy writes the address of its administration interface.
const ADMIN: &str = "envoy.admin";

fn command(binary: &EnvoyBinary, bootstrap: &Path, workers: u32) -> Command {
    let mut command = Command::new(binary.path());
    command.arg("--config-path").arg(bootstrap);
    command.args(["--log-level", "warn", "--component-log-level", "wasm:info"]);
    command.args(["--concurrency", &workers.to_string(), "--drain-time-s", "1", "--parent-shutdown-time-s", "3"]);
    command
}

fn get(address: SocketAddr, path: &str) -> Result<Response> {
    http::send(address, &Request::get(path).header("connection", "close"))
}

fn listener_address(admin: SocketAddr) -> Result<Option<SocketAddr>> {
    let listeners = get(admin, "/listeners?format=json")?.expect_status(200)?.json()?;
    let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
    let (Some(host), Some(port)) = (address["address"].as_str(), address["port_value"].as_u64()) else {
        return Ok(None);
    };
    let port = u16::try_from(port).context("port of the listener")?;
    ensure!(port != 0, "Envoy does not say which port it listens on: {listeners}");
    Ok(Some(SocketAddr::new(host.parse()?, port)))
}

/// The decision that a response shows, of an Envoy with `EnvoySetup::show_decisions`.
pub fn shown_decision(response: &Response) -> Result<Value> {
    let json = response.header(DECISION_HEADER).context("the response shows no decision")?;
    serde_json::from_str(json).with_context(|| format!("not a decision: {json:?}"))
}
