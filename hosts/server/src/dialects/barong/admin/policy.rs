//! One entry of the policy document is written: the next revision, or nothing (ADR 0028).

use axum::http::StatusCode;
use portcullis_compiler::Entry;
use portcullis_compiler::edit::{Edit, Section, edit};
use portcullis_directory::{Find, LogOut, PolicyEntryColumn, PolicyEntryRow, TenantId};
use portcullis_identity::{Random as _, SystemRandom, hex};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::dialects::barong::params::Input;
use crate::error::ApiError;
use crate::permit::{Author, Permit};
use crate::precondition::Preconditions;
use crate::publish::{Draft, PublishError};

/// How often a write begins anew because another one came first.
const TRIES: usize = 5;
/// What a tenant without a document has.
const EMPTY: &str = "version: 1\n";

/// Stores the document after the change that `choose` makes of its current entries; whom it logs out has no session then.
pub async fn write(
    app: &App,
    permit: &Permit<Author>,
    choose: impl Fn(&[Entry]) -> Result<(Edit, Option<LogOut>), Refusal>,
) -> Result<(), Refusal> {
    let publisher = &app.default_tenant().ok_or_else(|| Refusal::internal("there is no default tenant"))?.publisher;
    for _ in 0..TRIES {
        let current = app.store.document(publisher.tenant()).await?;
        let revision = current.as_ref().map(|document| document.info.revision.to_string());
        let (text, media_type) = match current {
            Some(document) => (document.text, document.media_type),
            None => (EMPTY.to_owned(), "application/yaml".to_owned()),
        };
        let (change, logs_out) = choose(&portcullis_compiler::entries(&text))?;
        let edited = edit(&text, &change).map_err(ApiError::invalid)?;
        let media_type = if edited.is_rewritten { "application/json".to_owned() } else { media_type };
        let draft = Draft { text: edited.text, media_type, conditions: Preconditions::only(revision), logs_out };
        match publisher.publish(permit.clone(), draft).await {
            Ok(_) => return Ok(()),
            Err(PublishError::Precondition { .. } | PublishError::Conflict) => {}
            Err(error) => return Err(ApiError::from(error).into()),
        }
    }
    Err(ApiError::from(PublishError::Conflict).into())
}

/// Entries of one kind.
pub struct Rows {
    pub kind: &'static str,
    pub section: Section,
    /// The code that says that there is none.
    pub none: &'static str,
}

impl Rows {
    pub fn entry<'e>(&self, entries: &'e [Entry], name: &str) -> Result<&'e Entry, Refusal> {
        let found = entries.iter().find(|entry| entry.kind == self.kind && entry.name == name);
        found.ok_or(Refusal::NotFound(self.none))
    }

    /// The name of the entry with that number.
    pub async fn name_of(&self, app: &App, number: i64) -> Result<String, Refusal> {
        let find = of_kind(self.kind).is(PolicyEntryColumn::Id, number);
        let row = app.store.find(&find).await?.pop();
        row.map(|row| row.name).ok_or(Refusal::NotFound(self.none))
    }

    /// Removes the entry with the number `id`.
    pub async fn remove(&self, app: &App, permit: &Permit<Author>, mut input: Input) -> Result<StatusCode, Refusal> {
        let number = input.required_integer("id");
        input.finish()?;
        let name = self.name_of(app, number).await?;
        write(app, permit, |entries| {
            self.entry(entries, &name)?;
            Ok((Edit::Remove { section: self.section, name: name.clone() }, None))
        })
        .await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

pub fn of_kind(kind: &str) -> Find<PolicyEntryRow> {
    let find = Find::<PolicyEntryRow>::all().is(PolicyEntryColumn::Tenant, TenantId::default().as_str());
    find.is(PolicyEntryColumn::Kind, kind)
}

/// A name for a new entry, which no other one has.
pub fn new_name(kind: &str) -> Result<String, Refusal> {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes).map_err(Refusal::internal)?;
    Ok(format!("{kind}-{}", hex(&bytes)))
}
