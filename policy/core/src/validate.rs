//! Documents against schemas: the bytes of a document become a verdict and all violations.
//!
//! In: a schema of a policy, the bytes of a document from anywhere, buffers that are used again. Out: a `Report`. One
//! pass over the bytes makes a flat tape, then the schema is asked. Never: a panic, an allocation per value, more than
//! the limits allow of bytes, depth and steps. `decide` knows nothing of this.

mod array;
mod bodies;
mod case;
mod decimal;
mod equal;
mod fault;
mod form;
mod format;
mod found;
mod json;
mod keyword;
mod machine;
mod normalize;
mod number;
mod object;
mod render;
mod report;
mod tape;
mod write;

use portcullis_bundle::Policy;
use portcullis_bundle::limits::VALIDATED_BYTES;
use portcullis_bundle::schema::{Schema, node_flags, schema_flags};

use fault::{Fault, FaultKind};
use machine::{Machine, Mode, Stop};
use tape::{Buffer, Tape};

pub use bodies::{BodyCheck, body_check};
pub use keyword::Keyword;
pub use report::{Param, Report, Verdict, Violation};

/// What a host wants beside the verdict.
#[derive(Clone, Copy, Debug)]
pub struct ValidateOptions<'a> {
    /// Of messages: the tag of RFC 5646 that is looked for, as `uk` or `de-AT`.
    pub language: &'a str,
    /// Most bytes of the document.
    pub max_bytes: usize,
    /// The document as JSON, texts normalized and fields of forms coerced, if it is valid.
    pub normalized: bool,
}

/// Buffers for one validation after the other.
#[derive(Debug, Default)]
pub struct ValidateScratch {
    buffer: Buffer,
    keys: json::Keys,
    fields: form::Fields,
    machine: machine::Buffers,
}

impl Default for ValidateOptions<'_> {
    fn default() -> Self {
        Self { language: "en", max_bytes: VALIDATED_BYTES, normalized: false }
    }
}

/// Bytes of a document beyond which the buffers that it took are given back.
const LARGE: usize = 1 << 16;

/// Checks a document against the schema of this number, see `Policy::schema_number`; `None` when there is none.
pub fn validate<'p>(
    policy: &'p Policy,
    schema: u32,
    document: &[u8],
    options: &ValidateOptions<'_>,
    scratch: &mut ValidateScratch,
) -> Option<Report<'p>> {
    let report = checked(policy, policy.schema(schema)?, document, options, scratch);
    if document.len() > LARGE {
        scratch.buffer.shrink();
        scratch.keys = json::Keys::new();
        scratch.machine = machine::Buffers::default();
    }
    report
}

/// Whether the schema of this number changes texts of a JSON document before it checks them.
pub fn normalizes(policy: &Policy, schema: u32) -> bool {
    let is_json = |schema: &&Schema| schema.flags.get() & schema_flags::FORM == 0;
    let root = policy.schema(schema).filter(is_json).and_then(|schema| policy.schema_node(schema.root.get()));
    root.is_some_and(|node| node.flags & node_flags::NORMALIZES != 0)
}

fn checked<'p>(
    policy: &'p Policy,
    schema: &Schema,
    document: &[u8],
    options: &ValidateOptions<'_>,
    scratch: &mut ValidateScratch,
) -> Option<Report<'p>> {
    let text = match read(policy, schema, document, options, scratch) {
        Ok(text) => text,
        Err(fault) => return Some(Report::refused(fault)),
    };
    let root = schema.root.get();
    let verdict = normalized(policy, root, text, scratch).and_then(|()| {
        let tape = scratch.buffer.tape(text);
        let mut machine = Machine::new(policy, tape, &mut scratch.machine);
        machine.node(root, Tape::ROOT, Mode::REPORT)
    });
    let tape = scratch.buffer.tape(text);
    match verdict {
        Ok(true) => Some(Report::valid(options.normalized.then(|| write::json(tape)))),
        Ok(false) => Some(render::report(policy, tape, &scratch.machine.violations, options.language)),
        Err(Stop::Cost) => Some(Report::refused(Fault::at(FaultKind::TooCostly, 0))),
        Err(Stop::Policy) => None,
    }
}

/// Reads the document into the buffers; the answer is its text.
fn read<'t>(
    policy: &Policy,
    schema: &Schema,
    document: &'t [u8],
    options: &ValidateOptions<'_>,
    scratch: &mut ValidateScratch,
) -> Result<&'t str, Fault> {
    if document.len() > options.max_bytes.min(tape::MAX_BYTES) {
        return Err(Fault::at(FaultKind::TooLarge, 0));
    }
    match schema.flags.get() & schema_flags::FORM != 0 {
        true => form::read(policy, schema, document, &mut scratch.buffer, &mut scratch.fields),
        false => json::read(document, &mut scratch.buffer, &mut scratch.keys),
    }
}

fn normalized(policy: &Policy, root: u32, text: &str, scratch: &mut ValidateScratch) -> Result<(), Stop> {
    let flags = policy.schema_node(root).ok_or(Stop::Policy)?.flags;
    match flags & node_flags::NORMALIZES != 0 {
        true => normalize::normalize(policy, root, text, &mut scratch.buffer),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
