//! What the filter in a proxy gets of a request, and what a client sees of a decision.

use anyhow::{Result, ensure};
use portcullis_runtime::{Credential, Decision, Subject};
use serde_json::{Value, json};

/// Where the filter reads the country of the client.
pub const COUNTRY_HEADER: &str = "x-client-country";
/// The same for the continent.
pub const CONTINENT_HEADER: &str = "x-client-continent";

/// The claims of a token that say all about a subject.
pub fn claims(subject: &Subject, credential: Credential) -> Result<Value> {
    let Subject { id, kind, state, roles, permission_groups, level, otp, issued_at, properties } = subject;
    ensure!(properties.is_none(), "no wire for properties: {subject:?}");
    let mut claims = json!({
        "sub": id,
        "state": state,
        "roles": roles,
        "permission_groups": permission_groups,
        "otp": otp,
        "credential": credential.name(),
    });
    // A claim that is null cannot be read.
    let optional = [("type", json!(kind)), ("level", json!(level)), ("iat", json!(issued_at))];
    for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
        claims[name] = value;
    }
    Ok(claims)
}

/// What the client of a denied request sees is what was decided.
pub fn check_denial(decision: &Decision, status: u16, body: &Value) -> Result<()> {
    ensure!(status == decision.status, "denied with {}, answered {status}", decision.status);
    ensure!(*body == json!({ "reason": decision.reason.name() }), "body of a denial is {body}");
    Ok(())
}
