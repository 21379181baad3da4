//! The filter as it is built, with traps where none is reachable: a message with very many headers hits them.
//!
//! Two callbacks of the module get a prologue; all else stays byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// So many headers in a request or in an answer of the server, and the VM traps. Nobody sends so many by accident, and
/// Envoy refuses more than 100.
pub const HEADERS: usize = 90;

/// The callbacks, each with how many parameters it has and which one is the number of headers.
const CALLBACKS: [(&str, u32, u32); 2] = [("proxy_on_request_headers", 3, 1), ("proxy_on_http_call_response", 5, 2)];

/// Writes the filter with traps into `folder`.
pub fn filter_in(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("trapping-filter.wasm");
    fs::write(&path, with_traps(portcullis_artifacts::ENVOY_FILTER)?)?;
    Ok(path)
}

fn with_traps(module: &[u8]) -> Result<Vec<u8>> {
    let Counts { imported, types } = Counts::of(module)?;
    let defined = u32::try_from(types.len())?;
    // In the order of `CALLBACKS`: the function that is exported now.
    let mut originals = Vec::new();
    for (name, ..) in CALLBACKS {
        originals.push(exported(module, name)?);
    }
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::FunctionSection(_) => {
                let mut section = FunctionSection::new();
                let added = originals.iter().map(|original| types[(original - imported) as usize]);
                types.iter().copied().chain(added).for_each(|of_type| _ = section.function(of_type));
                _ = out.section(&section);
            }
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                for export in exports.clone() {
                    let export = export?;
                    let callback = CALLBACKS.iter().position(|(name, ..)| *name == export.name);
                    let index = match callback {
                        Some(callback) => imported + defined + u32::try_from(callback)?,
                        None => export.index,
                    };
                    section.export(export.name, kind(export.kind)?, index);
                }
                out.section(&section);
            }
            Payload::CodeSectionStart { .. } => _ = out.section(&code(module, &originals)?),
            Payload::CodeSectionEntry(_) => continue,
            _ => {
                let Some((id, range)) = payload.as_section() else { continue };
                let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
                out.section(&RawSection { id, data: &module[range] });
            }
        }
    }
    Ok(out.finish())
}

/// The functions as they are, then one for each callback.
fn code(module: &[u8], originals: &[u32]) -> Result<CodeSection> {
    let mut section = CodeSection::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload? {
            section.raw(body.as_bytes());
        }
    }
    for ((_, parameters, headers), original) in CALLBACKS.iter().zip(originals) {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.local_get(*headers).i32_const(i32::try_from(HEADERS)?).i32_ge_s();
        code.if_(wasm_encoder::BlockType::Empty).unreachable().end();
        (0..*parameters).for_each(|parameter| _ = code.local_get(parameter));
        code.call(*original).end();
        section.function(&function);
    }
    Ok(section)
}

struct Counts {
    imported: u32,
    /// Of each defined function.
    types: Vec<u32>,
}

impl Counts {
    fn of(module: &[u8]) -> Result<Self> {
        let mut counts = Self { imported: 0, types: Vec::new() };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        counts.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(functions) => {
                    counts.types = functions.into_iter().collect::<Result<_, _>>()?;
                }
                _ => {}
            }
        }
        Ok(counts)
    }
}

fn kind(kind: ExternalKind) -> Result<ExportKind> {
    Ok(match kind {
        ExternalKind::Func => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        other => bail!("an export that is a {other:?}"),
    })
}

fn exported(module: &[u8], name: &str) -> Result<u32> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(exports) = payload? {
            for export in exports {
                let export = export?;
                if export.name == name {
                    return Ok(export.index);
                }
            }
        }
    }
    None.with_context(|| format!("the filter does not export {name}"))
}
