//! A policy from a file: a bundle as it is, or a document that is compiled first.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use portcullis_compiler::Options;
use portcullis_core::{OpenError, Policy};

use crate::cli::progress::Progress;
use crate::cli::source::Source;

/// The policy in the file. `None` for a document that does not compile; its diagnostics are out.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Policy>> {
    let name = path.display();
    if path == Path::new("-") {
        return Source::read(path)?.map_or(Ok(None), |source| compile(&source));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
    match Policy::open(bytes.clone()) {
        Ok(policy) => Ok(Some(policy)),
        Err(OpenError::NotABundle) => {
            Source::from_bytes(name.to_string(), bytes).map_or(Ok(None), |source| compile(&source))
        }
        Err(error) => Err(error).with_context(|| format!("cannot use the bundle `{name}`")),
    }
}

/// The policy that a document is.
fn compile(source: &Source) -> anyhow::Result<Option<Policy>> {
    let progress = Progress::start("compiling");
    let compiled = portcullis_compiler::compile(&source.text, &Options { revision: 1, ..Options::default() });
    drop(progress);
    match compiled {
        Ok(compiled) => {
            source.report(&compiled.warnings);
            let policy = Policy::open(compiled.bundle).context("cannot use the bundle that was compiled")?;
            Ok(Some(policy))
        }
        Err(diagnostics) => {
            source.report(&diagnostics);
            Ok(None)
        }
    }
}
