//! Client certificates in a real Envoy: the name in one that the authority signed is a service, anything else nobody.

use std::path::Path;

use portcullis_rig::upstream::Seen;
use portcullis_rig::{Answer, Envoy, EnvoyBinary, EnvoySetup, Request, certificates};
use serde_json::json;
use tempfile::TempDir;

use super::TIMEOUT;
use super::failures::{Edge, Published};

const POLICY: &str = "{\"version\": 1, \"roles\": {\"staff\": {}, \"night\": {}}, \"rules\": [
    {\"id\": \"staff\", \"effect\": \"allow\", \"who\": {\"roles\": [\"staff\"]}, \"target\": {\"path\": {\"under\": \"/\"}}}]}";

/// An Envoy that speaks TLS to `edge` with a certificate of its own; tests speak plain text to it.
fn client_of(edge: &Edge, certificate: Option<&str>) -> (Envoy, TempDir) {
    let folder = TempDir::new().unwrap();
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let at = edge.envoy.listener();
    let setup = EnvoySetup {
        filters: Some(Vec::new()),
        upstream_socket: Some(certificates::client(certificate)),
        ..EnvoySetup::new(Path::new(""), at, at, "", "")
    };
    (Envoy::start(&EnvoyBinary::find_or_install(&tools).unwrap(), &setup, folder.path()).unwrap(), folder)
}

#[test]
fn a_client_certificate_is_a_service_in_envoy_only_by_its_first_name() {
    let edge = Edge::start(Answer::Bundle(Published::new(POLICY, 1).bundle()), |setup| {
        setup.transport_socket = Some(certificates::listener());
        setup.more = json!({"revocations": false, "services": [
            {"san": "spiffe://shop/checkout", "id": "checkout", "roles": ["staff"]},
            {"san": "backup.example", "id": "backup", "roles": ["night"]},
        ]});
    });
    let request = Request::get("/a").header("x-portcullis-subject", "checkout");
    let request = request.header("x-forwarded-client-cert", "By=a;Hash=b;URI=spiffe://shop/checkout");
    for (certificate, status, subject) in [
        (Some("checkout"), 200, Some("checkout")),
        (Some("backup"), 403, None),
        (Some("stranger"), 401, None),
        (None, 401, None),
        // The handshake fails, so the Envoy in front has nobody behind it.
        (Some("forged"), 503, None),
    ] {
        let (client, _folder) = client_of(&edge, certificate);
        let is_it = |response: &portcullis_rig::Response| response.status == status;
        client.wait_until_all(&format!("{status} for {certificate:?}"), &request, TIMEOUT, is_it).unwrap();
        let response = client.send(&request).unwrap();
        let seen = Seen::in_response(&response).ok();
        let told = seen.as_ref().map(|seen| seen.headers("x-portcullis-subject"));
        assert_eq!(told, subject.map(|subject| vec![subject]), "{certificate:?}");
    }
}
