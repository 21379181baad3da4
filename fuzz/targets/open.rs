//! Any bytes, and the same under a header that fits: a policy or a named refusal, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_bundle::{Admission, OpenError, Policy, TenantId};
use portcullis_fuzz::renewed;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = Policy::open(bytes.to_vec()) {
        assert_eq!(policy.bytes(), bytes);
        read(&policy);
    }
    let Some(renewed) = renewed(bytes) else { return };
    match Policy::open(renewed) {
        Ok(policy) => read(&policy),
        Err(error) => assert!(matches!(error, OpenError::Malformed { .. }), "a renewed header is refused: {error}"),
    }
});

/// What a host asks of a policy before it decides.
fn read(policy: &Policy) {
    let tenant: TenantId = "fuzz".parse().expect("a name");
    let admission = Admission { tenant: &tenant, revision: 1, now: 1 };
    if let Err(error) = policy.admit(&admission) {
        assert!(
            matches!(
                error,
                OpenError::Tenant { .. }
                    | OpenError::Older { .. }
                    | OpenError::Expired { .. }
                    | OpenError::Malformed { section: "header" }
            ),
            "not admitted: {error}"
        );
    }
    std::hint::black_box((policy.summary(), policy.levels().count(), policy.signer()));
}
