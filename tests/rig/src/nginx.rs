//! A real nginx that asks the server about each request (`auth_request`).

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::http::{self, Client, Request, Response};
use crate::process::Process;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Path of another nginx to use.
const OVERRIDE: &str = "PORTCULLIS_NGINX";

/// What is in front of the upstream, and how.
#[derive(Clone, Debug)]
pub struct NginxSetup {
    pub upstream: SocketAddr,
    pub server: SocketAddr,
    /// Token of an edge.
    pub token: String,
    /// Each response has a header `x-portcullis-decision`.
    pub show_decisions: bool,
}

/// An nginx of this machine.
#[derive(Clone, Debug)]
pub struct NginxBinary(PathBuf);

#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    listener: SocketAddr,
}

// === impl NginxBinary ===

impl NginxBinary {
    /// The one of `PORTCULLIS_NGINX`, else the one that is installed, else the one in `tools/nginx`, unpacked there from
    /// Debian's package when it is missing.
    pub fn find_or_install(tools: &Path) -> Result<Self> {
        if let Some(path) = env::var_os(OVERRIDE) {
            return Self::at(PathBuf::from(path)).with_context(|| format!("{OVERRIDE} does not name an nginx"));
        }
        if let Ok(installed) = Self::at(PathBuf::from("nginx")) {
            return Ok(installed);
        }
        let folder = tools.join("nginx");
        let binary = folder.join("usr/sbin/nginx");
        fs::create_dir_all(&folder)?;
        let lock = File::create(tools.join("nginx.lock"))?;
        lock.lock()?;
        if let Ok(found) = Self::at(binary.clone()) {
            return Ok(found);
        }
        let hint = format!("cannot get nginx: install Debian's package `nginx`, or set {OVERRIDE}");
        let unpack = "apt-get download nginx && dpkg-deb --extract nginx_*.deb . && rm nginx_*.deb";
        let output = Command::new("sh").args(["-ec", unpack]).current_dir(&folder).output().context(hint.clone())?;
        ensure!(output.status.success(), "{hint}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Self::at(binary)
    }

    fn at(path: PathBuf) -> Result<Self> {
        let output = Command::new(&path).arg("-V").output()?;
        let built_with = String::from_utf8_lossy(&output.stderr);
        ensure!(built_with.contains("--with-http_auth_request_module"), "an nginx without auth_request");
        Ok(Self(path))
    }
}

// === impl Nginx ===

impl Nginx {
    /// Starts it and waits until it listens. Configuration and logs go to `folder`.
    pub fn start(binary: &NginxBinary, setup: &NginxSetup, folder: &Path) -> Result<Self> {
        // nginx takes no port 0. The one that is free now is free in a moment, unless somebody is very fast.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        Self::run(binary, &configure(setup, listener, folder), listener, folder)
    }

    /// The same with a configuration of which `listener` is known.
    pub fn run(binary: &NginxBinary, configuration: &str, listener: SocketAddr, folder: &Path) -> Result<Self> {
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration)?;
        let mut command = Command::new(&binary.0);
        command.arg("-c").arg(&file).arg("-p").arg(folder).args(["-e", "stderr"]);
        let mut process = Process::start("nginx", &mut command, folder)?;
        process.wait_until("nginx to listen", TIMEOUT, |_| {
            Ok(std::net::TcpStream::connect(listener).is_ok().then_some(()))
        })?;
        Ok(Self { _process: process, listener })
    }

    pub fn listener(&self) -> SocketAddr {
        self.listener
    }

    /// Keeps its connection.
    pub fn client(&self) -> Client {
        Client::new(self.listener)
    }

    pub fn send(&self, request: &Request) -> Result<Response> {
        http::send(self.listener, request)
    }
}

/// What a deny may have; nginx can only send a status that stands in its configuration. Whoever writes one by hand lists
/// those of the policy.
const STATUSES: RangeInclusive<u16> = 400..=599;

fn configure(setup: &NginxSetup, listener: SocketAddr, folder: &Path) -> String {
    let NginxSetup { upstream, server, token, show_decisions } = setup;
    let folder = folder.display();
    let (keep_decision, show_decision) = match show_decisions {
        true => (
            "auth_request_set $decision $upstream_http_x_portcullis_decision;",
            "add_header x-portcullis-decision $decision always;",
        ),
        false => ("", ""),
    };
    let asks_for_decision = if *show_decisions { "proxy_set_header x-portcullis-show-decision true;" } else { "" };
    let sends =
        |status: u16| format!("            if ($status_of_deny = {status}) {{ return {status} $body_of_deny; }}\n");
    let statuses: String = STATUSES.map(sends).collect();
    format!(
        r#"daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    # Names with an underscore are dropped, so that no alias of an identity header passes. These are the defaults.
    underscores_in_headers off;
    ignore_invalid_headers on;
    large_client_header_buffers 4 16k;
    proxy_buffer_size 64k;
    proxy_buffers 4 64k;
    proxy_busy_buffers_size 64k;
    upstream portcullis {{ server {server}; keepalive 8; }}
    upstream application {{ server {upstream}; keepalive 8; }}
    server {{
        listen {listener};
        location / {{
            auth_request /_portcullis;
            auth_request_set $subject $upstream_http_x_portcullis_subject;
            auth_request_set $roles $upstream_http_x_portcullis_roles;
            auth_request_set $status_of_deny $upstream_http_x_portcullis_status;
            auth_request_set $reason $upstream_http_x_portcullis_reason;
            {keep_decision}
            {show_decision}
            error_page 401 403 500 = @denied;
            # What follows the host is the target as the client sent it, which is what was decided on.
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header connection "";
            proxy_set_header host $http_host;
            # Empty for an anonymous client, and then not sent: what clients write there never passes.
            proxy_set_header x-portcullis-subject $subject;
            proxy_set_header x-portcullis-roles $roles;
        }}
        location = /_portcullis {{
            internal;
            proxy_pass http://portcullis/authz/forward?deny_status=403;
            proxy_http_version 1.1;
            proxy_set_header connection "";
            proxy_pass_request_body off;
            proxy_set_header content-length "";
            proxy_set_header x-portcullis-edge-token {token};
            proxy_set_header x-original-method $request_method;
            proxy_set_header x-original-uri $request_uri;
            proxy_set_header x-original-host $http_host;
            proxy_set_header x-forwarded-for $proxy_add_x_forwarded_for;
            # The other family of headers would be a second story about the request.
            proxy_set_header x-forwarded-method "";
            proxy_set_header x-forwarded-uri "";
            proxy_set_header x-forwarded-host "";
            {asks_for_decision}
        }}
        location @denied {{
            default_type application/json;
            {show_decision}
            set $body_of_deny '{{"reason":"$reason"}}';
{statuses}            # The server did not answer.
            return 503 '{{"reason":"policy_unavailable"}}';
        }}
    }}
}}
"#
    )
}
