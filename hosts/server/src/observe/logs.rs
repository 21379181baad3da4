//! Logs on standard error: one line per event, as text or as a JSON object. No value can begin another line.

mod fields;

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::registry::LookupSpan;

use crate::observe::Logs;
use crate::observe::logs::fields::Fields;
use crate::observe::request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

impl Format {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Text, Self::Json].into_iter().find(|format| format.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Logs of the whole process from now on. A filter that cannot be read is refused by the configuration.
pub fn start(Logs { filter, format }: Logs) {
    let is_terminal = io::stderr().is_terminal() && format == Format::Text;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(filter))
        .with_ansi(is_terminal)
        .with_writer(io::stderr)
        .event_format(format)
        .init();
}

impl<S> FormatEvent<S, DefaultFields> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let has_colours = writer.has_ansi_escapes();
        // The subscriber writes a line in one piece, so that those of two threads do not mix.
        match self {
            Self::Text => {
                SystemTime.format_time(&mut writer)?;
                write!(writer, " {} {target}: ", painted(level, has_colours))?;
            }
            Self::Json => {
                writer.write_str(r#"{"time":""#)?;
                SystemTime.format_time(&mut writer)?;
                let level = level.as_str().to_ascii_lowercase();
                write!(writer, r#"","level":"{level}","target":"{target}","message":"#)?;
            }
        }
        Fields::write_message(event, *self, &mut writer)?;
        Fields::write_others(event, *self, &mut writer)?;
        if let Some(id) = request::current_id() {
            Fields::write_text("request.id", id.as_str(), *self, &mut writer)?;
        }
        writer.write_str(if *self == Self::Json { "}\n" } else { "\n" })
    }
}

/// As wide as all levels, in a colour on a terminal.
fn painted(level: Level, has_colours: bool) -> String {
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    match has_colours {
        true => format!("\u{1b}[{colour}m{level:>5}\u{1b}[0m"),
        false => format!("{level:>5}"),
    }
}
