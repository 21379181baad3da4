//! The policy of a tenant: as people write it, as edges get it, and what edges did with it.

use super::super::field::{Field, by, flag, text, whole, word};
use super::super::operation::{Group, Op, delete, get, post, put};
use super::{REFUSALS, TOKEN, limit, problem, tenant, wait};

type Described = (Group, &'static str, Vec<Op>);

const DOCUMENT: &str = "policy-document";
/// As which a document is sent and stored.
const TYPES: [(&str, &str); 4] = [
    ("application/yaml", DOCUMENT),
    ("application/x-yaml", DOCUMENT),
    ("text/yaml", DOCUMENT),
    ("application/json", DOCUMENT),
];
const NO_TENANT: &str = "there is no tenant of this name";
const OVER: &str = "more bytes than 64 MiB";
const MEDIA_TYPE: &str = "neither YAML nor JSON, or not in UTF-8";

pub fn group() -> Described {
    let group = Group { tag: "policy", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let operations = documents().into_iter().chain(candidates()).chain(news()).collect();
    (group, "the policy of a tenant: documents, revisions, bundles, revocations", operations)
}

fn documents() -> Vec<Op> {
    let stored = TYPES.map(|(media_type, schema)| (media_type, Some(schema)));
    vec![
        get("/policy/document", "the policy document as it was stored")
            .query([tenant()])
            .headers(conditions())
            .answers(200, &stored, "the text")
            .told(200, "etag", "the revision in quotes")
            .empty(304, "it is the one of `if-none-match`")
            .refuses(404, "there is no document yet, or no tenant of this name")
            .refuses(412, "it is not the one of `if-match`"),
        put("/policy/document", "makes a document the next revision")
            .about(
                "It is compiled first: one that does not compile is refused with all diagnostics, and nothing changes. The \
                 answer says that it is stored; edges learn of it by their long polls.",
            )
            .query([tenant()])
            .headers(conditions())
            .bodies(&TYPES)
            .answer(200, "published", "the next revision is stored")
            .answer(201, "published", "the first revision is stored")
            .told(200, "etag", "the revision in quotes")
            .told(201, "etag", "the revision in quotes")
            .refuses(404, NO_TENANT)
            .refuses(409, "another document was stored at the same time")
            .refuses(412, "the document is another one than the condition says; `etag` is what there is")
            .refuses(413, OVER)
            .refuses(415, MEDIA_TYPE)
            .refuses(422, "the document does not compile: `diagnostics`; or the query is not legal: `violations`"),
        get("/policy/revisions", "who wrote what when, the newest first")
            .query([tenant(), whole("before", (1, i64::MAX.unsigned_abs()), "the last revision of the page before"), limit()])
            .answer(200, "revisions", "revisions, and where the next page begins")
            .refuses(404, NO_TENANT),
    ]
}

fn candidates() -> Vec<Op> {
    let stored = TYPES.map(|(media_type, schema)| (media_type, Some(schema)));
    let none = "there is no candidate, or no tenant of this name";
    vec![
        get("/policy/candidate", "a policy that edges try without enforcing it")
            .query([tenant()])
            .answers(200, &stored, "the text as it was stored")
            .refuses(404, none),
        put("/policy/candidate", "has edges with `shadow: true` try another policy")
            .query([tenant()])
            .bodies(&TYPES)
            .answer(200, "tried", "it is stored")
            .refuses(404, NO_TENANT)
            .refuses(409, "another one was stored at the same time")
            .refuses(413, OVER)
            .refuses(415, MEDIA_TYPE)
            .refuses(422, "the document does not compile: `diagnostics`; or the query is not legal: `violations`"),
        delete("/policy/candidate", "ends the trial")
            .query([tenant()])
            .empty(204, "there is none any more")
            .refuses(404, none)
            .can(&[422]),
    ]
}

/// What edges wait for.
fn news() -> Vec<Op> {
    vec![
        get("/policy/bundle", "the compiled policy, at once or when there is another")
            .query([tenant(), wait(), flag("candidate", "not the policy in force, but the one that edges try")])
            .headers(conditions())
            .headers([text("accept-encoding", "`zstd` and `gzip` are known")])
            .answers(200, &[("application/vnd.portcullis.bundle", None)], "the signed bundle")
            .told(200, "etag", "its digest in quotes")
            .told(200, "content-encoding", "`zstd`, `gzip`, or none")
            .empty(304, "it is still the one of `if-none-match`")
            .refuses(404, "there is no policy yet, or no tenant of this name")
            .refuses(412, "it is not the one of `if-match`"),
        get("/policy/revocations", "whose tokens are void, at once or when there is news")
            .query([
                tenant(),
                whole("since", (0, i64::MAX.unsigned_abs()), "the `revision` of the answer before; 0 asks for all"),
                wait(),
            ])
            .answer(200, "revocations", "what changed since then, at most 10,000, or all there is (`full`)")
            .told(
                200,
                "portcullis-signature",
                "Ed25519 in base64 over `portcullis revocations 1`, a line feed and the body",
            )
            .refuses(404, NO_TENANT),
    ]
}

pub fn decision_logs() -> Described {
    let group = Group { tag: "decision logs", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let cursor = || text("cursor", "the `next` of the page before");
    let operations = vec![
        post("/policy/decision-logs", "takes what a worker of an edge decided")
            .about("Records are stored once, by sender, worker and number: sending them again is harmless.")
            .query([tenant()])
            .json("decision-batch")
            .answer(200, "stored", "how many of them are new")
            .refuses(404, NO_TENANT)
            .can(&[413, 415, 422]),
        get("/policy/decision-logs", "what edges decided, the newest first")
            .query([tenant()])
            .query(filters())
            .query([cursor(), limit(), word("format", &["json", "jsonl", "csv"], "a page, or all there is as a file")])
            .answers(
                200,
                &[("application/json", Some("records")), ("application/jsonl", None), ("text/csv", None)],
                "records; a file that breaks off is not complete",
            )
            .refuses(404, NO_TENANT),
        get("/policy/decision-logs/gaps", "numbers of records that never came")
            .query([tenant(), cursor(), limit()])
            .answer(200, "gaps", "gaps by sender and worker, and where the next page begins")
            .refuses(404, NO_TENANT),
    ];
    (group, "what edges decided, and what of it was lost", operations)
}

fn filters() -> [Field; 7] {
    let ms = (0, i64::MAX.unsigned_abs());
    [
        whole("from", ms, "milliseconds since the epoch, itself included"),
        whole("until", ms, "milliseconds since the epoch, not included"),
        text("subject", "id of the subject"),
        by("effect", "effect", "what was decided"),
        text("rule", "id of a rule that decided"),
        text("path_prefix", "how the path begins"),
        word("kind", &["decision", "audit"], "decisions, or requests that a rule audits"),
    ]
}

fn conditions() -> [Field; 2] {
    [
        text("if-match", "entity tags, of which one must be the current one, or `*`"),
        text("if-none-match", "entity tags, of which none may be the current one, or `*`"),
    ]
}
