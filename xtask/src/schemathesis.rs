//! `cargo xtask schemathesis`: the OpenAPI documents, checked as such, and then against a real server with requests that are made
//! of them, legal ones and others. Whatever is answered must be documented, and no failure of the server.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;
use portcullis_rig::{Request, Server};
use serde_json::json;

use crate::progress::step;
use crate::{setup, workspace};

#[derive(Args)]
pub(crate) struct Schemathesis {
    /// Requests for each operation and phase, at most
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// Another seed makes other requests
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Only operations with this tag
    #[arg(long)]
    tag: Option<String>,
}

/// One run over a document, as somebody.
struct Run {
    name: &'static str,
    document: &'static str,
    tag: Option<String>,
    headers: Vec<(&'static str, String)>,
    /// Where the caller is let in before the run, and after it: else the run was about refusals only.
    door: &'static str,
}

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";
const AGENT: &str = "schemathesis";
const CONFIGURATION: &str = "trusted_proxies = [\"127.0.0.1\"]\n";
const EMAIL: &str = "root@example.org";
const PASSWORD: &str = "Correct1HorseBattery";

/// Something for the questions of proxies to be about.
const POLICY: &str = "version: 1
roles:
  member: {permissions: [orders.read]}
  superadmin: {inherits: [member]}
public: [{path: {under: /public}}]
blocked: [{path: {under: /blocked}}]
rules:
  - {id: own, effect: allow, who: {authenticated: true}, target: {path: {under: /own}}}
  - {id: seen, effect: audit, who: {anyone: true}, target: {path: {under: /own}}, topic: orders}
levels: [{key: email, value: verified}]
";

impl Schemathesis {
    pub(crate) const DEFAULT: Self = Self { examples: 20, seed: 1, tag: None };

    /// With the server of the last release build.
    pub(crate) fn run(self) -> Result<()> {
        let target = workspace::target()?;
        let tools = setup::schemathesis(&target)?;
        let folder = target.join(format!("schemathesis-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let binary = target.join("release/portcullis");
        let server = step("server", |_| Server::start_with(&binary, &folder, CONFIGURATION))?;
        let runs = step("callers", |_| runs(&server, &binary, &folder))?;
        for document in ["openapi.json", "openapi/padlock.json", "openapi/barong.json"] {
            step(document, |_| self.check_document(&tools, &server, document, &folder))?;
        }
        let finds: Vec<&str> = runs
            .iter()
            .filter(|run| self.tag.is_none() || self.tag == run.tag || run.tag.is_none())
            .filter_map(|run| match step(run.name, |_| self.carry_out(&tools, &server, run, &folder)) {
                Ok(()) => None,
                Err(error) => {
                    eprintln!("{error:#}");
                    Some(run.name)
                }
            })
            .collect();
        ensure!(
            finds.is_empty(),
            "schemathesis found something in {}; logs are in {}",
            finds.join(", "),
            folder.display()
        );
        // What a failed run leaves is for whoever looks for the reason.
        fs::remove_dir_all(&folder).context("cannot remove the data of the run")
    }

    /// Whether the document is one of OpenAPI 3.1.
    fn check_document(&self, tools: &Path, server: &Server, document: &str, folder: &Path) -> Result<()> {
        let text = server.send(Request::get(&format!("/{document}")))?.expect_status(200)?;
        let file = folder.join("document.json");
        fs::write(&file, text.text())?;
        let output = Command::new(tools.join("openapi-spec-validator")).arg(&file).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout).trim());
        Ok(())
    }

    fn carry_out(&self, tools: &Path, server: &Server, run: &Run, folder: &Path) -> Result<()> {
        // A run before may have stored another one.
        server.put_policy(POLICY)?;
        let url = format!("http://{}/{}", server.address(), run.document);
        let mut command = Command::new(tools.join("schemathesis"));
        command.arg("run").arg(url).args(["--checks", CHECKS, "--mode", "all", "--continue-on-failure", "--no-color"]);
        command.args(["--seed", &self.seed.to_string(), "--max-examples", &self.examples.to_string()]);
        command.args(["--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"]);
        command.args(["--request-timeout", "20", "--header", &format!("User-Agent:{AGENT}")]);
        for (name, value) in &run.headers {
            command.args(["--header", &format!("{name}:{value}")]);
        }
        if let Some(tag) = self.tag.as_ref().or(run.tag.as_ref()) {
            command.args(["--include-tag", tag]);
        }
        let hooks = workspace::root()?.join("tests/schemathesis");
        command.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", hooks).env("PYTHONDONTWRITEBYTECODE", "1");
        let log = folder.join(format!("{}.log", run.name.replace(' ', "-")));
        let output = command.current_dir(folder).output().context("cannot start schemathesis")?;
        fs::write(&log, &output.stdout)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let summary = text.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
        ensure!(output.status.success(), "{}\n{summary}", String::from_utf8_lossy(&output.stderr).trim());
        let knock = Request::get(run.door).header("user-agent", AGENT);
        let knock = run.headers.iter().fold(knock, |request, (name, value)| request.header(name, value));
        server.send(knock)?.expect_status(200).context("the run locked its own caller out")?;
        Ok(())
    }
}

/// Who calls: an administrator with the token of an edge, a superadmin, and the same with a session.
fn runs(server: &Server, binary: &Path, folder: &Path) -> Result<Vec<Run>> {
    let edge = server.create_edge("edge-1")?;
    create_superadmin(binary, folder)?;
    let token = Request::new("POST", "/directory/users/ROOT/tokens").json(&json!({}));
    let token = server.send(token)?.expect_status(201)?.json()?["token"].as_str().context("no token")?.to_owned();
    let (cookie, csrf) = session(server)?;
    let bearer = |token: &str| ("Authorization", format!("Bearer {token}"));
    let admin = || bearer(server.admin_token());
    Ok(vec![
        // First: restrictions that later runs make end sessions.
        Run {
            name: "gateway of Barong",
            document: "openapi/barong.json",
            tag: Some("gateway".to_owned()),
            headers: vec![("Cookie", cookie), ("X-CSRF-Token", csrf)],
            door: "/api/v2/auth/own/orders",
        },
        Run { name: "padlock", document: "openapi/padlock.json", tag: None, headers: vec![admin()], door: "/v1/user" },
        Run {
            name: "own API",
            document: "openapi.json",
            tag: None,
            headers: vec![admin(), ("X-Portcullis-Edge-Token", edge)],
            door: "/directory/users",
        },
        Run {
            name: "Barong",
            document: "openapi/barong.json",
            tag: None,
            headers: vec![bearer(&token)],
            door: "/api/v2/barong/admin/abilities",
        },
    ])
}

fn create_superadmin(binary: &Path, folder: &Path) -> Result<()> {
    let mut create = Command::new(binary);
    create.args(["admin", "--data-dir"]).arg(folder.join("data"));
    create.args(["create-user", "ROOT", "--role", "superadmin", "--email", EMAIL, "--password-stdin"]);
    create.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = create.spawn().with_context(|| binary.display().to_string())?;
    child.stdin.take().context("no standard input")?.write_all(format!("{PASSWORD}\n").as_bytes())?;
    ensure!(child.wait()?.success(), "the superadmin could not be created");
    Ok(())
}

/// The cookie and the token against forged requests.
fn session(server: &Server) -> Result<(String, String)> {
    let login = Request::new("POST", "/api/v2/barong/identity/sessions").header("user-agent", AGENT);
    let answer = server.send(login.json(&json!({"email": EMAIL, "password": PASSWORD})))?.expect_status(200)?;
    let cookie = answer.header("set-cookie").and_then(|text| text.split(';').next()).context("no cookie")?.to_owned();
    let csrf = answer.json()?["csrf_token"].as_str().context("no token against forged requests")?.to_owned();
    Ok((cookie, csrf))
}
