//! Answers of `/policy/revocations` -> changes, and the whole set that the leader keeps of them.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use portcullis_core::{PublicKey, TenantId};

use super::poll::FetchError;
use crate::json::Json;
use crate::revocations::Revocations;

/// What stands before the body in the text that is signed.
const CONTEXT: &[u8] = b"portcullis revocations 1\n";
/// An answer with so many entries is not the last one.
const PAGE: usize = 10_000;

/// An answer that fits the question.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    pub revision: u64,
    /// What was known before is void.
    pub full: bool,
    pub revocations: Vec<(String, u64)>,
}

impl Changes {
    /// `since` is what was asked.
    pub fn read(
        body: &[u8],
        signature: Option<&str>,
        key: &PublicKey,
        tenant: &TenantId,
        since: u64,
    ) -> Result<Self, FetchError> {
        let mut bytes = [0; 64];
        let signature = signature.and_then(|text| Base64::decode(text, &mut bytes).ok());
        let signature: Option<[u8; 64]> = signature.and_then(|bytes| bytes.try_into().ok());
        if !signature.is_some_and(|signature| key.has_signed(&[CONTEXT, body].concat(), &signature)) {
            return Err(FetchError::Signature);
        }
        let json = Json::parse(body).map_err(|_| FetchError::Revocations("no JSON"))?;
        Self::of(&json, tenant, since).map_err(FetchError::Revocations)
    }

    fn of(json: &Json<'_>, tenant: &TenantId, since: u64) -> Result<Self, &'static str> {
        if json.get("tenant").and_then(Json::text) != Some(tenant.as_str()) {
            return Err("another tenant");
        }
        if json.get("since").and_then(Json::integer) != Some(since) {
            return Err("another `since`");
        }
        let revision = json.get("revision").and_then(Json::integer).ok_or("no `revision`")?;
        let full = json.get("full").and_then(Json::flag).ok_or("no `full`")?;
        if revision < since && !full {
            return Err("an older revision");
        }
        let entries = json.get("revocations").and_then(Json::list).ok_or("no `revocations`")?;
        let entry =
            |json: &Json<'_>| Some((json.get("subject")?.text()?.to_owned(), json.get("not_before")?.integer()?));
        let revocations = entries.iter().map(entry).collect::<Option<_>>().ok_or("an entry that is none")?;
        Ok(Self { revision, full, revocations })
    }

    pub fn is_last(&self) -> bool {
        self.revocations.len() < PAGE
    }
}

/// All revocations, as the leader knows them.
#[derive(Debug, Default)]
pub struct Gathered {
    pub revision: u64,
    entries: BTreeMap<String, u64>,
}

impl Gathered {
    pub fn from(known: &Revocations) -> Self {
        Self { revision: known.revision(), entries: known.entries() }
    }

    pub fn apply(&mut self, changes: Changes) {
        let Changes { revision, full, revocations } = changes;
        if full {
            self.entries.clear();
        }
        self.revision = revision;
        for (subject, not_before) in revocations {
            let known = self.entries.entry(subject).or_default();
            *known = not_before.max(*known);
        }
    }

    pub fn encode(&self) -> Option<Revocations> {
        Revocations::encode(self.revision, &self.entries)
    }
}
