//! One entry of the policy document is written: the next revision, or nothing (ADR 0028).

use portcullis_compiler::Entry;
use portcullis_compiler::edit::{Edit, edit};
use portcullis_directory::{Find, PolicyEntryColumn, PolicyEntryRow, TenantId};
use portcullis_identity::{Random as _, SystemRandom, hex};

use crate::app::App;
use crate::dialects::barong::errors::Refusal;
use crate::error::ApiError;
use crate::permit::{Author, Permit};
use crate::precondition::Preconditions;
use crate::publish::{Draft, PublishError};

/// How often a write begins anew because another one came first.
const TRIES: usize = 5;
/// What a tenant without a document has.
const EMPTY: &str = "version: 1\n";

/// Stores the document after the change that `choose` makes of its current entries; answers what it says beside the change.
pub async fn write<T>(
    app: &App,
    permit: &Permit<Author>,
    choose: impl Fn(&[Entry]) -> Result<(Edit, T), Refusal>,
) -> Result<T, Refusal> {
    let publisher = &app.default_tenant().ok_or_else(|| Refusal::internal("there is no default tenant"))?.publisher;
    for _ in 0..TRIES {
        let current = app.store.document(publisher.tenant()).await?;
        let revision = current.as_ref().map(|document| document.info.revision.to_string());
        let (text, media_type) = match current {
            Some(document) => (document.text, document.media_type),
            None => (EMPTY.to_owned(), "application/yaml".to_owned()),
        };
        let (change, said) = choose(&portcullis_compiler::entries(&text))?;
        let edited = edit(&text, &change).map_err(ApiError::invalid)?;
        let media_type = if edited.is_rewritten { "application/json".to_owned() } else { media_type };
        let draft = Draft { text: edited.text, media_type, conditions: Preconditions::only(revision) };
        match publisher.publish(permit.clone(), draft).await {
            Ok(_) => return Ok(said),
            Err(PublishError::Precondition { .. } | PublishError::Conflict) => {}
            Err(error) => return Err(ApiError::from(error).into()),
        }
    }
    Err(ApiError::from(PublishError::Conflict).into())
}

/// The name of the entry with that number; `None` when there is none of that kind.
pub async fn name_of(app: &App, kind: &str, number: i64) -> Result<Option<String>, Refusal> {
    let find = of_kind(kind).is(PolicyEntryColumn::Id, number);
    Ok(app.store.find(&find).await?.pop().map(|row| row.name))
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
