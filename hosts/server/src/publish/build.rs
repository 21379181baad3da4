//! Document -> bundle that was read back and says what it should.

use portcullis_compiler::{Diagnostic, Options, Severity, compile};
use portcullis_core::{OpenError, Policy, Reason};
use portcullis_directory::{Revision, TenantId, UnixSeconds};
use serde::de::IgnoredAny;

use crate::publish::bundle::Statuses;
use crate::signing::BundleKey;

/// A document as typed.
pub struct Source {
    pub text: String,
    pub media_type: String,
}

pub struct Built {
    pub bundle: Vec<u8>,
    /// SHA-256.
    pub digest: [u8; 32],
    pub statuses: Statuses,
    pub warnings: Vec<Diagnostic>,
}

pub enum BuildError {
    Document(Vec<Diagnostic>),
    /// Our own bundle does not open with our own key.
    Unreadable(OpenError),
    /// The compiler does not know such a name.
    Tenant,
}

/// The same arguments always give the same bytes.
pub fn build(
    source: &Source,
    tenant: &TenantId,
    revision: Revision,
    created_at: UnixSeconds,
    key: &BundleKey,
) -> Result<Built, BuildError> {
    if source.media_type == "application/json" {
        json_only(&source.text).map_err(|diagnostic| BuildError::Document(vec![diagnostic]))?;
    }
    let options = Options {
        tenant: tenant.as_str().parse().map_err(|_| BuildError::Tenant)?,
        revision: revision.get(),
        created: created_at.0,
        sign: Some(key.signing_key()),
        ..Options::default()
    };
    let compiled = compile(&source.text, &options).map_err(BuildError::Document)?;
    let policy = Policy::open_signed(compiled.bundle, &[key.public_key()]).map_err(BuildError::Unreadable)?;
    let (digest, statuses) = (policy.digest(), Reason::ALL.map(|reason| policy.status(reason)));
    Ok(Built { digest, statuses, bundle: policy.bytes().to_vec(), warnings: compiled.warnings })
}

/// The compiler also reads YAML, but what was sent as JSON is answered as JSON.
fn json_only(text: &str) -> Result<(), Diagnostic> {
    serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(|error| {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).max(1);
        let (line, column) = (position(error.line()), position(error.column()));
        let message = error.to_string();
        // serde puts the position into the text as well.
        let message = message.split(" at line ").next().unwrap_or_default();
        Diagnostic::new(Severity::Error, line, column, format!("not JSON: {message}"))
    })
}
