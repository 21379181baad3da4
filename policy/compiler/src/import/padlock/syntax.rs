//! Where a regular expression of Go (RE2) is one of Rust too, but matches other texts.
//!
//! In: the text of a pattern. Out: the first such place, with what to write instead. What Rust cannot read at all is
//! the compiler's to say.

/// A part of a pattern that the two read differently.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) found: &'static str,
    pub(super) help: &'static str,
}

pub(super) fn difference(pattern: &str) -> Option<Difference> {
    parts(pattern).find_map(|part| {
        let (found, help) = match part {
            Part::Plain(rest) if rest.starts_with("{,") => ("{,", "write `\\{,`"),
            Part::Escaped(rest) if rest.starts_with('<') => ("\\<", "write `<`"),
            Part::Escaped(rest) if rest.starts_with('>') => ("\\>", "write `>`"),
            Part::Escaped(rest) if rest.starts_with("b{") => ("\\b{", "write `\\b\\{`"),
            Part::InClass(rest) if rest.starts_with('[') && !rest.starts_with("[:") => {
                ("[", "write `\\[` inside a class")
            }
            Part::InClass(rest) if rest.starts_with("&&") => ("&&", "write `&` once inside a class"),
            Part::InClass(rest) if rest.starts_with("~~") => ("~~", "write `~` once inside a class"),
            Part::InClass(rest) if rest.starts_with("--") => ("--", "write `\\-` inside a class"),
            _ => return None,
        };
        Some(Difference { found, help })
    })
}

/// Whether a `?` stands for itself somewhere.
pub(super) fn asks_for_query(pattern: &str) -> bool {
    parts(pattern).any(|part| matches!(part, Part::Escaped(rest) | Part::InClass(rest) if rest.starts_with('?')))
}

/// The text from some place on, and what kind of place it is.
enum Part<'p> {
    Plain(&'p str),
    /// After a backslash.
    Escaped(&'p str),
    InClass(&'p str),
}

fn parts(pattern: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = pattern;
    // Where the class began, so that a `]` that is its first member does not end it.
    let mut class: Option<usize> = None;
    core::iter::from_fn(move || {
        let here = rest;
        let first = here.chars().next()?;
        rest = &here[first.len_utf8()..];
        if first == '\\' {
            let escaped = rest;
            rest = &escaped[escaped.chars().next().map_or(0, char::len_utf8)..];
            return Some(Part::Escaped(escaped));
        }
        let Some(start) = class else {
            if first == '[' {
                rest = rest.strip_prefix('^').unwrap_or(rest);
                class = Some(rest.len());
            }
            return Some(Part::Plain(here));
        };
        if first == ']' && here.len() != start {
            class = None;
        } else if here.starts_with("[:")
            && let Some(end) = here.find(":]")
        {
            rest = &here[end + 2..];
        }
        Some(Part::InClass(here))
    })
}
