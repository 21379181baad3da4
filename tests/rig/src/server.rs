//! The management server as a process, and its API as far as tests and the demo need it.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::http::{self, Request, Response};
use crate::process::Process;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONFIGURATION: &str = "portcullis.toml";
const DATA: &str = "data";

/// A server that was set up; `admin` is its first user.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    folder: PathBuf,
    process: Process,
    address: SocketAddr,
    bundle_key: String,
    admin_token: String,
}

impl Server {
    /// `binary` is `portcullis`; data and logs go to `folder`, which has no server's data yet.
    pub fn start(binary: &Path, folder: &Path) -> Result<Self> {
        Self::start_with(binary, folder, "")
    }

    /// The same with this configuration file (TOML).
    pub fn start_with(binary: &Path, folder: &Path, configuration: &str) -> Result<Self> {
        fs::write(folder.join(CONFIGURATION), configuration)?;
        let mut process = spawn(binary, folder, "127.0.0.1:0")?;
        let address = listening_on(&mut process)?;
        let setup_token = process.wait_for_line("setup token: ", TIMEOUT)?;
        let bundle_key = process.wait_for_line("bundle key: ", TIMEOUT)?;
        let setup = Request::new("POST", "/setup").bearer(&setup_token).json(&json!({"id": "admin"}));
        let admin_token = token_in(&http::send(address, &setup)?.expect_status(201)?)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Self { binary, folder, process, address, bundle_key, admin_token })
    }

    /// Another server on the same database, which `configuration` names, with the keys of this one. Data and logs go to
    /// `folder`, which has no server's data yet.
    pub fn start_beside(&self, folder: &Path, configuration: &str) -> Result<Self> {
        fs::create_dir(folder.join(DATA))?;
        for key in ["signing.key", "vault.keys"] {
            fs::copy(self.folder.join(DATA).join(key), folder.join(DATA).join(key)).context(key)?;
        }
        fs::write(folder.join(CONFIGURATION), configuration)?;
        let mut process = spawn(&self.binary, folder, "127.0.0.1:0")?;
        let address = listening_on(&mut process)?;
        let (binary, folder) = (self.binary.clone(), folder.to_owned());
        let (bundle_key, admin_token) = (self.bundle_key.clone(), self.admin_token.clone());
        Ok(Self { binary, folder, process, address, bundle_key, admin_token })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Public key of the bundles, in base64.
    pub fn bundle_key(&self) -> &str {
        &self.bundle_key
    }

    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends as `admin`, unless the request brings a token of its own.
    pub fn send(&self, request: Request) -> Result<Response> {
        let request = if request.has("authorization") { request } else { request.bearer(&self.admin_token) };
        http::send(self.address, &request)
    }

    /// Stores a policy document (YAML) and answers with its revision.
    pub fn put_policy(&self, document: &str) -> Result<u64> {
        self.put_policy_if(None, document)
    }

    /// The same, only if the document is still at `revision`.
    pub fn put_policy_if(&self, revision: Option<u64>, document: &str) -> Result<u64> {
        let mut request = Request::new("PUT", "/policy/document").body("application/yaml", document);
        if let Some(revision) = revision {
            request = request.header("if-match", &format!("\"{revision}\""));
        }
        let response = self.send(request)?;
        ensure!(matches!(response.status, 200 | 201), "status {}: {}", response.status, response.text());
        response.json()?["revision"].as_u64().context("no revision in the answer")
    }

    /// The decision on a request in the JSON of the policy core.
    pub fn decide(&self, request: &Value) -> Result<Value> {
        self.send(Request::new("POST", "/policy/decide").json(request))?.expect_status(200)?.json()
    }

    /// Creates an edge of the default tenant and answers with its token.
    pub fn create_edge(&self, name: &str) -> Result<String> {
        let edge = Request::new("POST", "/edges").json(&json!({"name": name}));
        token_in(&self.send(edge)?.expect_status(201)?)
    }

    /// Creates a user with these roles and answers with a token.
    pub fn create_user(&self, id: &str, roles: &[&str]) -> Result<String> {
        let user = Request::new("POST", "/directory/users").json(&json!({"id": id, "roles": roles}));
        self.send(user)?.expect_status(201)?;
        let token = Request::new("POST", &format!("/directory/users/{id}/tokens")).json(&json!({}));
        token_in(&self.send(token)?.expect_status(201)?)
    }

    /// Ends the process as an operator would, and checks that it ended well.
    pub fn stop(&mut self) -> Result<()> {
        let status = self.process.terminate(TIMEOUT)?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// Ends the process as a machine that fails would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill(TIMEOUT).map(drop)
    }

    /// Starts it again after `stop` or `kill`, with the same data on the same port.
    pub fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.binary, &self.folder, &self.address.to_string())?;
        let address = listening_on(&mut self.process)?;
        ensure!(address == self.address, "the server listens on {address} instead of {}", self.address);
        Ok(())
    }
}

fn spawn(binary: &Path, folder: &Path, listen: &str) -> Result<Process> {
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", listen, "--data-dir"]).arg(folder.join(DATA));
    command.arg("--config").arg(folder.join(CONFIGURATION));
    // They are settings of the server, and those of whoever runs the tests are not meant for this one.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PORTCULLIS_")) {
        command.env_remove(name);
    }
    Process::start("server", &mut command, folder)
}

fn listening_on(process: &mut Process) -> Result<SocketAddr> {
    let address = process.wait_for_line("listening on http://", TIMEOUT)?;
    address.parse().with_context(|| format!("address {address:?}"))
}

fn token_in(response: &Response) -> Result<String> {
    Ok(response.json()?["token"].as_str().context("no token in the answer")?.to_owned())
}
