//! `admin`: users, what is known about them and said about them.

use super::super::field::{Field, flag, sized, text, whole, word};
use super::super::operation::{Group, Op, delete, get, post, put};
use super::{BARE, DONE, NO_USER, TAKES, TOKEN, errors, order, page, paged, period, uid};

type Described = (Group, &'static str, Vec<Op>);

const SUPERADMIN: &str = "a parameter is wrong, or only a superadmin may do that";
const FASTER: &str = "somebody else was faster";
const STATES: &str = "`active`, `pending`, `banned`, `locked`, `deleted` or another one";

pub fn users() -> Described {
    let group = Group { tag: "users", callers: &[TOKEN], refusals: &BARE, form: errors };
    let change = |op: Op| {
        op.can(&TAKES)
            .refuses(404, NO_USER)
            .refuses(409, FASTER)
            .refuses(422, "a parameter is wrong, nothing would change, it is the caller itself, or a superadmin")
    };
    let (state, otp) = (|| text("state", STATES), || flag("otp", "second factor; only `false` is taken"));
    let operations = vec![
        paged(
            get("/api/v2/barong/admin/users", "a page of users")
                .query([flag("extended", "with profiles"), uid()])
                .query(filters())
                .query(order())
                .query(period())
                .query(page()),
            "users",
            "the users",
        )
        .can(&TAKES),
        change(
            put("/api/v2/barong/admin/users", "changes e-mail address, state or second factor of a user")
                .about("Exactly one of them. The address is changed by superadmins only.")
                .form([uid().required(), text("email", "the address"), state(), otp()])
                .answer(200, DONE, "it is changed"),
        ),
        change(
            post("/api/v2/barong/admin/users/update", "changes state or second factor of a user")
                .about("Exactly one of them.")
                .form([uid().required(), state(), otp()])
                .answer(201, DONE, "it is changed"),
        ),
        change(
            post("/api/v2/barong/admin/users/role", "gives a user another role")
                .about("One that the policy document has, and whose abilities the caller has itself.")
                .form([uid().required(), text("role", "name of the role").required()])
                .answer(201, DONE, "it is changed"),
        ),
        get("/api/v2/barong/admin/users/{uid}", "one user, with all that is known")
            .at(uid())
            .answer(200, "API_V2_Admin_Entities_UserWithKYC", "the user")
            .refuses(404, NO_USER),
        paged(
            get("/api/v2/barong/admin/users/documents/pending", "a page of users whose documents wait")
                .about("Those whose private label `document` is `pending` or `replaced`, the longest waiting first.")
                .query([flag("extended", "with all that is known"), uid()])
                .query(filters())
                .query([text("first_name", "without effect"), text("last_name", "without effect")])
                .query(period())
                .query(page()),
            "users-in-full",
            "the users",
        )
        .can(&TAKES),
        delete("/api/v2/barong/admin/users/data_storage", "deletes data that an integration keeps about a user")
            .query([uid().required(), text("title", "of the data").required()])
            .empty(204, "it is gone")
            .can(&TAKES)
            .refuses(404, "there is no such user, or nothing of this title")
            .refuses(409, FASTER)
            .refuses(422, SUPERADMIN),
    ];
    (group, "administration: users", operations)
}

fn filters() -> [Field; 6] {
    [
        text("email", "in any case"),
        text("role", "name of a role"),
        text("country", "of a profile"),
        whole("level", (0, i64::MAX.unsigned_abs()), "exactly this level"),
        text("state", STATES),
        word("range", &["created", "updated"], "what `from` and `to` are about; `created` without it"),
    ]
}

pub fn labels() -> Described {
    let group = Group { tag: "labels", callers: &[TOKEN], refusals: &BARE, form: errors };
    let key = || sized("key", (3, 255), "`a-z`, `0-9`, `_` and `-`; other cases become small").required();
    let value = || sized("value", (3, 255), "as the key").required();
    let scope = || word("scope", &["public", "private"], "a private one may change state and level of the user");
    let described = || sized("description", (1, 255), "any text");
    let change = |op: Op| {
        op.can(&TAKES).refuses(404, "there is no such user or label").refuses(409, FASTER).refuses(422, SUPERADMIN)
    };
    let operations = vec![
        paged(
            get("/api/v2/barong/admin/users/labels", "a page of users who have a label")
                .query([text("key", "of the label").required(), text("value", "of the label").required()])
                .query(page()),
            "plain-users",
            "the users, each once",
        )
        .can(&TAKES),
        change(
            post("/api/v2/barong/admin/users/labels", "gives a user a label")
                .form([uid().required(), key(), value(), described(), scope()])
                .answer(201, DONE, "it has it; without a scope it is public"),
        ),
        change(
            put("/api/v2/barong/admin/users/labels", "changes the value of a label")
                .form([uid().required(), key(), scope().required(), described(), value()])
                .answer(200, DONE, "it is changed"),
        ),
        change(
            delete("/api/v2/barong/admin/users/labels", "takes a label away")
                .query([uid().required(), key(), scope().required()])
                .empty(204, "it is gone"),
        ),
        change(
            post("/api/v2/barong/admin/users/labels/update", "changes the value of a label, or makes it")
                .form([
                    uid().required(),
                    key(),
                    scope().required(),
                    value(),
                    described(),
                    flag("replace", "whether it is made where there is none; yes without it"),
                ])
                .answer(201, DONE, "it is changed or made"),
        ),
        get("/api/v2/barong/admin/users/labels/list", "how often there is each private label").answer(
            200,
            "label-counts",
            "counts by `[\"key\", \"value\"]`, at most 10,000",
        ),
    ];
    (group, "administration: labels of users", operations)
}

pub fn comments() -> Described {
    let group = Group { tag: "comments", callers: &[TOKEN], refusals: &TAKES, form: errors };
    let path = "/api/v2/barong/admin/users/comments";
    let id = || whole("id", (0, i64::MAX.unsigned_abs()), "number of the comment").required();
    let (title, data) = (|| sized("title", (1, 64), "a line"), || sized("data", (1, 65_535), "the text"));
    let user = "API_V2_Admin_Entities_UserWithKYC";
    let change = |op: Op| op.refuses(409, FASTER).refuses(422, SUPERADMIN);
    let of_another = "no valid token, no ability, or a comment of somebody else";
    let operations = vec![
        change(
            post(path, "writes a comment about a user")
                .form([uid().required(), title().required(), data().required()])
                .answer(201, user, "the user")
                .refuses(404, NO_USER),
        ),
        change(
            put(path, "changes a comment")
                .form([id(), title(), data()])
                .answer(200, user, "the user whom it is about")
                .refuses(401, of_another)
                .refuses(404, "there is no such comment"),
        ),
        change(
            delete(path, "deletes a comment")
                .query([id()])
                .empty(204, "it is gone")
                .refuses(401, of_another)
                .refuses(404, "there is no such comment"),
        ),
    ];
    (group, "administration: comments about users; only their authors and superadmins change them", operations)
}

pub fn profiles() -> Described {
    let group = Group { tag: "profiles", callers: &[TOKEN], refusals: &TAKES, form: errors };
    let path = "/api/v2/barong/admin/profiles";
    let profile = "API_V2_Admin_Entities_Profile";
    let name = |name| sized(name, (0, 255), "letters, digits, spaces, `-`, `'` and `_`");
    let fields = [
        uid().required(),
        name("first_name"),
        name("last_name"),
        text("dob", "day of birth, `YYYY-MM-DD`"),
        sized("address", (0, 255), "letters, digits and usual signs"),
        sized("postcode", (0, 255), "at least 2 characters"),
        sized("city", (0, 255), "letters, digits and usual signs"),
        sized("country", (0, 3), "ISO 3166-1, two or three letters"),
        text("metadata", "text of a JSON value"),
    ];
    let states = ["drafted", "submitted", "verified", "rejected"];
    let operations = vec![
        paged(get(path, "a page of profiles").query(page()), "profiles", "the profiles"),
        post(path, "writes the profile of a user")
            .about("It is submitted at once; the private label `profile` says so.")
            .form(fields)
            .answer(201, profile, "the profile")
            .refuses(404, NO_USER)
            .refuses(409, FASTER),
        put(path, "decides about the profile of a user")
            .form([uid().required(), word("state", &states, "what becomes of it").required()])
            .answer(200, profile, "the profile")
            .refuses(404, "there is no such user, or no profile of it that waits")
            .refuses(409, FASTER),
    ];
    (group, "administration: profiles", operations)
}
