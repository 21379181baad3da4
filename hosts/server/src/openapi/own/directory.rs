//! Set-up, users, and the proxies of a tenant.

use super::super::field::{by, text};
use super::super::operation::{Group, Op, delete, get, patch, post};
use super::{REFUSALS, SETUP, TOKEN, limit, problem, tenant};

type Described = (Group, &'static str, Vec<Op>);

const BODY: [u16; 3] = [413, 415, 422];

const OVER: &str = "more bytes than 1 MiB";
const SHOWN_ONCE: &str = "the token is shown this once";
const NO_USER: &str = "there is no user of this id";
const NO_EDGE: &str = "there is no edge or tenant of this name";

pub fn setup() -> Described {
    let group = Group { tag: "setup", callers: &[SETUP], refusals: &REFUSALS, form: problem };
    let types = [("application/json", "setup"), ("application/x-www-form-urlencoded", "setup-form")];
    let create = post("/setup", "creates the first user, with the role `admin`")
        .about("Works once, for whoever holds the setup token.")
        .bodies(&types)
        .answer(201, "first-user", SHOWN_ONCE)
        .can(&BODY)
        .refuses(413, OVER);
    (group, "a server without users", vec![create])
}

pub fn users() -> Described {
    let group = Group { tag: "users", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let id = || by("id", "user-id", "of the user");
    let operations = vec![
        get("/directory/users", "a page of users, by id")
            .query([text("after", "the last id of the page before"), limit()])
            .answer(200, "users", "users, and where the next page begins")
            .refuses(422, "`after` cannot be an id"),
        post("/directory/users", "creates a user")
            .json("new-user")
            .answer(201, "user", "the user; without `state` it is `active`")
            .refuses(409, "there is a user of this id already")
            .can(&BODY),
        get("/directory/users/{id}", "one user").at(id()).answer(200, "user", "the user").refuses(404, NO_USER),
        patch("/directory/users/{id}", "changes state or roles of a user")
            .about("Counts at once here, and as a revocation at every edge: tokens issued before are void.")
            .at(id())
            .json("user-change")
            .answer(200, "user", "the user as it is now")
            .refuses(404, NO_USER)
            .can(&BODY),
        delete("/directory/users/{id}", "deletes a user and its tokens")
            .at(id())
            .empty(204, "it is gone")
            .refuses(404, NO_USER),
        post("/directory/users/{id}/tokens", "another token for a user")
            .at(id())
            .optional_json("new-token")
            .answer(201, "token", SHOWN_ONCE)
            .refuses(404, NO_USER)
            .can(&BODY),
        delete("/directory/users/{id}/tokens", "revokes all tokens of a user")
            .at(id())
            .empty(204, "there are none any more")
            .refuses(404, NO_USER),
        post("/directory/users/{id}/revoke", "voids every token of a subject issued until now")
            .about("Wherever they were issued. Nobody needs to be known here under the id.")
            .at(id())
            .answer(200, "revoked", "tokens issued before `not_before` (unix seconds) are void")
            .refuses(404, "what cannot be an id"),
    ];
    (group, "users of the directory, their roles and their tokens", operations)
}

pub fn edges() -> Described {
    let group = Group { tag: "edges", callers: &[TOKEN], refusals: &REFUSALS, form: problem };
    let id = || by("id", "plain-name", "the name of the edge");
    let operations = vec![
        get("/edges", "a page of edges, by name")
            .query([tenant(), text("after", "the last name of the page before"), limit()])
            .answer(200, "edges", "edges with the times of their tokens, and where the next page begins")
            .refuses(404, NO_EDGE)
            .refuses(422, "`after` cannot be a name"),
        post("/edges", "creates an edge")
            .query([tenant()])
            .json("new-edge")
            .answer(201, "new-edge-token", SHOWN_ONCE)
            .refuses(404, NO_EDGE)
            .refuses(409, "there is an edge of this name already")
            .can(&BODY),
        post("/edges/{id}/tokens", "another token for an edge")
            .about(
                "The one before it stays valid for `old_lives_s` seconds, an hour without it; an older one ends now.",
            )
            .at(id())
            .query([tenant()])
            .optional_json("edge-token")
            .answer(201, "next-edge-token", SHOWN_ONCE)
            .refuses(404, NO_EDGE)
            .can(&BODY),
        delete("/edges/{id}", "deletes an edge")
            .about("Its tokens end; what it sent stays.")
            .at(id())
            .query([tenant()])
            .empty(204, "it is gone")
            .refuses(404, NO_EDGE)
            .can(&[422]),
    ];
    (group, "the proxies of a tenant and their tokens", operations)
}
