//! `portcullis envoy-config` and `portcullis istio-config`: configurations that run as they are printed.
//!
//! Templates beside this file, in which `${NAME}` stands for a JSON text or number; what is printed with the defaults lies
//! in `examples`.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use portcullis_core::{PublicKey, TenantId};
use serde_json::{Value, json};

use crate::cli::Ending;

const ENVOY: &str = include_str!("edge_config/envoy.yaml");
const ISTIO: &str = include_str!("edge_config/istio.yaml");

/// What the filter needs to know, however it is loaded.
#[derive(Debug, clap::Args)]
struct Filter {
    /// `bundle key` of the server: who must have signed policies
    #[arg(long, value_name = "BASE64")]
    public_key: String,
    /// File with the token of an edge [default: the text `TOKEN OF AN EDGE`, to be replaced]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// How long a policy is good after the server last confirmed it
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(2..=604_800))]
    max_stale: u32,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  portcullis envoy-config --public-key KEY --token-file edge.token > envoy.yaml\n  \
    envoy --config-path envoy.yaml\n\nThe filter is what `cargo xtask wasm` builds.")]
pub(super) struct EnvoyConfig {
    #[command(flatten)]
    filter: Filter,
    /// Where Envoy listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:10000")]
    listen: String,
    /// Where allowed requests go
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    upstream: String,
    /// Where `portcullis serve` listens
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    server: String,
    /// Proxies before Envoy that are trusted to name their client in `x-forwarded-for`
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    trusted_hops: u32,
    /// The filter
    #[arg(long, value_name = "FILE", default_value = "portcullis-envoy.wasm")]
    wasm: String,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis istio-config --public-key KEY --token-file edge.token | kubectl apply -f -\n\n\
    Needs Istio 1.27 or later, whose `failStrategy` has FAIL_RELOAD."
)]
pub(super) struct IstioConfig {
    #[command(flatten)]
    filter: Filter,
    /// Namespace of the workloads that are protected
    #[arg(long, value_name = "NAME", default_value = "istio-ingress")]
    namespace: String,
    /// Label of the workloads that are protected
    #[arg(long, value_name = "KEY=VALUE", default_value = "istio=ingressgateway")]
    selector: String,
    /// Where Istio gets the filter: `oci://`, `https://` or `file://`
    #[arg(long, value_name = "URL", default_value = "file:///var/lib/portcullis/portcullis-envoy.wasm")]
    wasm: String,
    /// Host name of the service of the management server, and its port
    #[arg(long, value_name = "HOST:PORT", default_value = "portcullis.portcullis.svc.cluster.local:8080")]
    server: String,
}

impl EnvoyConfig {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Self { filter, listen, upstream, server, trusted_hops, wasm } = self;
        let [(listen_host, listen_port), (upstream_host, upstream_port), (server_host, server_port)] =
            [address("--listen", &listen)?, address("--upstream", &upstream)?, address("--server", &server)?];
        print(
            ENVOY,
            &[
                ("LISTEN_HOST", json!(listen_host)),
                ("LISTEN_PORT", json!(listen_port)),
                ("UPSTREAM_HOST", json!(upstream_host)),
                ("UPSTREAM_PORT", json!(upstream_port)),
                ("SERVER_HOST", json!(server_host)),
                ("SERVER_PORT", json!(server_port)),
                ("TRUSTED_HOPS", json!(trusted_hops)),
                ("WASM", json!(wasm)),
                // The configuration is a text that holds JSON.
                ("CONFIGURATION", json!(filter.configuration("portcullis_server", true)?.to_string())),
            ],
        )
    }
}

impl IstioConfig {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Self { filter, namespace, selector, wasm, server } = self;
        let (label, value) = selector.split_once('=').context("`--selector` must be KEY=VALUE")?;
        let (host, port) = address("--server", &server)?;
        print(
            ISTIO,
            &[
                ("NAMESPACE", json!(namespace)),
                ("LABEL", json!(label)),
                ("LABEL_VALUE", json!(value)),
                ("WASM", json!(wasm)),
                // As Istio names the cluster of a service.
                ("CONFIGURATION", filter.configuration(&format!("outbound|{port}||{host}"), false)?),
            ],
        )
    }
}

impl Filter {
    /// `sees_bodies` when the plugin has `allow_on_headers_stop_iteration`.
    fn configuration(&self, cluster: &str, sees_bodies: bool) -> anyhow::Result<Value> {
        let Self { public_key, token_file, tenant, max_stale } = self;
        ensure!(PublicKey::parse(public_key).is_some(), "`--public-key` must be 32 bytes in base64");
        TenantId::parse(tenant).context("`--tenant`")?;
        let token = match token_file {
            Some(path) => fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?,
            None => "TOKEN OF AN EDGE".to_owned(),
        };
        Ok(json!({
            "cluster": cluster,
            "tenant": tenant,
            "token": token.trim_end(),
            "public_key": public_key,
            "max_stale": max_stale,
            "allow_on_headers_stop_iteration": sees_bodies,
        }))
    }
}

/// Host and port; an IPv6 address is in brackets.
fn address<'a>(flag: &str, text: &'a str) -> anyhow::Result<(&'a str, u16)> {
    let parse = || {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_host = !bare.is_empty() && (bare.len() < host.len() || !bare.contains(':'));
        is_host.then_some((bare, port.parse().ok()?))
    };
    parse().with_context(|| format!("`{flag}` is `{text}`, it must be HOST:PORT"))
}

fn print(template: &str, values: &[(&str, Value)]) -> anyhow::Result<Ending> {
    let mut parts = template.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, behind) = part.split_once('}').context("a name in the template does not end")?;
        let (_, value) =
            values.iter().find(|(known, _)| *known == name).context("a name in the template is unknown")?;
        text.push_str(&value.to_string());
        text.push_str(behind);
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ => Ok(Ending::Done),
    }
}
