//! Tables as they stand in `docs/PERFORMANCE.md`, each between two markers that name it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// What a reader needs to judge the numbers, or to get them again.
pub struct Circumstances {
    pub command: String,
    pub date: String,
    machine: String,
}

impl Circumstances {
    /// `date` of the run; today when absent.
    pub fn of(command: String, date: Option<String>) -> Result<Self> {
        let date = match date {
            Some(date) => date,
            None => said(Command::new("date").arg("--iso-8601"))?,
        };
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
        let model = model.trim_matches(|char: char| char == ':' || char.is_whitespace());
        let cores = std::thread::available_parallelism()?;
        let rustc = said(Command::new("rustc").arg("--version"))?;
        Ok(Self { command, date, machine: format!("{model}, {cores} cores, {rustc}") })
    }
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A time in the unit that suits it, three or four digits; a dash when it is not known.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ..10e3 => format!("{nanoseconds:.0} ns"),
        10e3..10e6 => format!("{:.1} us", nanoseconds / 1e3),
        10e6.. => format!("{:.1} ms", nanoseconds / 1e6),
        _ => "-".to_owned(),
    }
}

/// How many times `reference` is `value`; a dash without a reference.
pub fn ratio(value: f64, reference: Option<f64>) -> String {
    match reference.map(|reference| value / reference) {
        Some(ratio @ ..10.0) => format!("{ratio:.2}"),
        Some(ratio @ 10.0..100.0) => format!("{ratio:.1}"),
        Some(ratio @ 100.0..) => format!("{ratio:.0}"),
        _ => "-".to_owned(),
    }
}

/// The text between the markers of `name`.
pub fn section(name: &str, table: &str, of: &Circumstances) -> Result<String> {
    let Circumstances { command, date, machine } = of;
    let mut section = String::new();
    writeln!(section, "`{command}`, {date}, {machine}.\n\n{table}", table = table.trim_end())?;
    Ok(format!("{}\n{section}{}", marker(name, "begin"), marker(name, "end")))
}

/// Puts the section in the place of the one of the same name in `docs/PERFORMANCE.md`.
pub fn write(name: &str, section: &str) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERFORMANCE.md");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (begin, end) = (marker(name, "begin"), marker(name, "end"));
    let (before, rest) = text.split_once(&begin).with_context(|| format!("no `{begin}` in {}", path.display()))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("no `{end}` in {}", path.display()))?;
    fs::write(&path, [before, section, after].concat())?;
    Ok(path)
}

fn marker(name: &str, which: &str) -> String {
    format!("<!-- {which} {name} -->")
}
