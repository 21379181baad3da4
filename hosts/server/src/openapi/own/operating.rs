//! How the server is doing, and who changed what.

use super::super::field::{Field, text, whole, word};
use super::super::operation::{Group, Op, get};
use super::{REFUSALS, TOKEN, limit, problem};

type Described = (Group, &'static str, Vec<Op>);

pub fn group() -> Described {
    let group = Group { tag: "operating", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let operations = vec![
        get("/metrics", "counts and figures for Prometheus").answers(
            200,
            &[("application/openmetrics-text", None)],
            "OpenMetrics 1.0; docs/SERVER.md lists names and labels",
        ),
        get("/audit", "who changed what, the newest first")
            .query(filters())
            .query([
                text("cursor", "the `next` of the page before"),
                limit(),
                word("format", &["json", "jsonl", "csv"], "a page, or all there is as a file"),
            ])
            .answers(
                200,
                &[("application/json", Some("audit-entries")), ("application/jsonl", None), ("text/csv", None)],
                "entries; a file that breaks off is not complete",
            )
            .refuses(404, "there is no tenant of this name"),
    ];
    (group, "how the server is doing, and who changed what", operations)
}

fn filters() -> [Field; 6] {
    let ms = (0, i64::MAX.unsigned_abs());
    [
        text("tenant", "what is about the policy and the edges of this tenant; everything without it"),
        whole("from", ms, "milliseconds since the epoch, itself included; the trail has whole seconds"),
        whole("until", ms, "milliseconds since the epoch, not included"),
        text("actor", "who did it"),
        text("action", "what was done"),
        text("target", "to what, like `user/u7`, with what is below it"),
    ]
}
