//! The bare handler: reads the headers that `/v1/allow` reads, looks at each byte, and answers what it answers. A process of
//! its own, as the server is.

use std::hint::black_box;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use portcullis_rig::Process;
use tokio::net::TcpListener;

/// Serves until it is killed.
#[derive(clap::Args)]
pub struct Job;

pub struct Bare {
    _process: Process,
    address: SocketAddr,
}

const TIMEOUT: Duration = Duration::from_secs(30);
const SAID: [&str; 4] = ["x-caller-userid", "x-forwarded-method", "x-forwarded-host", "x-forwarded-uri"];
const ANSWER: &str = r#"{"request_id":"00000000-0000-4000-8000-000000000000","success":true}"#;

impl Bare {
    pub fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start("bare", command.arg("bare"), folder)?;
        let address = process.wait_for_line("listening on ", TIMEOUT)?.parse().context("an address")?;
        Ok(Self { _process: process, address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

pub fn child(_: &Job) -> Result<()> {
    // As many threads as the server has.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on {}", listener.local_addr()?)?;
        stdout.flush()?;
        let no_delay = |stream: &mut tokio::net::TcpStream| {
            // Without it only slower.
            let _ = stream.set_nodelay(true);
        };
        Ok(axum::serve(listener.tap_io(no_delay), Router::new().route("/v1/allow", get(allow))).await?)
    })
}

async fn allow(headers: HeaderMap) -> Response {
    for name in SAID {
        let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        black_box(value);
    }
    ([(CONTENT_TYPE, "application/json"), (axum::http::HeaderName::from_static("padlock-request-id"), "1")], ANSWER)
        .into_response()
}
