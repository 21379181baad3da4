//! What anybody may read.

use super::super::operation::{Group, Op, get};
use super::problem;

const TEXT: &str = "text/plain";

pub fn group() -> (Group, &'static str, Vec<Op>) {
    let group = Group { tag: "public", callers: &[], refusals: &[400, 401, 500], form: problem };
    (group, "what anybody may read; a token that is shown must be a valid one", operations())
}

fn operations() -> Vec<Op> {
    let document = |path, summary| get(path, summary).answer(200, "openapi", "an OpenAPI 3.1 document");
    let file = |path, summary, media_type| {
        let op = get(path, summary).answers(200, &[(media_type, None)], "the file");
        op.told(200, "content-security-policy", "nothing is loaded from elsewhere")
    };
    vec![
        get("/healthz", "whether the process is alive").answers(200, &[(TEXT, Some("text"))], "it is"),
        get("/readyz", "whether database and policies answer")
            .answers(200, &[(TEXT, Some("text"))], "they do")
            .refuses(503, "the database takes more than 2 seconds, or a policy did not open"),
        get("/.well-known/jwks.json", "public keys of the access tokens that this server issues")
            .answer(200, "key-set", "a JSON Web Key Set (RFC 7517)")
            .told(200, "cache-control", "how long a copy is good"),
        document("/openapi.json", "this document"),
        document("/openapi/padlock.json", "the document of the API of padlock"),
        document("/openapi/barong.json", "the document of the API of Barong"),
        file("/docs", "these documents, for people", "text/html"),
        file("/docs/docs.css", "the look of the page", "text/css"),
        file("/docs/docs.js", "the program of the page", "text/javascript"),
    ]
}
