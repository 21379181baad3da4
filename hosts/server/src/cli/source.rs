//! Texts that people wrote: read within the limit, and their diagnostics shown on stderr.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::Context as _;
use portcullis_compiler::{Diagnostic, Severity, Style};
use portcullis_core::limits::DOCUMENT_BYTES;

use crate::cli::complain;

/// Diagnostics that are shown with their line; the others are only listed.
const EXCERPTS: usize = 100;

/// A text, and what diagnostics call it.
pub(super) struct Source {
    pub name: String,
    pub text: String,
}

impl Source {
    /// Reads a file, or standard input for `-`. `None` when it is no text; that was said.
    pub fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let is_stdin = path == Path::new("-");
        let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
        let bytes = read(path, is_stdin).with_context(|| format!("cannot read `{name}`"))?;
        Ok(Self::from_bytes(name, bytes))
    }

    /// `None` when it is no text, or too long; that was said.
    pub fn from_bytes(name: String, bytes: Vec<u8>) -> Option<Self> {
        match text(bytes) {
            Ok(text) => Some(Self { name, text }),
            Err(diagnostic) => {
                let nothing = Self { name, text: String::new() };
                nothing.report(&[diagnostic]);
                None
            }
        }
    }

    /// Shows diagnostics on stderr.
    pub fn report(&self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        let style = if has_colours() { Style::Coloured } else { Style::Plain };
        let (shown, listed) = diagnostics.split_at(diagnostics.len().min(EXCERPTS));
        let source = portcullis_compiler::Source::new(&self.name, &self.text);
        for diagnostic in shown {
            complain(source.render(diagnostic, style));
        }
        let nothing = portcullis_compiler::Source::new(&self.name, "");
        for diagnostic in listed {
            complain(nothing.render(diagnostic, Style::Plain));
        }
    }
}

fn has_colours() -> bool {
    // https://no-color.org
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One byte more than a document may have is enough to refuse it.
fn read(path: &Path, is_stdin: bool) -> io::Result<Vec<u8>> {
    let limit = DOCUMENT_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    match is_stdin {
        true => io::stdin().lock().take(limit).read_to_end(&mut bytes)?,
        false => fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Diagnostic> {
    if bytes.len() > DOCUMENT_BYTES {
        // Cut in the middle, so whether it is UTF-8 is not the question.
        let message = format!("document is larger than {DOCUMENT_BYTES} bytes, the limit");
        return Err(Diagnostic::new(Severity::Error, 1, 1, message));
    }
    String::from_utf8(bytes).map_err(|error| not_utf8(&error))
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Diagnostic {
    let legal = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let legal = String::from_utf8_lossy(legal);
    let line = legal.matches('\n').count() + 1;
    let column = legal.chars().rev().take_while(|&found| found != '\n').count() + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Diagnostic::new(Severity::Error, number(line), number(column), "document is not UTF-8")
}
