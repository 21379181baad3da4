//! A bundle that is not exactly what its compiler wrote never opens, and nothing that opens makes the core panic.

use portcullis_bundle::layout::Header;
use portcullis_bundle::{OpenError, Policy, PublicKey, SigningKey};
use portcullis_compiler::{Options, compile};
use portcullis_core::wire::{decide_encoded, encode_request};
use portcullis_core::{Credential, Names, Request, Scratch, Subject, Target, decide, explain};
use portcullis_core::{ValidateOptions, ValidateScratch, body_check, validate};
use portcullis_runtime::{Decision, EncodedDecision};
use sha2::{Digest, Sha256};

const DOCUMENT: &str = "
version: 1
roles: {clerk: {permissions: [order.read]}, admin: {inherits: [clerk]}}
rules:
  - {id: r1, effect: allow, who: {permissions: [order.read]}, target: {hosts: ['*.example.com'], path: {template: '/o/{id}/x'}}}
  - {id: r2, effect: deny, who: {subjects: [u1]}, target: {methods: [GET], path: {prefix: /o/1}}}
  - {effect: audit, who: {authenticated: true}, target: {path: {under: /o}}, topic: orders}
  - {id: r4, effect: allow, who: {anyone: true}, target: {path: {regex: '^/o/[0-9]+$'}}, when: subject.level > 1}
  - {effect: audit, who: {anyone: true}, target: {path: {regex: '^/o/1'}}, topic: firsts}
public: [{path: {exact: /p}}]
restrictions:
  - {category: blacklist, scope: ip, value: 10.0.0.1}
  - {category: blacklist, scope: ip_subnet, value: 10.1.0.0/16}
";

fn bundle(seed: Option<u8>) -> Vec<u8> {
    let sign = seed.map(|seed| SigningKey::from_seed(&[seed; 32]));
    compile(DOCUMENT, &Options { revision: 3, sign, ..Options::default() }).unwrap().bundle
}

#[test]
fn every_flipped_bit_is_refused() {
    let key = SigningKey::from_seed(&[1; 32]).public_key();
    for (bundle, signed) in [(bundle(None), false), (bundle(Some(1)), true)] {
        let open = |bytes| if signed { Policy::open_signed(bytes, &[key]) } else { Policy::open(bytes) };
        assert_eq!(open(bundle.clone()).unwrap().revision(), 3);
        for at in 0..bundle.len() {
            for bit in 0..8 {
                let mut altered = bundle.clone();
                altered[at] ^= 1 << bit;
                assert!(open(altered).is_err(), "bit {bit} of byte {at} flipped, signed: {signed}");
            }
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let bundle = bundle(None);
    for length in 0..bundle.len() {
        let error = Policy::open(bundle[..length].to_vec()).unwrap_err();
        assert!(matches!(error, OpenError::NotABundle | OpenError::Length { .. }), "{length} bytes: {error}");
    }
    let mut longer = bundle;
    longer.push(0);
    assert!(matches!(Policy::open(longer).unwrap_err(), OpenError::Length { .. }));
}

#[test]
fn only_a_known_key_signs() {
    let [ours, other] = [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).public_key());
    assert_eq!(Policy::open_signed(bundle(None), &[ours]).unwrap_err(), OpenError::Unsigned);
    assert_eq!(Policy::open_signed(bundle(Some(2)), &[ours]).unwrap_err(), OpenError::UnknownKey { key: other.id() });
    assert_eq!(Policy::open_signed(bundle(Some(2)), &[]).unwrap_err(), OpenError::UnknownKey { key: other.id() });
    assert!(Policy::open_signed(bundle(Some(2)), &[ours, other]).is_ok());

    // The other's id in the header, with a digest that fits: only the signature tells.
    let mut forged = bundle(Some(1));
    let at = std::mem::offset_of!(Header, key_id);
    forged[at..at + 8].copy_from_slice(&other.id().0);
    renew_digest(&mut forged);
    assert_eq!(Policy::open_signed(forged, &[ours, other]).unwrap_err(), OpenError::Signature);
}

#[test]
fn keys_read_as_they_are_written() {
    const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let key = SigningKey::from_seed(&[1; 32]).public_key();
    assert_eq!(SigningKey::parse(&format!("{SEED}\n")).unwrap().public_key(), key);
    assert_eq!(PublicKey::parse(&key.to_string()), Some(key));
    assert_eq!(key.id().to_string(), "34750f98bd59fcfc");
    for text in ["", "AQEB", &SEED[1..], &format!("{SEED}AQEB"), "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ"] {
        assert!(SigningKey::parse(text).is_none() && PublicKey::parse(text).is_none(), "{text:?}");
    }
}

/// A digest says that bytes are unaltered, not that they make sense: alter them and renew it.
#[test]
fn an_altered_bundle_with_a_fitting_digest_is_refused_or_decides_the_same_in_each_way() {
    let bundle = bundle(None);
    let (mut refused, mut decided) = (0, 0);
    let mut count = |mut altered: Vec<u8>| {
        renew_digest(&mut altered);
        match Policy::open(altered) {
            Err(_) => refused += 1,
            Ok(policy) => {
                decided += 1;
                ask_all(&policy);
            }
        }
    };
    for at in 0..bundle.len() {
        for mask in [0x01, 0x80, 0xFF, 0x7F] {
            let mut altered = bundle.clone();
            altered[at] ^= mask;
            count(altered);
        }
    }
    // Found by the fuzz target `decide`: a number that says there is none, an entry without a rule.
    for at in (0..bundle.len()).step_by(4) {
        let mut altered = bundle.clone();
        altered.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xFF);
        count(altered);
    }
    assert!(refused > 1_000 && decided > 100, "{refused} refused, {decided} decided");
}

/// The same for schemas: a report from each, whatever was altered.
#[test]
fn an_altered_schema_with_a_fitting_digest_is_refused_or_reports() {
    let text = include_str!("../../golden/bundle-v1/policy.yaml");
    let schemas = &text[text.find("schemas:").unwrap()..];
    let bundle = compile(&format!("version: 1\n{schemas}"), &Options::default()).unwrap().bundle;
    let documents = include_str!("../../golden/bundle-v1/documents.txt");
    let documents: Vec<&str> = documents.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    let (mut refused, mut scratch) = (0, ValidateScratch::default());
    for at in size_of::<Header>()..bundle.len() {
        // Found by the fuzz target `validate`: with 3 an automaton begins at the start of a text only.
        for mask in [0x01, 0x03, 0x80, 0xFF] {
            let mut altered = bundle.clone();
            altered[at] ^= mask;
            renew_digest(&mut altered);
            let Ok(policy) = Policy::open(altered) else {
                refused += 1;
                continue;
            };
            for schema in 0..policy.records().schemas.len() as u32 {
                for document in &documents {
                    let options = ValidateOptions { normalized: true, ..ValidateOptions::default() };
                    let report = validate(&policy, schema, document.as_bytes(), &options, &mut scratch);
                    assert!(report.is_some(), "byte {at} with {mask:#x}: {document}");
                }
            }
            std::hint::black_box(body_check(&policy, "POST", Some("a"), "/orders/1", Some("application/json")));
        }
    }
    assert!(refused > 1_000, "{refused} refused");
}

fn renew_digest(bundle: &mut [u8]) {
    let at = std::mem::offset_of!(Header, digest);
    let digest = Sha256::new().chain_update(&bundle[..at]).chain_update(&bundle[size_of::<Header>()..]).finalize();
    bundle[at..at + 32].copy_from_slice(&digest);
}

fn ask_all(policy: &Policy) {
    let mut scratch = Scratch::default();
    for path in ["/o/1/x", "/o/2/x", "/o/12", "/p", "/", "/o/a/b/c/"] {
        for source_ip in [None, Some([10, 0, 0, 1].into()), Some([10, 1, 2, 3].into())] {
            let subject = Subject {
                id: "u1",
                kind: None,
                state: "active",
                roles: Names::Borrowed(&["admin"]),
                permission_groups: Names::NONE,
                level: None,
                otp: false,
                issued_at: None,
                properties: None,
            };
            let request = Request {
                action: "GET",
                target: Target::Http { host: Some("api.example.com"), path },
                source_ip,
                country: None,
                continent: None,
                subject: Some(subject),
                credential: Credential::Token,
                context: None,
                now: None,
            };
            let decision = Decision::from(decide(policy, &request, &mut scratch));
            assert!(decision.rules.len() <= 4 && decision.obligations.len() <= 4, "{decision:?}");
            assert_eq!(decision, explain(policy, &request, &mut scratch).decision.into());
            let (mut encoded, mut answer) = (Vec::new(), Vec::new());
            assert!(encode_request(&request, &mut encoded));
            decide_encoded(policy, &encoded, &mut scratch, &mut answer);
            assert_eq!(decision, Decision::from_encoded(&EncodedDecision::read(&answer).unwrap()));
        }
    }
}

/// The same for the tables of patterns, which lie among the automata and are read by ours.
#[test]
fn an_altered_table_of_a_pattern_is_refused_or_reports() {
    let text = "{version: 1, schemas: {s: {pattern: '^[A-Z]{3}-[0-9]+$', minimum: 7}}}";
    let bundle = compile(text, &Options::default()).unwrap().bundle;
    let policy = Policy::open(bundle.clone()).unwrap();
    assert!(policy.records().automata.is_empty(), "the pattern is a table");
    let table = policy.records().blobs.as_ptr() as usize - policy.bytes().as_ptr() as usize;
    let (mut refused, mut scratch) = (0, ValidateScratch::default());
    for at in table..table + policy.records().blobs.len() {
        for mask in [0x01, 0x02, 0x80, 0xFF] {
            let mut altered = bundle.clone();
            altered[at] ^= mask;
            renew_digest(&mut altered);
            let Ok(policy) = Policy::open(altered) else {
                refused += 1;
                continue;
            };
            for document in ["\"ABC-12\"", "\"\"", "\"\u{e9}\"", "8"] {
                let report = validate(&policy, 0, document.as_bytes(), &ValidateOptions::default(), &mut scratch);
                assert!(report.is_some(), "byte {at} with {mask:#x}: {document}");
            }
        }
    }
    assert!(refused > 256, "{refused} refused");
}
