//! The API of Barong 2.7.0, as this server answers it. Names of models are those of its published contract.

mod admin;
mod gateway;
mod identity;
mod lists;
mod policy;

use super::field::{Field, text, whole};
use super::operation::{Form, Op};
use super::{Draft, bearer, cookie, header};

const TOKEN: &str = "token";
const SESSION: &str = "session";
const API_KEY: &str = "api-key";

/// What a call without parameters can always end like.
const BARE: [u16; 3] = [400, 401, 500];
/// The same of a call that takes parameters.
const TAKES: [u16; 6] = [400, 401, 413, 415, 422, 500];

const NO_USER: &str = "there is no user of this id";
/// A write that says nothing answers with a number.
const DONE: &str = "done";

pub fn draft() -> Draft {
    Draft {
        title: "Barong",
        about: "The API of Barong 2.7.0: its administration, what users do themselves, and the gateway. Parameters of POST, PUT and \
                PATCH come as a form, its parts, JSON or query, those of the others in the query. Refusals are lists of codes. \
                `docs/dialects/barong.md` says what differs from the original.",
        groups: vec![admin::users(), admin::labels(), admin::comments(), admin::profiles(), policy::permissions()]
            .into_iter()
            .chain([
                policy::restrictions(),
                lists::group(),
                identity::identity(),
                identity::resource(),
                gateway::group(),
            ])
            .collect(),
        callers: vec![
            (
                TOKEN,
                bearer("an access token of the gateway, or a token of this server; roles and state are those of now"),
            ),
            (SESSION, cookie("_barong_session", "of a log-in; with it `x-csrf-token`, unless the method only reads")),
            (API_KEY, header("x-auth-apikey", "with `x-auth-nonce` and `x-auth-signature`")),
        ],
        schemas: include_str!("barong.yaml"),
    }
}

fn errors(status: u16) -> Form {
    match status {
        415 => &[("application/json", "error")],
        _ => &[("application/json", "errors")],
    }
}

fn uid() -> Field {
    text("uid", "id of the user")
}

fn page() -> [Field; 2] {
    [
        whole("page", (1, i64::MAX.unsigned_abs() / 100), "number of the page, from 1"),
        whole("limit", (1, 100), "rows of a page; 100 without it"),
    ]
}

fn period() -> [Field; 2] {
    let seconds = (0, i64::MAX.unsigned_abs());
    [whole("from", seconds, "unix seconds, itself included"), whole("to", seconds, "unix seconds, itself included")]
}

fn order() -> [Field; 2] {
    [super::field::word("ordering", &["asc", "desc"], "`asc` without it"), text("order_by", "name of a field")]
}

/// A list with the headers of its pages.
fn paged(op: Op, schema: &str, words: &str) -> Op {
    op.answer(200, schema, words)
        .told(200, "total", "rows in all")
        .told(200, "page", "number of this page")
        .told(200, "per-page", "most rows of a page")
        .told(200, "link", "other pages (RFC 8288)")
}
