//! Limits of a bundle and of what its header says.

use portcullis_bundle::layout::Header;
use portcullis_bundle::{Contents, Meta, OpenError, Policy, Reason, TenantId, limits};
use portcullis_compiler::{Options, compile};

#[test]
fn bytes_of_a_name_of_a_tenant() {
    let name = |bytes: usize| "a".repeat(bytes);
    let tenant = TenantId::parse(&name(limits::TENANT_BYTES)).unwrap();
    let options = Options { tenant, ..Options::default() };
    let policy = Policy::open(compile("version: 1\n", &options).unwrap().bundle).unwrap();
    assert_eq!(policy.tenant(), name(limits::TENANT_BYTES));
    assert!(TenantId::parse(&name(limits::TENANT_BYTES + 1)).is_err());
}

/// So many bytes, of which nearly all are zeros that no one asked the system for.
fn sealed(bytes: usize) -> Option<usize> {
    let contents = Contents { blobs: vec![0; bytes - size_of::<Header>()], ..Contents::default() };
    let statuses = [403; Reason::COUNT];
    let meta = Meta {
        tenant: "default",
        revision: 1,
        created: 0,
        expires: None,
        flags: 0,
        facts: 0,
        principals: 0,
        roots: [0; 2],
        statuses,
    };
    contents.seal(&meta, None).map(|bundle| bundle.len())
}

#[test]
fn bytes_of_a_bundle_that_is_sealed() {
    assert_eq!(sealed(limits::BUNDLE_BYTES), Some(limits::BUNDLE_BYTES));
    assert_eq!(sealed(limits::BUNDLE_BYTES + 1), None);
}

#[test]
fn bytes_of_a_bundle_that_is_opened() {
    let open = |bytes: usize| Policy::open(vec![0; bytes]).map(drop);
    assert_eq!(open(limits::BUNDLE_BYTES), Err(OpenError::NotABundle));
    let bytes = limits::BUNDLE_BYTES + 1;
    assert_eq!(open(bytes), Err(OpenError::TooLarge { bytes }));
}
