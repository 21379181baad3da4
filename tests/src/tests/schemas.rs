//! Validation: the official suite, our cases, the differential with another validator, limits.

mod bodies;
mod cases;
mod differential;
mod suite;

use portcullis_bundle::Policy;
use portcullis_compiler::{Diagnostic, Options, compile};
use portcullis_core::{Report, ValidateOptions, ValidateScratch, validate};

/// The policy with one schema, `s`.
fn policy(schema: &str) -> Result<Policy, Vec<Diagnostic>> {
    let document = format!("{{\"version\": 1, \"schemas\": {{\"s\": {schema}}}}}");
    let bundle = compile(&document, &Options::default())?.bundle;
    Ok(Policy::open(bundle).expect("a compiled bundle opens"))
}

fn report<'p>(policy: &'p Policy, document: &[u8]) -> Report<'p> {
    let schema = policy.schema_number("s").expect("it is there");
    validate(policy, schema, document, &ValidateOptions::default(), &mut ValidateScratch::default()).expect("a report")
}
