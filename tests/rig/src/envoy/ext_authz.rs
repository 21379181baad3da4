//! Envoy's own filter that asks a server about each request, set up for `/authz/envoy`.

use serde_json::{Value, json};

use super::EnvoySetup;

/// `cluster` is the management server.
pub(super) fn filter(setup: &EnvoySetup, cluster: &str) -> Value {
    let mut told = vec![
        json!({"key": "x-portcullis-edge-token", "value": setup.token}),
        // The connection's, or what trusted hops say: Envoy knows which.
        json!({"key": "x-portcullis-client-address", "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}),
    ];
    let mut shown = vec![json!({"exact": "x-portcullis-revision"})];
    if setup.show_decisions {
        told.push(json!({"key": "x-portcullis-show-decision", "value": "true"}));
        shown.push(json!({"exact": "x-portcullis-decision"}));
    }
    // Host, method, path and `authorization` always go along. The two patterns are what the server must see to say what
    // the upstream must not.
    let mut asked = vec![
        json!({"exact": "x-api-key"}),
        json!({"prefix": "x-portcullis", "ignore_case": true}),
        json!({"prefix": "x_portcullis", "ignore_case": true}),
    ];
    for place in [&setup.country_header, &setup.continent_header].into_iter().flatten() {
        asked.push(json!({"exact": place, "ignore_case": true}));
    }
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        "failure_mode_allow": false,
        // A server that is down, or a deny with a 5xx, which Envoy takes for the same.
        "status_on_error": {"code": "ServiceUnavailable"},
        "allowed_headers": {"patterns": asked},
        "http_service": {
            "server_uri": {"uri": "http://portcullis", "cluster": cluster, "timeout": "2s"},
            "path_prefix": "/authz/envoy",
            "authorization_request": {"headers_to_add": told},
            "authorization_response": {
                "allowed_upstream_headers": {"patterns": [
                    {"exact": "x-portcullis-subject"},
                    {"exact": "x-portcullis-roles"},
                ]},
                "allowed_client_headers_on_success": {"patterns": shown},
            },
        },
    })
}
