//! The API of padlock 0.3.0, as this server answers it. Names of schemas are those of its published contract.

use portcullis_directory::PageSize;

use super::field::{Field, by, sized, text, whole, word};
use super::operation::{Form, Group, Op, delete, get, post, put};
use super::{Draft, bearer};

const TOKEN: &str = "token";
const CLIENT: &str = "client-token";
const BASE: &str = "goutils.RestAPIBaseResponse";
const NO_USER: &str = "there is no user of this id";
const WRITES: [u16; 2] = [413, 415];

pub fn draft() -> Draft {
    Draft {
        title: "padlock",
        about: "The API of padlock 0.3.0. Every answer has the envelope, and the id of the request in a header. Names of headers \
                are those of the default configuration. `docs/dialects/padlock.md` says what differs from the original.",
        groups: vec![
            (
                Group { tag: "liveness", callers: &[], refusals: &[400, 401, 500], form: envelope },
                "what anybody may ask",
                liveness(),
            ),
            (
                Group { tag: "users", callers: &[TOKEN], refusals: &[400, 401, 403, 500], form: envelope },
                "users and their roles; without a token where the configuration says `open`",
                users(),
            ),
            (
                Group { tag: "roles", callers: &[TOKEN], refusals: &[400, 401, 403, 500], form: envelope },
                "roles of the policy document; without a token where the configuration says `open`",
                roles(),
            ),
            (
                Group { tag: "proxies", callers: &[], refusals: &[400, 403, 500], form: envelope },
                "questions of a proxy, from an address in `trusted_proxies`",
                questions(),
            ),
        ],
        callers: vec![
            (TOKEN, bearer("of a user of this server: role `admin`, to read also `operator`")),
            (CLIENT, bearer("of one of the configured issuers")),
        ],
        schemas: include_str!("padlock.yaml"),
    }
}

fn envelope(_status: u16) -> Form {
    &[("application/json", BASE)]
}

fn liveness() -> Vec<Op> {
    let alive = |path| get(path, "whether the process is alive").answer(200, BASE, "it is");
    let ready = |path| {
        let op = get(path, "whether database and policies answer").answer(200, BASE, "they do");
        op.refuses(503, "the database takes more than 2 seconds, or a policy did not open")
    };
    let all = vec![alive("/v1/alive"), ready("/v1/ready"), alive("/liveness/alive"), ready("/liveness/ready")];
    all.into_iter().map(identified).collect()
}

fn users() -> Vec<Op> {
    let id = || by("id", "padlock-id", "of the user");
    let written = |op: Op| op.answer(200, BASE, "it is stored");
    let unknown_role = "the policy document has no such role; nothing was changed";
    let all = vec![
        get("/v1/user", "all users, by id")
            .about("More than 10,000 are a 400: pages are asked for with `limit` and `after`.")
            .query(page())
            .answer(200, "apis.RespListAllUsers", "the users"),
        written(post("/v1/user", "creates a user").json("padlock-new-user"))
            .refuses(409, "there is a user of this id, or one with this e-mail address")
            .refuses(422, unknown_role)
            .can(&WRITES),
        get("/v1/user/{id}", "one user, with roles and what they permit")
            .at(id())
            .answer(200, "apis.RespUserInfo", "the user")
            .refuses(404, NO_USER),
        written(put("/v1/user/{id}", "replaces what is known about a user").at(id()).json("padlock-user"))
            .about("What the body does not say is gone afterwards; roles stay.")
            .refuses(404, NO_USER)
            .refuses(409, "another user has this e-mail address, or somebody else was faster")
            .can(&WRITES),
        delete("/v1/user/{id}", "deletes a user").at(id()).answer(200, BASE, "it is gone").refuses(404, NO_USER),
        written(put("/v1/user/{id}/roles", "replaces the roles of a user").at(id()).json("padlock-user-roles"))
            .refuses(404, NO_USER)
            .refuses(409, "somebody else was faster")
            .refuses(422, unknown_role)
            .can(&WRITES),
    ];
    all.into_iter().map(identified).collect()
}

fn roles() -> Vec<Op> {
    let all = vec![
        get("/v1/role", "all roles, by name, with what they inherit").query(page()).answer(
            200,
            "apis.RespListAllRoles",
            "the roles",
        ),
        get("/v1/role/{name}", "one role, and who has it")
            .at(by("name", "padlock-id", "of the role"))
            .query(page())
            .answer(200, "apis.RespRoleInfo", "the role")
            .refuses(404, "there is no role of this name"),
    ];
    all.into_iter().map(identified).collect()
}

fn questions() -> Vec<Op> {
    let methods = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];
    let all = vec![
        get("/v1/allow", "may this user do that?")
            .about(
                "The policy of the default tenant decides. Whom nobody knows is nobody; where the configuration says so, it is \
                 stored, and denied this time.",
            )
            .headers([
                text("x-forwarded-host", "host of the call, a name of two labels or more").required(),
                text("x-forwarded-uri", "path of the call; a query does not count").required(),
                word("x-forwarded-method", &methods, "method of the call").required(),
                by("x-caller-userid", "padlock-id", "id of the user").required(),
                text("x-caller-username", "for a user who is stored"),
                text("x-caller-firstname", "for a user who is stored"),
                text("x-caller-lastname", "for a user who is stored"),
                text("x-caller-email", "for a user who is stored"),
            ])
            .answer(200, BASE, "it may")
            .refuses(403, "it may not, or the address is no trusted proxy")
            .refuses(503, "there is no usable policy"),
        get("/v1/authenticate", "who is it?")
            .callers(&[CLIENT])
            .answer(200, BASE, "the token is valid, or the request that `x-forwarded-*` tells needs none")
            .told(200, "x-caller-userid", "id of the user, unless no token was needed")
            .told(200, "x-caller-username", "if the token says it")
            .told(200, "x-caller-firstname", "if the token says it")
            .told(200, "x-caller-lastname", "if the token says it")
            .told(200, "x-caller-email", "if the token says it")
            .refuses(401, "no token, one that is not valid, or one that was revoked")
            .refuses(403, "the address is no trusted proxy")
            .refuses(503, "the server is not ready"),
    ];
    all.into_iter().map(identified).collect()
}

/// The header that each of them takes.
fn identified(op: Op) -> Op {
    op.headers([sized("padlock-request-id", (1, 128), "what the request is called in logs; a random UUID without it")])
}

fn page() -> [Field; 2] {
    [
        sized("after", (1, 255), "the last name or id of the page before"),
        whole("limit", (1, PageSize::MAX), "rows of a page; all there are without it and `after`"),
    ]
}
