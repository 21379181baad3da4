//! `portcullis inspect`.

use std::fs;

use serde_json::{Value, json};

use crate::desk::{Desk, POLICY};

/// Base64 of 32 zero bytes.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

#[test]
fn inspect_describes_a_signed_bundle() {
    let desk = Desk::new();
    desk.write("shop.yaml", POLICY);
    desk.write("seed.key", KEY);
    desk.run(&["compile", "shop.yaml", "-o", "shop.bundle", "--sign", "seed.key"], "").expect(0);
    let shown: Value = serde_json::from_str(&desk.run(&["inspect", "shop.bundle"], "").expect(0).out).unwrap();
    assert_eq!((&shown["tenant"], &shown["revision"], &shown["expires"]), (&json!("default"), &json!(1), &Value::Null));
    assert_eq!((&shown["signed"], &shown["counts"]["rules"]), (&json!(true), &json!(1)));
    // First 8 bytes of the SHA-256 of the public key of RFC 8032's algorithm for 32 zero bytes.
    assert_eq!(shown["key_id"], "139e3940e64b5491");
    assert_eq!(shown["digest"].as_str().unwrap().len(), 64);
    assert_eq!(shown["size_bytes"], fs::metadata(desk.path("shop.bundle")).unwrap().len());
}
