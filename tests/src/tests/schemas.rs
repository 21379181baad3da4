//! Validation: the official suite, our cases, the differential with another validator, limits.
//!
//! With the hosts, whatever the linked core is asked here the component is asked too, and must say the same.

mod bodies;
#[cfg(feature = "hosts")]
mod browser;
mod cases;
mod differential;
#[cfg(feature = "hosts")]
pub(super) mod js;
#[cfg(feature = "hosts")]
mod node;
mod suite;

use portcullis_compiler::{Diagnostic, Options, compile};
use portcullis_runtime::{NativePolicy, Report, ValidateError, ValidateOptions};

/// The policy with one schema, `s`, in every engine.
struct Engines {
    native: NativePolicy,
    #[cfg(feature = "hosts")]
    component: portcullis_runtime::PolicySlot,
}

impl Engines {
    fn open(schema: &str) -> Result<Self, Vec<Diagnostic>> {
        let bundle = bundle(schema)?;
        Ok(Self {
            #[cfg(feature = "hosts")]
            component: component(bundle.clone()),
            native: NativePolicy::open(bundle).expect("a compiled bundle opens"),
        })
    }

    fn report(&self, document: &[u8]) -> Report {
        self.validate(document, &ValidateOptions { normalized: true, ..ValidateOptions::default() })
    }

    fn validate(&self, document: &[u8], options: &ValidateOptions<'_>) -> Report {
        let report = self.native.validate("s", document, options).expect("a report");
        #[cfg(feature = "hosts")]
        assert_eq!(self.component.validate("s", document, options).as_ref(), Ok(&report), "(component, native)");
        report
    }
}

fn bundle(schema: &str) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let document = format!("{{\"version\": 1, \"schemas\": {{\"s\": {schema}}}}}");
    Ok(compile(&document, &Options::default())?.bundle)
}

#[cfg(feature = "hosts")]
fn component(bundle: Vec<u8>) -> portcullis_runtime::PolicySlot {
    use std::sync::LazyLock;

    use portcullis_runtime::{Limits, PolicySlot, Runtime};

    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::new(Limits { instances: 1, ..Limits::default() }).expect("the component compiles"));
    let slot = PolicySlot::new(&RUNTIME);
    slot.install(slot.prepare(bundle).expect("a compiled bundle opens"));
    slot
}

#[test]
fn a_schema_that_is_not_there_is_no_report() {
    let engines = Engines::open("true").unwrap();
    let options = ValidateOptions::default();
    assert_eq!(engines.native.validate("t", b"1", &options), Err(ValidateError::UnknownSchema));
    #[cfg(feature = "hosts")]
    assert_eq!(engines.component.validate("t", b"1", &options), Err(ValidateError::UnknownSchema));
}

#[test]
fn a_document_past_a_limit_of_the_host_is_over_limit() {
    let engines = Engines::open("true").unwrap();
    let options = ValidateOptions { max_bytes: 4, ..ValidateOptions::default() };
    assert_eq!(engines.validate(b"[11]", &options).violations, []);
    let report = engines.validate(b"[111]", &options);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "over_limit");
    assert_eq!(json["violations"][0]["code"], "too_large");
    assert_eq!(json["violations"][0]["params"], serde_json::json!({"offset": 0}));
}
