//! Which request bodies must satisfy which schema.

use portcullis_bundle::Contents;
use portcullis_bundle::layout::{NONE, Text};
use portcullis_bundle::schema::{PathKind, Validation};
use zerocopy::little_endian::{U32, U64};

use super::guards::Guards;
use super::names::Names;
use super::{EmitError, Strings, append};
use crate::automata::{self, Alphabet, Automata};
use crate::conditions::ConditionsError;
use crate::model::{self, Model, Pattern};

pub(super) fn write<'m>(
    model: &'m Model,
    names: &Names<'m>,
    guards: &mut Guards<'m>,
    automata: &mut Automata,
    strings: &mut Strings,
    contents: &mut Contents,
) -> Result<(), EmitError> {
    for validation in &model.validations {
        let types = validation.content_types.iter().map(|text| strings.intern(text.as_bytes()));
        let types = types.collect::<Result<Vec<_>, _>>()?;
        let content_types = append(&mut contents.content_types, types)?;
        let schema = model.schemas.named.keys().position(|name| *name == validation.schema).unwrap_or_default();
        let mut record = Validation {
            methods: U64::new(names.methods(&validation.target)),
            hosts: U32::new(guards.hosts(&validation.target)),
            schema: U32::new(schema as u32),
            kind: PathKind::Any as u8,
            reserved: [0; 3],
            path: Text::EMPTY,
            automaton: U32::new(NONE),
            content_types,
        };
        if let Some(Pattern { kind, text }) = &validation.target.path {
            record.kind = path_kind(*kind) as u8;
            record.path = strings.intern(text.as_bytes())?;
            if *kind == model::PathKind::Regex {
                let failed = |error| EmitError::Automaton { pattern: text.to_string(), error };
                let automaton = automata::build(&[text], Alphabet::Ascii).map_err(failed)?;
                let number = automata.append(contents, &automaton.into()).ok_or(ConditionsError::Automata)?;
                record.automaton = U32::new(number);
            }
        }
        contents.validations.push(record);
    }
    Ok(())
}

fn path_kind(kind: model::PathKind) -> PathKind {
    match kind {
        model::PathKind::Exact => PathKind::Exact,
        model::PathKind::Under => PathKind::Under,
        model::PathKind::Prefix => PathKind::Prefix,
        model::PathKind::Template => PathKind::Template,
        model::PathKind::Regex => PathKind::Regex,
    }
}
