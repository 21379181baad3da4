//! Any text: a bundle that opens, or diagnostics that lie in the text and can be shown; the same each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_compiler::{Diagnostic, Options, Severity, Source, Style, compile, lint};
use portcullis_core::Policy;

fuzz_target!(|text: &str| {
    let options = Options::default();
    match (compile(text, &options), compile(text, &options)) {
        (Ok(compiled), Ok(again)) => {
            assert_eq!((&compiled.bundle, &compiled.warnings), (&again.bundle, &again.warnings));
            assert!(compiled.warnings.iter().all(|warning| warning.severity == Severity::Warning));
            check(text, &compiled.warnings);
            Policy::open(compiled.bundle).expect("a compiled bundle opens");
        }
        (Err(errors), Err(again)) => {
            assert_eq!(errors, again);
            assert!(errors.iter().any(|error| error.severity == Severity::Error));
            check(text, &errors);
        }
        _ => panic!("compiles only sometimes"),
    }
    match lint(text) {
        Ok(findings) | Err(findings) => check(text, &findings),
    }
});

fn check(text: &str, diagnostics: &[Diagnostic]) {
    let source = Source::new("policy.yaml", text);
    // As a reader of YAML counts lines, YAML 1.2.2 section 5.4.
    let lines: Vec<&str> = text.split("\r\n").flat_map(|lines| lines.split(['\r', '\n'])).collect();
    for diagnostic in diagnostics {
        let Diagnostic { line, column, message, .. } = diagnostic;
        assert!(*line >= 1 && *column >= 1 && !message.is_empty(), "{diagnostic}");
        let length = lines.get(*line as usize - 1).map(|line| line.chars().count());
        assert!(length.is_some_and(|length| *column as usize <= length + 1), "{diagnostic} in a line of {length:?}");
        assert_eq!(source.render(diagnostic, Style::Plain), source.render(diagnostic, Style::Plain));
    }
}
