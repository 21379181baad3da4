//! Certificates of a made-up authority, in `tests/rig/certificates`, valid until 2126, and sockets of Envoy that use them.
//!
//! `edge` is for servers (DNS name `edge.example`). Clients: `checkout` (first URI `spiffe://shop/checkout`), `backup` (only
//! the DNS name `backup.example`), `stranger` (`spiffe://shop/checkout2`, and only after it that of `checkout`), `forged`
//! (that of `checkout`, signed by nobody).

use std::path::Path;

use serde_json::{Value, json};

/// For a listener: a client may have a certificate, and if it has one, it must be of the authority.
pub fn listener() -> Value {
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [certificate("edge")],
                "validation_context": {"trusted_ca": file("ca.pem")},
            },
        },
    })
}

/// For connections to it, with the certificate of `client` or none.
pub fn client(client: Option<&str>) -> Value {
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "edge.example",
            "common_tls_context": {
                "tls_certificates": client.map(certificate).into_iter().collect::<Vec<_>>(),
                "validation_context": {"trusted_ca": file("ca.pem")},
            },
        },
    })
}

fn certificate(name: &str) -> Value {
    json!({"certificate_chain": file(&format!("{name}.pem")), "private_key": file(&format!("{name}.key"))})
}

fn file(name: &str) -> Value {
    json!({"filename": Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates").join(name)})
}
