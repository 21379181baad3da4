//! `admin`: what is only read.

use super::super::field::{Field, text, whole, word};
use super::super::operation::{Group, Op, get};
use super::{BARE, NO_USER, TAKES, TOKEN, errors, order, page, paged, period, uid};

pub fn group() -> (Group, &'static str, Vec<Op>) {
    let group = Group { tag: "lists", callers: &[TOKEN], refusals: &BARE, form: errors };
    let seconds = (0, i64::MAX.unsigned_abs());
    let takes = |op: Op| op.can(&TAKES);
    let operations = vec![
        takes(paged(
            get("/api/v2/barong/admin/api_keys", "a page of the API keys of a user")
                .query([uid().required()])
                .query(order())
                .query(page()),
            "api-keys",
            "the keys, without their secrets",
        ))
        .refuses(404, NO_USER),
        takes(paged(
            get("/api/v2/barong/admin/activities", "what users did, the newest first")
                .query(filters())
                .query(period())
                .query(page()),
            "activities",
            "the activities",
        )),
        takes(paged(
            get("/api/v2/barong/admin/activities/admin", "what administrators did, the newest first")
                .query(filters())
                .query([text("target_uid", "id of the user whom it was done to")])
                .query([word("range", &["created"], "without effect")])
                .query(period())
                .query(page()),
            "admin-activities",
            "the activities",
        )),
        takes(
            get("/api/v2/barong/admin/metrics", "numbers of a period")
                .query([
                    whole("created_from", seconds, "unix seconds, itself included"),
                    whole("created_to", seconds, "unix seconds, itself included"),
                ])
                .answer(200, "metrics", "counts by day, and how many documents wait"),
        ),
        get("/api/v2/barong/admin/levels", "the levels of the policy document").answer(
            200,
            "levels",
            "all of them, in order",
        ),
        get("/api/v2/barong/admin/abilities", "what the caller may do").answer(
            200,
            "abilities",
            "kinds of things that it manages, and that it reads",
        ),
    ];
    (group, "administration: what is only read", operations)
}

fn filters() -> [Field; 4] {
    [
        text("topic", "exactly this topic"),
        text("action", "exactly this action"),
        uid(),
        text("email", "of the user, in any case"),
    ]
}
