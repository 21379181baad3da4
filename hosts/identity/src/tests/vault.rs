//! Sealing, and sealing anew.

use portcullis_directory::{HolderKind, Phone, PhoneDraft, Profile, ProfileDraft};

use super::*;
use crate::reseal::{Reseal, place};
use crate::token::{Algorithm, Keyring};
use crate::totp::{self, Seed};
use crate::vault::VaultError;
use crate::{SystemRandom, api_keys};

#[test]
fn what_is_sealed_opens_only_at_its_place_and_undamaged() {
    let (vault, random) = (Vault::parse(KEYS).unwrap(), Counted::default());
    let sealed = vault.seal("totp/bob", b"seed", &random).unwrap();
    assert_ne!(sealed, vault.seal("totp/bob", b"seed", &random).unwrap(), "never the same bytes");
    assert_eq!(vault.open("totp/bob", &sealed).unwrap().as_slice(), b"seed");
    assert_eq!(vault.open("totp/eve", &sealed).unwrap_err(), VaultError::Damaged);
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(vault.open("totp/bob", &damaged).is_err(), "byte {at}");
        assert!(vault.open("totp/bob", &sealed[..at]).is_err(), "{at} bytes");
    }
    assert_eq!(vault.open("", b"").unwrap_err(), VaultError::Damaged);
}

#[test]
fn several_keys_open_and_the_first_one_seals() {
    let random = Counted::default();
    let (old, new) = (Vault::parse(KEYS).unwrap(), Vault::parse(NEW_KEYS).unwrap());
    let sealed = old.seal("p", b"text", &random).unwrap();
    assert_eq!(new.open("p", &sealed).unwrap().as_slice(), b"text");
    let resealed = new.reseal("p", &sealed, &random).unwrap().unwrap();
    assert_eq!(new.reseal("p", &resealed, &random).unwrap(), None);
    assert_eq!(old.open("p", &resealed).unwrap_err(), VaultError::UnknownKey { id: "k2".to_owned() });
    assert_eq!(old.index("phone", "1").unwrap(), new.index("phone", "1").unwrap(), "found after the change, too");
    assert_ne!(old.index("phone", "1").unwrap(), old.index("phon", "e1").unwrap());
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let refused = |text: &str| Vault::parse(text).unwrap_err();
    assert_eq!(refused(""), VaultError::NoKey);
    assert_eq!(refused(&format!("index:{key}")), VaultError::NoKey);
    assert_eq!(refused(&format!("a:{key}")), VaultError::NoIndex);
    assert_eq!(refused(&format!("a:{key} a:{key} index:{key}")), VaultError::SameKey { id: "a".to_owned() });
    for bad in [format!("A:{key}"), format!(":{key}"), "a:".to_owned(), "a:AQE=".to_owned(), key.to_owned()] {
        let error = refused(&bad);
        assert!(matches!(error, VaultError::BadKey { .. }), "{bad}");
        assert!(!error.to_string().contains("AQEB"), "{error}");
    }
    assert!(!format!("{:?}", Vault::parse(KEYS).unwrap()).contains("AQEB"));
    Vault::parse(&Vault::generate(&SystemRandom).unwrap()).unwrap();
}

#[tokio::test]
async fn everything_is_sealed_anew_after_a_change_of_keys() {
    let world = World::new().await;
    let (vault, random) = (&world.vault, &world.random);
    let change = world.directory.change(&root(), NOW).await.unwrap();
    totp::store(&change, &bob(), &Seed::generate(random).unwrap(), vault, random).await.unwrap();
    for _ in 0..60 {
        api_keys::create(&change, (HolderKind::User, &bob()), "[]", vault, random).await.unwrap();
    }
    let number = vault.seal(&place("phone", "bob", "number"), b"+380", random).unwrap();
    let phone = PhoneDraft { number, number_index: vec![1], ..PhoneDraft::default() };
    let phone = change.add::<Phone>(&bob(), phone).await.unwrap();
    let name = vault.seal(&place("profile", "bob", "first_name"), b"Bob", random).unwrap();
    change.add::<Profile>(&bob(), ProfileDraft { first_name: Some(name), ..Default::default() }).await.unwrap();
    change.commit().await.unwrap();
    Keyring::load_or_create(&world.directory, vault, Algorithm::EdDsa, (NOW, &root()), random).await.unwrap();
    let new = Vault::parse(NEW_KEYS).unwrap();
    let (directory, by) = (&world.directory, root());
    let reseal = Reseal { directory, vault: &new, random, by: &by, at: after(60) };
    assert_eq!(reseal.all().await.unwrap(), 1 + 60 + 1 + 1 + 1);
    assert_eq!(reseal.all().await.unwrap(), 0, "all is done");
    let after = directory.get::<Phone>(phone.id).await.unwrap().unwrap();
    assert_eq!(new.open(&place("phone", "bob", "number"), &after.number).unwrap().as_slice(), b"+380");
    assert_eq!(after.updated_at, phone.updated_at);
    let only_new = Vault::parse(&NEW_KEYS.replace("k1:", "k0:")).unwrap();
    Keyring::load(directory, &only_new, NOW).await.unwrap();
}
