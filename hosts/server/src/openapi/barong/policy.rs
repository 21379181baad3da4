//! `admin`: permissions and restrictions, which are entries of the policy document.

use super::super::field::{Field, sized, text, whole, word};
use super::super::operation::{Group, Op, delete, get, post, put};
use super::{DONE, TAKES, TOKEN, errors, page, paged, period};

type Described = (Group, &'static str, Vec<Op>);

const REFUSED: &str = "a parameter is wrong, or the policy document would not compile with it; nothing was changed";
const FASTER: &str = "other documents were stored at the same time";

fn id() -> Field {
    whole("id", (0, i64::MAX.unsigned_abs()), "its number").required()
}

fn change(op: Op) -> Op {
    op.refuses(409, FASTER).refuses(422, REFUSED)
}

pub fn permissions() -> Described {
    let group = Group { tag: "permissions", callers: &[TOKEN], refusals: &TAKES, form: errors };
    let path = "/api/v2/barong/admin/permissions";
    let none = "there is no such permission";
    let verbs = ["GET", "POST", "DELETE", "PUT", "HEAD", "PATCH", "ALL"];
    let fields = || {
        [
            text("role", "one that the policy document has"),
            word("verb", &verbs, "in any case"),
            text(
                "path",
                "without a leading slash; what is accepted ends at a segment, what is dropped or audited begins so",
            ),
            word("action", &["ACCEPT", "DROP", "AUDIT"], "in any case"),
        ]
    };
    let topic = || text("topic", "of the records of an audit");
    let operations = vec![
        paged(get(path, "a page of permissions, by number").query(page()), "permissions", "the permissions"),
        change(
            post(path, "adds a permission").form(fields().map(Field::required).into_iter().chain([topic()])).answer(
                201,
                DONE,
                "it is a rule of the policy document",
            ),
        ),
        change(
            put(path, "changes a permission")
                .form([id()].into_iter().chain(fields()).chain([topic()]))
                .answer(200, DONE, "the rule is changed")
                .refuses(404, none),
        ),
        change(delete(path, "deletes a permission").query([id()]).empty(204, "the rule is gone").refuses(404, none)),
    ];
    (group, "administration: rules of the policy document, as rows", operations)
}

pub fn restrictions() -> Described {
    let group = Group { tag: "restrictions", callers: &[TOKEN], refusals: &TAKES, form: errors };
    let path = "/api/v2/barong/admin/restrictions";
    let none = "there is no such restriction";
    let scope = || word("scope", &["continent", "country", "ip", "ip_subnet", "all"], "what the value is");
    let category = || word("category", &["whitelist", "maintenance", "blacklist", "blocklogin"], "what it does");
    let value = || sized("value", (1, 64), "an address, a network, or a place by its code or name");
    let state = || word("state", &["enabled", "disabled"], "`enabled` without it");
    let code = || whole("code", (400, 599), "status of the refusal; without it that of category and scope");
    let ranges = || word("range", &["created", "updated"], "what `from` and `to` are about; `created` without it");
    let operations = vec![
        paged(
            get(path, "a page of restrictions").query([scope(), category(), ranges()]).query(period()).query(page()),
            "restrictions",
            "the restrictions",
        ),
        change(
            post(path, "adds a restriction")
                .about("One of the category `blocklogin` ends sessions.")
                .form([scope().required(), value().required(), category().required(), state(), code()])
                .answer(201, DONE, "it is a restriction of the policy document"),
        ),
        change(
            put(path, "changes a restriction")
                .form([id(), scope(), category(), value(), state(), code()])
                .answer(200, DONE, "it is changed")
                .refuses(404, none),
        ),
        change(delete(path, "deletes a restriction").query([id()]).empty(204, "it is gone").refuses(404, none)),
        post("/api/v2/barong/admin/restrictions/whitelink", "makes a link that works once")
            .form([
                whole("expire_time", (1, 30), "how many hours or days it is valid; 1 without it"),
                word("range", &["day", "hour"], "`day` without it"),
            ])
            .answer(201, "whitelink", "the token, shown this once"),
    ];
    (group, "administration: restrictions by address and place", operations)
}
