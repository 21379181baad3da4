//! The configuration of Envoy: one listener, `jwt_authn`, the filter, two clusters.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::{DECISION_HEADER, EnvoySetup, ext_authz};
use crate::token::{AUDIENCE, ISSUER, jwks};

const UPSTREAM: &str = "upstream";
const SERVER: &str = "portcullis_server";
const JWT_PAYLOAD_KEY: &str = "jwt_payload";

pub(super) fn bootstrap(setup: &EnvoySetup) -> Value {
    json!({
        "admin": {"address": socket_address(SocketAddr::from(([127, 0, 0, 1], 0)))},
        "stats_config": {"stats_tags": stats_tags()},
        "layered_runtime": {"layers": [{
            "name": "portcullis",
            // A bundle is read whole; the default is 32 MiB.
            "static_layer": {"http.async_response_buffer_limit": 268_435_456},
        }]},
        "static_resources": {
            "listeners": [{
                "name": "edge",
                "address": socket_address(setup.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)))),
                "filter_chains": [filter_chain(setup)],
            }],
            "clusters": [upstream(setup), cluster(SERVER, setup.server)],
        },
    })
}

fn filter_chain(setup: &EnvoySetup) -> Value {
    let mut chain = json!({"filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": connection_manager(setup),
    }]});
    if let Some(socket) = &setup.transport_socket {
        chain["transport_socket"] = socket.clone();
    }
    chain
}

/// The routes of the setup, then one for everything.
fn routes(setup: &EnvoySetup) -> Vec<Value> {
    let all = json!({"match": {"prefix": "/"}});
    let to_upstream = |mut route: Value| {
        route["route"] = json!({"cluster": UPSTREAM});
        route
    };
    setup.routes.iter().cloned().chain([all]).map(to_upstream).collect()
}

/// Makes labels of what the filter puts into the names of its metrics.
fn stats_tags() -> Value {
    let tag =
        |name: &str| json!({"tag_name": name, "regex": format!(r"^wasmcustom\.portcullis_.+?(\.{name}\.([^.]+))")});
    ["tenant", "decision", "reason", "kind"].into_iter().map(tag).collect()
}

fn upstream(setup: &EnvoySetup) -> Value {
    let mut cluster = cluster(UPSTREAM, setup.upstream);
    if let Some(socket) = &setup.upstream_socket {
        cluster["transport_socket"] = socket.clone();
    }
    cluster
}

fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(address)}}]}],
        },
    })
}

fn socket_address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

fn connection_manager(setup: &EnvoySetup) -> Value {
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        // Without these two the client chooses the address that the policy sees.
        "use_remote_address": true,
        "xff_num_trusted_hops": setup.trusted_hops,
        "route_config": {
            "name": "edge",
            "virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": routes(setup),
            }],
        },
        "http_filters": filters(setup),
        "http_protocol_options": {"enable_trailers": true},
    });
    if setup.hardened {
        manager["normalize_path"] = json!(true);
        manager["merge_slashes"] = json!(true);
        manager["path_with_escaped_slashes_action"] = json!("REJECT_REQUEST");
        manager["strip_any_host_port"] = json!(true);
        manager["strip_trailing_host_dot"] = json!(true);
        manager["common_http_protocol_options"] = json!({"headers_with_underscores_action": "REJECT_REQUEST"});
    }
    if setup.show_decisions && !setup.asks_server && setup.filters.is_none() {
        let header = json!([{
            "header": {"key": DECISION_HEADER, "value": "%FILTER_STATE(wasm.portcullis.decision:PLAIN)%"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }]);
        // Answers of the upstream take the header from the route, local replies from their mapper.
        manager["route_config"]["response_headers_to_add"] = header.clone();
        manager["local_reply_config"] = json!({"mappers": [{
            "filter": {"status_code_filter": {"comparison": {
                "op": "GE",
                "value": {"default_value": 100, "runtime_key": "portcullis.show_decisions_from_status"},
            }}},
            "headers_to_add": header,
        }]});
    }
    manager
}

fn filters(setup: &EnvoySetup) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    if let Some(filters) = &setup.filters {
        return filters.iter().cloned().chain([router]).collect();
    }
    if setup.asks_server {
        return json!([{"name": "envoy.filters.http.ext_authz", "typed_config": ext_authz::filter(setup, SERVER)}, router]);
    }
    let portcullis = json!({"name": "portcullis", "typed_config": wasm(setup)});
    if !setup.jwt_authn {
        return json!([portcullis, router]);
    }
    json!([{"name": "envoy.filters.http.jwt_authn", "typed_config": jwt_authn()}, portcullis, router])
}

/// No token is anonymous; a token that is not valid is refused here, with 401.
fn jwt_authn() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"identity_provider": {
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "local_jwks": {"inline_string": jwks()},
            "payload_in_metadata": JWT_PAYLOAD_KEY,
            "forward": true,
        }},
        "rules": [{
            "match": {"prefix": "/"},
            "requires": {"requires_any": {"requirements": [
                {"provider_name": "identity_provider"},
                {"allow_missing": {}},
            ]}},
        }],
    })
}

fn wasm(setup: &EnvoySetup) -> Value {
    let mut configuration = json!({
        "tenant": setup.tenant,
        "cluster": SERVER,
        "token": setup.token,
        "public_key": setup.public_key,
        "path_mode": if setup.rewrite_paths { "rewrite" } else { "strict" },
        "jwt_payload_key": setup.jwt_authn.then_some(JWT_PAYLOAD_KEY),
        "country_header": setup.country_header,
        "continent_header": setup.continent_header,
        "decision_state": setup.show_decisions,
        "max_stale": setup.max_stale_s,
        "allow_on_headers_stop_iteration": true,
    });
    if let (Some(keys), Some(more)) = (configuration.as_object_mut(), setup.more.as_object()) {
        keys.extend(more.clone());
    }
    plugin("portcullis", &setup.filter, &configuration)
}

/// A filter from `file` with this configuration; plugins of one name and one file share their VMs.
pub fn plugin(name: &str, file: &Path, configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": name,
            // A trap answers 503 and the VM starts again; anything else would let requests through, or none for ever.
            "failure_policy": "FAIL_RELOAD",
            "allow_on_headers_stop_iteration": true,
            "reload_config": {"backoff": {"base_interval": "0.05s", "max_interval": "1s"}},
            "vm_config": {
                "vm_id": name,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": file}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": configuration.to_string(),
            },
        },
    })
}
