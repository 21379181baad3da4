//! A restriction of the document and the row of the dialect: one made of the other.

use std::net::IpAddr;

use ipnet::IpNet;
use portcullis_compiler::import::{continent_code, country_code};
use portcullis_directory::{LogOut, PolicyEntryRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::views::time;

/// An entry of the document; also what the dialect says of it.
#[derive(Deserialize)]
pub struct Row {
    pub category: String,
    pub scope: String,
    /// Of the scope `all` it says nothing.
    #[serde(default)]
    pub value: String,
    #[serde(default = "enabled")]
    pub state: String,
    /// Status of the refusal; `None` follows category and scope.
    pub code: Option<i64>,
}

#[derive(Serialize)]
pub struct RestrictionView {
    id: i64,
    category: String,
    scope: String,
    value: String,
    code: i64,
    state: String,
    created_at: String,
    updated_at: String,
}

pub const ENABLED: &str = "enabled";
const WHITELIST: &str = "whitelist";
const LONGEST: usize = 64;

pub fn is_scope(text: &str) -> bool {
    matches!(text, "continent" | "country" | "ip" | "ip_subnet" | "all")
}

pub fn is_category(text: &str) -> bool {
    matches!(text, WHITELIST | "maintenance" | "blacklist" | "blocklogin")
}

pub fn is_state(text: &str) -> bool {
    matches!(text, ENABLED | "disabled")
}

/// As a document may write the category.
pub fn spellings(category: &str) -> Vec<String> {
    let other = match category {
        WHITELIST => Some("allowlist"),
        "blacklist" => Some("denylist"),
        _ => None,
    };
    std::iter::once(category).chain(other).map(str::to_owned).collect()
}

fn enabled() -> String {
    ENABLED.to_owned()
}

// === impl RestrictionView ===

impl RestrictionView {
    pub fn of(entry: &PolicyEntryRow) -> Result<Self, Refusal> {
        let row = Row::read(&entry.body)?;
        Ok(Self {
            id: entry.id,
            code: row.status(),
            category: row.category,
            scope: row.scope,
            value: row.value,
            state: row.state,
            created_at: time(entry.created_at),
            updated_at: time(entry.updated_at),
        })
    }
}

// === impl Row ===

impl Row {
    pub fn read(body: &str) -> Result<Self, Refusal> {
        let mut row: Self = serde_json::from_str(body).map_err(Refusal::internal)?;
        match row.category.as_str() {
            "allowlist" => row.category = WHITELIST.to_owned(),
            "denylist" => row.category = "blacklist".to_owned(),
            _ => {}
        }
        Ok(row)
    }

    /// As it is stored, or what is wrong with value and code.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let invalid = || Refusal::invalid("value.invalid");
        self.value = match self.scope.as_str() {
            "ip" => self.value.parse::<IpAddr>().map_err(|_| invalid())?.to_string(),
            "ip_subnet" => {
                self.value.parse::<IpNet>().map_err(|_| invalid())?;
                self.value
            }
            "country" => country_code(&self.value).ok_or_else(invalid)?.to_owned(),
            "continent" => continent_code(&self.value).ok_or_else(invalid)?.to_owned(),
            _ if self.value.chars().count() > LONGEST => return Err(Refusal::invalid("value.too_long")),
            _ => self.value,
        };
        // One that lets pass has no status of its own.
        self.code = self.code.filter(|_| self.category != WHITELIST);
        match self.code {
            Some(code) if !(400..=599).contains(&code) => Err(Refusal::invalid("code.invalid")),
            _ => Ok(self),
        }
    }

    /// Who may not log in any more is logged out: whoever came from the address, or everybody.
    pub fn logs_out(&self) -> Option<LogOut> {
        if self.category != "blocklogin" || self.state != ENABLED {
            return None;
        }
        let address = self.value.parse().ok().filter(|_| self.scope == "ip");
        Some(address.map_or(LogOut::Everybody, LogOut::From))
    }

    pub fn body(&self, name: &str) -> Value {
        let Self { category, scope, value, state, code } = self;
        let mut body = json!({"id": name, "category": category, "scope": scope, "value": value});
        if state != ENABLED {
            body["state"] = state.as_str().into();
        }
        if let Some(code) = code {
            body["code"] = (*code).into();
        }
        body
    }

    fn status(&self) -> i64 {
        self.code.unwrap_or(match (self.category.as_str(), self.scope.as_str()) {
            ("maintenance", _) => 471,
            (_, "continent" | "country") => 423,
            (_, "ip_subnet") => 403,
            _ => 401,
        })
    }
}
