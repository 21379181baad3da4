//! What needs no directory.

use super::*;
use crate::passwords::{Rules, Weakness, weaknesses};
use crate::totp::Seed;
use crate::{Network, Secret, bearer, csrf, is_same};

#[test]
fn a_bearer_token_is_one_header_of_one_form() {
    let parse = |values: &[&'static str]| bearer::parse(values.iter().map(|value| value.as_bytes()));
    assert_eq!(parse(&[]), Ok(None));
    for header in ["Bearer a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g==", "BEARER a.b-c_d~e+f/g=="] {
        assert_eq!(parse(&[header]), Ok(Some("a.b-c_d~e+f/g==")), "{header}");
    }
    for headers in [
        &["Bearer a", "Bearer a"][..],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer  a"],
        &["Bearer\ta"],
        &["Bearer a\t"],
        &["Bearer a b"],
        &[" Bearer a"],
        &["Bearer ="],
        &["Bearer a=b"],
        &["Bearer \u{e4}"],
        &["Basic a"],
        &["token"],
    ] {
        assert!(parse(headers).is_err(), "{headers:?}");
    }
    assert!(bearer::parse([&b"Bearer \xff"[..]]).is_err());
}

#[test]
fn an_address_has_one_network_however_it_is_written() {
    let network = |text: &str| Network::around(ip(text), 16, 96);
    assert_eq!(network("10.1.2.3"), network("10.1.9.9"));
    assert_ne!(network("10.1.2.3"), network("10.2.2.3"));
    assert_eq!(network("::ffff:10.1.0.1"), network("10.1.2.3"), "IPv4 inside IPv6 is IPv4");
    assert_eq!(network("2001:db8::1:2:3"), network("2001:db8::1:9:9"));
    assert_ne!(network("2001:db8::1:2:3"), network("2001:db8::2:2:3"));
    assert_ne!(network("::10.1.2.3"), network("10.1.2.3"), "another address that looks alike");
    assert_ne!(Network::around(ip("0.0.0.0"), 0, 0), Network::around(ip("::"), 0, 0));
    assert_eq!(Network::around(ip("1.2.3.4"), 0, 0), Network::around(ip("5.6.7.8"), 0, 0));
}

#[test]
fn a_csrf_token_belongs_to_one_cookie() {
    let random = Counted::default();
    let [one, other] = [0, 1].map(|_| Secret::generate(&random).unwrap());
    let token = csrf::token(&one);
    assert!(csrf::is_token(&one, &token));
    for wrong in [csrf::token(&other), String::new(), token[..63].to_owned(), token.to_uppercase(), one.reveal()] {
        assert!(!csrf::is_token(&one, &wrong), "{wrong}");
    }
    let needed: Vec<_> =
        ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get"].map(csrf::is_needed).to_vec();
    assert_eq!(needed, [false, false, false, true, true, true, true, true, true]);
}

#[test]
fn a_secret_has_one_text() {
    let secret = Secret::generate(&Counted::default()).unwrap();
    let text = secret.reveal();
    assert_eq!(Secret::parse(&text).unwrap().hash(), secret.hash());
    for wrong in ["", &text[1..], &format!("{text}="), &format!("{text}A"), &format!(" {text}")] {
        assert!(Secret::parse(wrong).is_none(), "{wrong}");
    }
    assert!(is_same(b"ab", b"ab") && !is_same(b"ab", b"aB") && !is_same(b"ab", b"abc"));
}

#[test]
fn weak_passwords_are_named_for_all_that_is_wrong_with_them() {
    let own = |password: &str| (!password.bytes().any(|byte| byte.is_ascii_digit())).then_some("password.requirements");
    let rules = Rules { min_chars: 8, max_chars: 80, min_score: 3, own: &own };
    let found = |password: &str| weaknesses(password, &["bob@example.org", "portcullis"], &rules);
    assert_eq!(found("Tecohvi0xQ4rw"), []);
    assert!(matches!(found("Password1").as_slice(), [Weakness::Guessable { .. }]));
    assert!(matches!(found("bob@example.org1").as_slice(), [Weakness::Guessable { .. }]));
    assert!(matches!(
        found("qwe").as_slice(),
        [Weakness::TooShort, Weakness::Guessable { .. }, Weakness::Own("password.requirements")]
    ));
    assert_eq!(found(&"x1Y".repeat(1_000)), [Weakness::TooLong], "nothing is guessed about a text that long");
    assert!(found("\u{1f600}x9\u{e4}kQ\u{df}zu\u{44f}").is_empty(), "characters count, not bytes");
}

/// RFC 6238 appendix B, the last six digits of its eight.
#[test]
fn codes_are_those_of_the_standard() {
    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
            bytes.copy_from_slice(b"12345678901234567890");
            Ok(())
        }
    }
    let seed = Seed::generate(&Fixed).unwrap();
    assert_eq!(seed.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
        assert_eq!(seed.step(code, UnixSeconds(at)), Some(at / 30), "{at}");
        assert_eq!(seed.code(UnixSeconds(at)).as_deref(), Some(code));
        assert_eq!(seed.step(code, UnixSeconds(at + 30)), Some(at / 30), "one step late");
        assert_eq!(seed.step(code, UnixSeconds(at + 61)), None);
    }
    for wrong in ["", "28708", "2870820", "287 082", " 287082", "28708\u{662}", "abcdef"] {
        assert_eq!(seed.step(wrong, UnixSeconds(59)), None, "{wrong}");
    }
    let uri =
        "otpauth://totp/Port%20cullis:bob%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Port%20cullis";
    assert_eq!(seed.uri("Port cullis", "bob@example.org"), uri);
}
