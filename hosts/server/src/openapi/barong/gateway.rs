//! What proxies ask about requests of their clients.

use super::super::field::{text, whole};
use super::super::operation::{Group, Op, any};
use super::{API_KEY, SESSION, errors};

pub fn group() -> (Group, &'static str, Vec<Op>) {
    let group =
        Group { tag: "gateway", callers: &[SESSION, API_KEY], refusals: &[400, 401, 403, 429, 500], form: errors };
    let traefik = [
        text("x-forwarded-method", "method of the client's request"),
        text("x-forwarded-uri", "path and query"),
        text("x-forwarded-host", "host"),
    ];
    let operations = vec![
        asked(any("/api/v2/auth", "Traefik's ForwardAuth: may this request go on?")).headers(traefik),
        asked(any("/api/v2/auth/", "may a request for `/` go on?")),
        asked(any("/api/v2/auth/{path}", "Envoy's `ext_authz`, nginx's `auth_request`: may this request go on?"))
            .at(text("path", "the path of the client's request, slashes included")),
    ];
    (group, "questions of proxies, from an address in `trusted_proxies`", operations)
}

fn asked(op: Op) -> Op {
    op.about(
        "The client shows a session, an API key or nothing. Restrictions come first, then blocked and public paths, then who it is, \
         then what it may.",
    )
    .headers([
        text("x-forwarded-for", "the client is the last address that is no trusted proxy"),
        text("x-csrf-token", "with a session, unless the method only reads"),
        text("x-auth-nonce", "with an API key: milliseconds since the epoch, used once"),
        text("x-auth-signature", "with an API key"),
        whole("x-portcullis-deny-status", (400, 499), "the status of every deny but 401: nginx knows 401 and 403"),
    ])
    .empty(200, "the client's request may go on")
    .told(200, "authorization", "`Bearer TOKEN` for the upstream, unless nobody needs to be known")
    .class("4XX", "errors", "the client's request is refused; restrictions have statuses of their own")
    .class("5XX", "errors", "there is no usable policy, or a restriction says so")
}
