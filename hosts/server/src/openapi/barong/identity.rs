//! What people do before they are known, and about their own accounts.

use super::super::field::{Field, sized, text, word};
use super::super::operation::{Group, Op, delete, get, patch, post, put};
use super::{BARE, DONE, SESSION, TAKES, TOKEN, errors, page, paged};

type Described = (Group, &'static str, Vec<Op>);

const ANYBODY: [u16; 6] = [400, 413, 415, 422, 429, 500];
const GONE: &str = "the account is gone";

fn password(name: &'static str) -> Field {
    sized(name, (8, 80), "with a small letter, a capital and a digit; not easily guessed").required()
}

pub fn identity() -> Described {
    let group = Group { tag: "identity", callers: &[], refusals: &ANYBODY, form: errors };
    let email = || text("email", "the address").required();
    let code = |name| text(name, "the code from the mail").required();
    let sent = "whether or not there is such an account";
    let operations = vec![
        post("/api/v2/barong/identity/users", "signs up")
            .about("A code goes out by mail. Until it comes back the state is `pending`.")
            .form([email(), password("password"), text("refid", "id of the user who sent them")])
            .answer(201, DONE, "the account is stored"),
        post("/api/v2/barong/identity/users/email/generate_code", "sends the code of the address again")
            .form([email()])
            .answer(201, DONE, sent),
        post("/api/v2/barong/identity/users/email/confirm_code", "confirms an address")
            .form([code("token")])
            .answer(201, DONE, "the private label `email` is `verified`; state and level follow")
            .refuses(422, "the code is wrong, was used, or is too old"),
        post("/api/v2/barong/identity/users/password/generate_code", "sends a code for a new password")
            .form([email()])
            .answer(201, DONE, sent),
        post("/api/v2/barong/identity/users/password/confirm_code", "sets a new password")
            .about("Ends all sessions.")
            .form([code("reset_password_token"), password("password"), password("confirm_password")])
            .answer(201, DONE, "the password is stored")
            .refuses(404, GONE),
        post("/api/v2/barong/identity/sessions", "logs in")
            .form([email(), text("password", "of the account").required(), text("otp_code", "of the second factor")])
            .answer(200, "own-account", "the account, and the token for `x-csrf-token`")
            .told(200, "set-cookie", "the session: HttpOnly, SameSite=Lax")
            .refuses(401, "wrong address or password, an account that is not active, or a second factor without code")
            .refuses(403, "the code of the second factor is wrong, or a page of another site asks")
            .refuses(404, GONE),
        delete("/api/v2/barong/identity/sessions", "logs out")
            .callers(&[SESSION])
            .answer(200, DONE, "the session is over")
            .told(200, "set-cookie", "an empty one")
            .refuses(403, "a page of another site asks")
            .refuses(404, "there is no such session"),
    ];
    (group, "what people do before they are known", operations)
}

pub fn resource() -> Described {
    let group = Group { tag: "resource", callers: &[TOKEN], refusals: &BARE, form: errors };
    let code = || text("code", "of the second factor").required();
    let operations = vec![
        get("/api/v2/barong/resource/users/me", "who one is")
            .answer(200, "own-account", "account and labels")
            .refuses(404, GONE),
        put("/api/v2/barong/resource/users/password", "another password")
            .about("Ends the other sessions.")
            .form([text("old_password", "of now").required(), password("new_password"), password("confirm_password")])
            .answer(201, DONE, "the password is stored")
            .can(&TAKES)
            .can(&[429])
            .refuses(404, GONE),
        post("/api/v2/barong/resource/otp/generate_qrcode", "a seed for a second factor")
            .answer(200, "otp-seed", "the URL that apps take over, shown this once")
            .refuses(400, "the factor is on already, or the request cannot be read")
            .refuses(404, GONE),
        factor(
            post("/api/v2/barong/resource/otp/enable", "turns the second factor on").about("Ends the other sessions."),
        )
        .form([code()]),
        factor(post("/api/v2/barong/resource/otp/disable", "turns it off").about("Takes the API keys away."))
            .form([code()]),
        factor(post("/api/v2/barong/resource/otp/verify", "whether a code is right").about("A code is right once."))
            .form([code()]),
    ];
    (group, "what people do about their own accounts", operations.into_iter().chain(keys()).collect())
}

fn factor(op: Op) -> Op {
    op.answer(200, DONE, "the code was right")
        .can(&TAKES)
        .can(&[429])
        .refuses(400, "the factor is on or off already, or the request cannot be read")
        .refuses(404, GONE)
}

/// Each takes a code of the second factor, but for the list.
fn keys() -> Vec<Op> {
    let path = "/api/v2/barong/resource/api_keys";
    let one = "/api/v2/barong/resource/api_keys/{kid}";
    let code = || text("totp_code", "of the second factor").required();
    let scope = || text("scope", "names with commas between");
    let kid = || text("kid", "id of the key");
    let key = |op: Op| op.can(&TAKES).refuses(400, "there is no second factor, or the request cannot be read");
    vec![
        key(paged(get(path, "a page of one's API keys").query(page()), "api-keys", "the keys, without their secrets"))
            .refuses(404, GONE),
        key(post(path, "makes an API key"))
            .form([word("algorithm", &["HS256"], "of signatures").required(), scope(), code()])
            .answer(201, "new-api-key", "the secret is shown this once")
            .can(&[429])
            .refuses(404, GONE),
        key(patch(one, "changes scope or state of a key"))
            .at(kid())
            .form([scope(), word("state", &["active", "inactive"], "only an active one is valid"), code()])
            .answer(200, "API_V2_Entities_APIKey", "the key")
            .can(&[429])
            .refuses(404, "there is no such key"),
        key(delete(one, "deletes a key"))
            .at(kid())
            .query([code()])
            .empty(204, "it is gone")
            .can(&[429])
            .refuses(404, "there is no such key"),
    ]
}
