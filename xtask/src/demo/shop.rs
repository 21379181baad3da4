//! The shop of the demo: who comes, and what they ask for.

use std::fs;

use anyhow::{Context, Result};
use portcullis_rig::{Request, token};
use serde_json::{Value, json};

use crate::demo::stage::Stage;
use crate::workspace;

pub(crate) const HOST: &str = "shop.example";

/// Text of the shop's policy.
pub(crate) fn policy() -> Result<String> {
    let path = workspace::root()?.join("examples/shop/policy.yaml");
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// What the token of somebody says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    roles: &'static [&'static str],
    groups: &'static [&'static str],
    state: &'static str,
    credential: &'static str,
    otp: bool,
}

impl Person {
    const fn with_role(name: &'static str, roles: &'static [&'static str]) -> Self {
        Self { name, roles, groups: &[], state: "active", credential: "token", otp: false }
    }

    /// Name, and what matters about the person.
    pub(crate) fn label(&self) -> String {
        let Self { name, roles, groups, state, credential, otp } = self;
        let mut traits = [*roles, *groups].concat();
        traits.extend((*state != "active").then_some(*state));
        traits.extend((*credential != "token").then_some(*credential));
        traits.extend(otp.then_some("otp"));
        if traits.is_empty() { (*name).to_owned() } else { format!("{name} ({})", traits.join(", ")) }
    }

    pub(crate) fn claims(&self) -> Value {
        let Self { name, roles, groups, state, credential, otp } = self;
        json!({
            "sub": name, "roles": roles, "permission_groups": groups, "state": state, "credential": credential,
            "otp": otp,
        })
    }

    /// The same facts, as the server takes them.
    fn subject(&self) -> Value {
        let Self { name, roles, groups, state, credential: _, otp } = self;
        json!({"id": name, "roles": roles, "permission_groups": groups, "state": state, "otp": otp})
    }
}

const CUSTOMER: Person = Person::with_role("carol", &["customer"]);
const CLERK: Person = Person::with_role("claude", &["clerk"]);
const TRAINEE: Person = Person::with_role("tina", &["trainee"]);
pub(crate) const MANAGER: Person = Person::with_role("mona", &["manager"]);
const AUDITOR: Person = Person::with_role("otto", &["auditor"]);
const STRANGER: Person = Person::with_role("sid", &["wizard"]);
const MALLORY: Person = Person::with_role("mallory", &[]);
const BANNED: Person = Person { state: "banned", ..Person::with_role("bert", &["customer"]) };
const PENDING: Person = Person { state: "pending", ..Person::with_role("penny", &["customer"]) };
const SUPPLIER: Person = Person { groups: &["supplier"], ..Person::with_role("sam", &[]) };
const ROBOT: Person = Person { credential: "api_key", ..Person::with_role("robot", &["customer"]) };
const ROBOT_WITH_OTP: Person = Person { name: "robot-2", otp: true, ..ROBOT };

const HOME: &str = "203.0.113.9";
/// In the network that the policy refuses.
const FRAUD: &str = "198.51.100.20";
/// In the same network, and trusted.
const OFFICE: &str = "198.51.100.17";

/// One request of the demo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    /// `None` is anonymous.
    pub(crate) who: Option<Person>,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) from: &'static str,
    /// Headers that a client has no business to send.
    pub(crate) forged: &'static [(&'static str, &'static str)],
}

impl Visit {
    const fn new(who: Option<Person>, method: &'static str, path: &'static str) -> Self {
        Self { who, method, path, from: HOME, forged: &[] }
    }

    const fn from(self, from: &'static str) -> Self {
        Self { from, ..self }
    }

    const fn forging(self, forged: &'static [(&'static str, &'static str)]) -> Self {
        Self { forged, ..self }
    }

    /// As a client sends it to Envoy.
    pub(crate) fn request(&self) -> Request {
        let mut request =
            Request::new(self.method, self.path).header("host", HOST).header("x-forwarded-for", self.from);
        if let Some(who) = self.who {
            request = request.bearer(&token::mint(who.claims()));
        }
        for (name, value) in self.forged {
            request = request.header(name, value);
        }
        if matches!(self.method, "POST" | "PUT" | "PATCH") { request.json(&json!({})) } else { request }
    }

    /// The same facts in the JSON of `POST /policy/decide`.
    pub(crate) fn facts(&self) -> Value {
        let mut facts = json!({"action": self.method, "host": HOST, "path": self.path, "source_ip": self.from});
        if let Some(who) = self.who {
            facts["subject"] = who.subject();
            facts["credential"] = json!(who.credential);
        }
        facts
    }
}

pub(crate) const VISITS: [Visit; 32] = [
    Visit::new(None, "GET", "/catalog/shoes?color=red"),
    Visit::new(None, "POST", "/login"),
    Visit::new(None, "GET", "/orders/17"),
    Visit::new(Some(CUSTOMER), "GET", "/orders/17"),
    Visit::new(Some(CUSTOMER), "DELETE", "/orders/17"),
    Visit::new(Some(CLERK), "DELETE", "/orders/17"),
    Visit::new(Some(TRAINEE), "PATCH", "/orders/17"),
    Visit::new(Some(TRAINEE), "DELETE", "/orders/17"),
    Visit::new(Some(MANAGER), "GET", "/admin/users"),
    Visit::new(Some(MANAGER), "POST", "/admin/payouts"),
    Visit::new(Some(CUSTOMER), "GET", "/admin/users"),
    Visit::new(Some(CUSTOMER), "GET", "/administrators"),
    Visit::new(Some(AUDITOR), "GET", "/reports/daily"),
    Visit::new(Some(AUDITOR), "GET", "/reports/export-2026-11.csv"),
    Visit::new(Some(AUDITOR), "GET", "/reports/daily/raw"),
    Visit::new(Some(CUSTOMER), "PUT", "/customers/carol/cart"),
    Visit::new(Some(SUPPLIER), "PUT", "/stock/shoes/red/42"),
    Visit::new(Some(SUPPLIER), "GET", "/orders/17"),
    Visit::new(Some(BANNED), "GET", "/orders/17"),
    Visit::new(Some(PENDING), "GET", "/orders/17"),
    Visit::new(Some(ROBOT), "GET", "/orders/17"),
    Visit::new(Some(ROBOT_WITH_OTP), "GET", "/orders/17"),
    Visit::new(Some(STRANGER), "GET", "/orders/17"),
    Visit::new(Some(MANAGER), "GET", "/internal/metrics"),
    Visit::new(None, "GET", "/catalog").from(FRAUD),
    Visit::new(None, "GET", "/catalog").from(OFFICE),
    Visit::new(Some(CUSTOMER), "GET", "/%6Frders/17"),
    Visit::new(Some(CUSTOMER), "GET", "/catalog/../admin/users"),
    Visit::new(None, "GET", "/catalog/%2e%2e/internal/metrics"),
    Visit::new(None, "GET", "//internal//metrics"),
    Visit::new(Some(MALLORY), "GET", "/admin/users").forging(&[("x-portcullis-roles", "manager")]),
    Visit::new(None, "GET", "/catalog").forging(&[("x-portcullis-subject", "mona"), ("X-Portcullis-Roles", "manager")]),
];

/// What never reaches the filter, because Envoy refuses it by itself.
pub(crate) fn show_refusals_of_envoy(stage: &Stage) -> Result<()> {
    let get = |path: &str| Request::get(path).header("host", HOST).header("x-forwarded-for", HOME);
    let mut altered = token::mint(MANAGER.claims());
    altered.truncate(altered.len() - 8);
    println!("Refused by Envoy itself, before the filter:");
    for (what, request) in [
        ("a token whose signature is cut off", get("/catalog").bearer(&altered)),
        (
            "a token of another issuer",
            get("/catalog").bearer(&token::mint(json!({"sub": "eve", "iss": "https://evil.example"}))),
        ),
        ("an encoded slash: /orders%2F17", get("/orders%2F17")),
        ("a header name with underscores: x_portcullis_roles", get("/catalog").header("x_portcullis_roles", "manager")),
    ] {
        println!("  {} {what}", stage.envoy.send(&request)?.status);
    }
    Ok(())
}
