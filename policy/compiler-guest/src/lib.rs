//! Component glue for world `compiler`: texts in, what the compiler says out. No logic.
//!
//! In: calls through the canonical ABI. Out: records of `wit/compiler.wit`. Never: an import, a finding of its own.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod convert;

use exports::portcullis::policy::authoring::{
    Compiled, Diagnostic, ExplainError, Explanation, ForeignSystem, Guest, Imported, Options, PolicySource, Report,
};
use portcullis_compiler as compiler;
use portcullis_core::Policy;

wit_bindgen::generate!({ path: "../../wit", world: "compiler" });

struct Component;

impl Guest for Component {
    fn compile(document: String, options: Options) -> Result<Compiled, Vec<Diagnostic>> {
        let options = convert::options(options).map_err(|message| vec![convert::error(message)])?;
        compiler::compile(&document, &options).map(Compiled::from).map_err(convert::diagnostics)
    }

    fn lint(document: String) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        compiler::lint(&document).map(convert::diagnostics).map_err(convert::diagnostics)
    }

    fn test(document: String) -> Result<Report, Vec<Diagnostic>> {
        compiler::test(&document).map(Report::from).map_err(convert::diagnostics)
    }

    fn explain(policy: PolicySource, request: String) -> Result<Explanation, ExplainError> {
        let request =
            compiler::Request::parse(&request).map_err(|errors| ExplainError::Request(convert::diagnostics(errors)))?;
        let bundle = match policy {
            PolicySource::Bundle(bundle) => bundle,
            PolicySource::Document(document) => {
                let options = compiler::Options { revision: 1, ..compiler::Options::default() };
                let compiled = compiler::compile(&document, &options);
                compiled.map_err(|errors| ExplainError::Document(convert::diagnostics(errors)))?.bundle
            }
        };
        let policy = Policy::open(bundle).map_err(|error| ExplainError::Bundle(error.to_string()))?;
        Ok(compiler::Explained::of(&policy, &request).into())
    }

    fn import_from(system: ForeignSystem, text: String) -> Result<Imported, Vec<Diagnostic>> {
        let imported = match system {
            ForeignSystem::Barong => compiler::import::barong(&text),
            ForeignSystem::Padlock => compiler::import::padlock(&text),
        };
        imported.map(Imported::from).map_err(convert::diagnostics)
    }
}

export!(Component);
