//! Lines of CSV (RFC 4180) that a spreadsheet takes for nothing but data.

pub fn line(cells: &[String]) -> String {
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// Clients choose paths and ids. A spreadsheet takes a cell that begins like this for a formula, so an apostrophe goes
/// before it (OWASP, CSV injection); quotes are doubled.
fn cell(text: &str) -> String {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let apostrophe = if is_formula { "'" } else { "" };
    if is_formula || text.contains([',', '"', '\r', '\n', ';', '\'']) {
        return format!("\"{apostrophe}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (text, expected) in [
            ("", ""),
            ("/a/b", "/a/b"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("a\r\nb", "\"a\r\nb\""),
            ("=1+1", "\"'=1+1\""),
            ("+a", "\"'+a\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            ("\t=1", "\"'\t=1\""),
            ("=\"\",x", "\"'=\"\"\"\",x\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
