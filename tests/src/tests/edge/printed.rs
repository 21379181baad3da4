//! What `portcullis envoy-config` and `istio-config` print: it runs, and it is what the examples show.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use portcullis_artifacts::ENVOY_FILTER_PATH;
use portcullis_rig::upstream::Seen;
use portcullis_rig::{Envoy, EnvoyBinary, Nginx, NginxBinary, Request, Server, Upstream};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{POLICY, TIMEOUT, check_denied};
use crate::engines::portcullis;

/// In the examples; the key whose seed is 32 zeros.
const EXAMPLE_KEY: &str = "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=";

fn print(arguments: &[&str]) -> String {
    let output = Command::new(portcullis().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn example(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(path)).unwrap()
}

#[test]
fn the_configuration_that_is_printed_for_envoy_runs_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let server = Server::start(&portcullis().unwrap(), folder.path()).unwrap();
    let upstream = Upstream::start().unwrap();
    server.put_policy(POLICY).unwrap();
    fs::write(path("edge.token"), format!("{}\n", server.create_edge("edge-1").unwrap())).unwrap();
    let (at_server, at_upstream) = (server.address().to_string(), upstream.address().to_string());
    let mut yaml = print(&[
        "envoy-config",
        "--public-key",
        server.bundle_key(),
        "--token-file",
        &path("edge.token"),
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        &at_upstream,
        "--server",
        &at_server,
        "--wasm",
        ENVOY_FILTER_PATH,
    ]);
    yaml.push_str("admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n");
    fs::write(path("envoy.yaml"), yaml).unwrap();

    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let binary = EnvoyBinary::find_or_install(&tools).unwrap();
    let envoy = Envoy::run(&binary, &folder.path().join("envoy.yaml"), 2, folder.path()).unwrap();
    let public = Request::get("/public");
    envoy.wait_until_all("a policy in every worker", &public, TIMEOUT, |response| response.status == 200).unwrap();
    let response = envoy.send(&Request::get("/public?a=b").header("x-portcullis-subject", "root")).unwrap();
    let seen = Seen::in_response(&response).unwrap();
    assert_eq!((seen.path(), seen.headers("x-portcullis-subject")), ("/public?a=b", vec![]));
    check_denied(&envoy.send(&Request::get("/a")).unwrap(), 401, "unauthenticated");
}

#[test]
fn the_example_for_envoy_is_what_is_printed() {
    assert_eq!(print(&["envoy-config", "--public-key", EXAMPLE_KEY]), example("envoy/envoy.yaml"));
}

#[test]
fn the_example_for_nginx_runs_and_refuses() {
    let folder = TempDir::new().unwrap();
    let trusted = "trusted_proxies = [\"127.0.0.1\"]\n";
    let server = Server::start_with(&portcullis().unwrap(), folder.path(), trusted).unwrap();
    let upstream = Upstream::start().unwrap();
    server.put_policy(POLICY).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let configuration = [
        ("worker_processes auto;", "daemon off;\nworker_processes 1;\npid nginx.pid;".to_owned()),
        // Where Debian's package would have made folders.
        ("http {\n", format!("http {{\n{}", temporary_folders(folder.path()))),
        ("127.0.0.1:8080", server.address().to_string()),
        ("127.0.0.1:8000", upstream.address().to_string()),
        ("127.0.0.1:10000", listener.to_string()),
        ("TOKEN OF AN EDGE", server.create_edge("nginx").unwrap()),
    ]
    .iter()
    .fold(example("nginx/nginx.conf"), |text, (name, value)| {
        assert!(text.contains(name), "{name}");
        text.replace(name, value)
    });
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let binary = NginxBinary::find_or_install(&tools).unwrap();
    let nginx = Nginx::run(&binary, &configuration, listener, folder.path()).unwrap();
    let response = nginx.send(&Request::get("/public?a=b").header("x-portcullis-subject", "root")).unwrap();
    let seen = Seen::in_response(&response).unwrap();
    assert_eq!((seen.path(), seen.headers("x-portcullis-subject")), ("/public?a=b", vec![]));
    check_denied(&nginx.send(&Request::get("/a")).unwrap(), 401, "unauthenticated");
    let staff = nginx.send(&Request::get("/a").bearer(&server.create_user("u1", &["staff"]).unwrap())).unwrap();
    check_denied(&staff, 403, "otp_required");
}

fn temporary_folders(folder: &Path) -> String {
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    // And no log there either.
    let folders = kinds.map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display())).concat();
    format!("access_log off;\n{folders}")
}

/// Names and values of `WasmPlugin`, <https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/>.
#[test]
fn the_example_for_istio_is_what_is_printed_and_has_the_names_that_istio_publishes() {
    const SPEC: [&str; 16] = [
        "selector",
        "targetRef",
        "targetRefs",
        "url",
        "sha256",
        "imagePullPolicy",
        "imagePullSecret",
        "verificationKey",
        "pluginConfig",
        "pluginName",
        "phase",
        "failStrategy",
        "priority",
        "vmConfig",
        "match",
        "type",
    ];
    let printed = print(&["istio-config", "--public-key", EXAMPLE_KEY]);
    assert_eq!(printed, example("istio/wasm-plugin.yaml"));
    let plugin: Value = serde_saphyr::from_str(&printed).unwrap();
    assert_eq!(plugin["apiVersion"], "extensions.istio.io/v1alpha1");
    assert_eq!(plugin["kind"], "WasmPlugin");
    let spec = plugin["spec"].as_object().unwrap();
    assert!(spec.keys().all(|key| SPEC.contains(&key.as_str())), "{spec:?}");
    assert_eq!(spec["selector"], json!({"matchLabels": {"istio": "ingressgateway"}}));
    assert!(["AUTHN", "AUTHZ", "STATS", "UNSPECIFIED_PHASE"].contains(&spec["phase"].as_str().unwrap()));
    assert!(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"].contains(&spec["failStrategy"].as_str().unwrap()));
    assert_eq!(spec["pluginConfig"]["cluster"], "outbound|8080||portcullis.portcullis.svc.cluster.local");
}

#[test]
fn a_wrong_value_is_named_instead_of_printed() {
    for (arguments, named) in [
        (["envoy-config", "--public-key", "abc"].as_slice(), "--public-key"),
        (&["envoy-config", "--public-key", EXAMPLE_KEY, "--tenant", "Ä"], "--tenant"),
        (&["envoy-config", "--public-key", EXAMPLE_KEY, "--listen", "::1:80"], "--listen"),
        (&["istio-config", "--public-key", EXAMPLE_KEY, "--selector", "x"], "--selector"),
        (&["istio-config", "--public-key", EXAMPLE_KEY, "--max-stale", "1"], "--max-stale"),
    ] {
        let output = Command::new(portcullis().unwrap()).args(arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty() && message.contains(named), "{message}");
    }
}
