//! WIT shapes <-> the compiler's. Each is taken apart by name, so that a new field does not compile until someone
//! decides.

use portcullis_compiler as compiler;
use portcullis_compiler::policy_test;

use crate::exports::portcullis::policy::authoring::{
    Compiled, Covered, Diagnostic, Difference, Explanation, Failure, Imported, Options, Report, Severity, TestResult,
};

pub fn options(options: Options) -> Result<compiler::Options, String> {
    let Options { tenant, revision, created, expires, signing_seed, revocations } = options;
    let sign = signing_seed.map(|seed| {
        let bytes = seed.len();
        let seed: [u8; 32] = seed.try_into().map_err(|_| format!("signing seed is {bytes} bytes, not 32"))?;
        Ok::<_, String>(compiler::SigningKey::from_seed(&seed))
    });
    Ok(compiler::Options {
        tenant: tenant.parse().map_err(|error: compiler::InvalidTenant| error.to_string())?,
        revision,
        created,
        expires,
        sign: sign.transpose()?,
        revocations: revocations.into_iter().collect(),
        ..compiler::Options::default()
    })
}

/// An error about everything, so at the start.
pub fn error(message: String) -> Diagnostic {
    compiler::Diagnostic::new(compiler::Severity::Error, 1, 1, message).into()
}

pub fn diagnostics(diagnostics: Vec<compiler::Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.into_iter().map(Diagnostic::from).collect()
}

impl From<compiler::Diagnostic> for Diagnostic {
    fn from(diagnostic: compiler::Diagnostic) -> Self {
        let compiler::Diagnostic { severity, line, column, message, help, name } = diagnostic;
        let severity = match severity {
            compiler::Severity::Error => Severity::Error,
            compiler::Severity::Warning => Severity::Warning,
        };
        Self { severity, line, column, message, help, name: name.map(str::to_owned) }
    }
}

impl From<compiler::Compiled> for Compiled {
    fn from(compiled: compiler::Compiled) -> Self {
        let compiler::Compiled { bundle, warnings } = compiled;
        Self { bundle, warnings: diagnostics(warnings) }
    }
}

impl From<compiler::import::Imported> for Imported {
    fn from(imported: compiler::import::Imported) -> Self {
        let compiler::import::Imported { document, notes } = imported;
        Self { document, notes: diagnostics(notes) }
    }
}

impl From<compiler::Explained> for Explanation {
    fn from(explained: compiler::Explained) -> Self {
        Self { json: explained.json(), text: explained.to_string() }
    }
}

impl From<policy_test::Report> for Report {
    fn from(report: policy_test::Report) -> Self {
        let policy_test::Report { results, coverage, warnings } = report;
        Self {
            results: results.into_iter().map(TestResult::from).collect(),
            coverage: coverage.into_iter().map(Covered::from).collect(),
            warnings: diagnostics(warnings),
        }
    }
}

impl From<policy_test::TestResult> for TestResult {
    fn from(result: policy_test::TestResult) -> Self {
        let policy_test::TestResult { name, line, column, failure } = result;
        Self { name, line, column, failure: failure.map(Failure::from) }
    }
}

impl From<policy_test::Failure> for Failure {
    fn from(failure: policy_test::Failure) -> Self {
        let policy_test::Failure { differences, explained } = failure;
        let differences = differences.into_iter().map(|difference| {
            let policy_test::Difference { key, expected, found } = difference;
            Difference { key: key.to_owned(), expected, found }
        });
        Self { differences: differences.collect(), explanation: explained.into() }
    }
}

impl From<policy_test::Covered> for Covered {
    fn from(covered: policy_test::Covered) -> Self {
        let policy_test::Covered { rule, effect, line, tests } = covered;
        Self { rule, effect: effect.to_owned(), line, tests: u32::try_from(tests).unwrap_or(u32::MAX) }
    }
}
