//! Who asks for decisions: services, edges, and proxies that cannot load the filter.

use super::super::field::{text, whole};
use super::super::operation::{Form, Group, Op, any, get, post};
use super::{EDGE, REFUSALS, TOKEN, problem, tenant};

type Described = (Group, &'static str, Vec<Op>);

const NO_TENANT: &str = "there is no tenant of this name";

pub fn group() -> Described {
    let group = Group { tag: "decisions", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let decide = |path, summary, schema| {
        let op = post(path, summary).query([tenant()]).json("decision-request");
        op.answer(200, schema, "the decision, also when it is deny").refuses(404, NO_TENANT).can(&[413, 415])
    };
    let forwarded = [
        text("x-portcullis-forwarded-api-key", "`x-api-key` of the client"),
        text("x-portcullis-forwarded-authorization", "`authorization` of the client"),
    ];
    let operations = vec![
        decide("/policy/decide", "decides about a request by the policy in force", "decision"),
        decide("/policy/explain", "the same, and how the decision came about", "explained"),
        get("/gateway/identity", "who the client of an edge is, by the API key that it forwards")
            .query([tenant()])
            .headers(forwarded)
            .answer(200, "identity", "the client")
            .empty(204, "nothing that was forwarded is of this server")
            .refuses(401, "no token, one that is not valid, or a key of the client that is not valid")
            .refuses(404, NO_TENANT),
        post("/identity/signing-keys", "announces another key of access tokens")
            .about("It signs an hour later; tokens of the one before stay valid until they expire.")
            .answer(201, "key-set", "all keys"),
    ];
    (group, "questions of services and edges", operations)
}

pub fn proxies() -> Described {
    let group = Group { tag: "proxies", callers: &[EDGE], refusals: &REFUSALS, form: denied };
    let asked = |op: Op| {
        op.about(
            "From an address in `trusted_proxies`. `authorization` is the client's. The decision is that of the tenant of the token; headers of the answer are \
             for the upstream. What is refused by the policy has the status that the policy says.",
        )
        .headers([
            text("x-api-key", "an API token of the client"),
            text("x-forwarded-for", "the client is the last address that is no trusted proxy"),
            text("x-portcullis-show-decision", "with any value, `x-portcullis-decision` tells the whole decision"),
        ])
        .empty(200, "the client's request may go on")
        .told(200, "x-portcullis-subject", "id of the client")
        .told(200, "x-portcullis-roles", "roles of the client, with commas")
        .told(200, "x-portcullis-reason", "why")
        .told(200, "x-portcullis-status", "the status of the decision")
        .told(200, "x-portcullis-revision", "of the policy that decided")
        .class("4XX", "denied", "the client's request is refused")
        .class("5XX", "denied", "the client's request is refused: there is no usable policy, or the policy says so")
        .refuses(403, "the address is no trusted proxy, the proxy may not ask, or the client's request is refused")
        .refuses(404, NO_TENANT)
    };
    let family = [
        text("x-forwarded-method", "Traefik: method of the client's request"),
        text("x-forwarded-uri", "path and query"),
        text("x-forwarded-host", "host"),
        text("x-original-method", "nginx: method of the client's request; not together with `x-forwarded-*`"),
        text("x-original-uri", "path and query"),
        text("x-original-host", "host"),
    ];
    let envoy = |path| asked(any(path, "Envoy's `ext_authz`: may this request go on?"));
    let operations = vec![
        asked(any("/authz/forward", "ForwardAuth and `auth_request`: may this request go on?"))
            .query([whole("deny_status", (400, 499), "the status of every deny but 401: nginx knows 401 and 403")])
            .headers(family),
        envoy("/authz/envoy/"),
        envoy("/authz/envoy/{path}").at(text("path", "the path of the client's request, slashes included")),
    ];
    (group, "questions of proxies that cannot load the filter", operations)
}

/// A refusal of the question is a problem, one of the client's request a reason.
fn denied(_status: u16) -> Form {
    &[("application/problem+json", "problem"), ("application/json", "denied")]
}
