//! Keys, sessions, and what works once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

async fn begin(directory: &Directory) -> Change {
    directory.change(&id("root"), NOW).await.unwrap()
}

fn key(kid: &str) -> NewApiKey {
    NewApiKey { kid: kid.to_owned(), algorithm: "HS256".to_owned(), secret: vec![1, 2], scope: "[]".to_owned() }
}

fn service(owner: Option<&str>, address: &str) -> ServiceAccountDraft {
    ServiceAccountDraft {
        owner: owner.map(id),
        email: Email::parse(address).unwrap(),
        role: RoleName::parse("service_account").unwrap(),
        level: 0,
        state: UserState::active(),
    }
}

pub(super) async fn with_bob(place: &Place) -> Directory {
    let directory = place.open().await;
    directory.create_user(&new_user("bob", &["a"]), &id("root"), NOW).await.unwrap();
    directory
}

pub(super) async fn keys_stop_with_their_holder_and_do_not_come_back(place: Place) {
    let directory = with_bob(&place).await;
    let (bob, robot) = (id("bob"), id("SI1"));
    let write = begin(&directory).await;
    write.create_service_account(&robot, &service(Some("bob"), "robot@example.org")).await.unwrap();
    write.create_api_key(HolderKind::User, &bob, key("k1")).await.unwrap();
    write.create_api_key(HolderKind::ServiceAccount, &robot, key("k2")).await.unwrap();
    let same = write.create_api_key(HolderKind::User, &bob, key("k1")).await;
    assert!(matches!(same, Err(ChangeError::Taken { what: "kid" })));
    let nobody = write.create_api_key(HolderKind::User, &robot, key("k3")).await;
    assert!(matches!(nobody, Err(ChangeError::NotFound { what: "holder" })));
    write.commit().await.unwrap();
    let states = async || {
        let mut states = Vec::new();
        for kid in ["k1", "k2"] {
            states.push(directory.api_key(kid).await.unwrap().unwrap().0.state);
        }
        states
    };
    let set = async |state: &str, otp: Option<bool>| {
        let state = Some(UserState::parse(state).unwrap());
        let write = begin(&directory).await;
        write.update_user(&bob, &AccountChange { state, otp, ..AccountChange::default() }).await.unwrap();
        write.commit().await.unwrap();
    };
    set("active", Some(true)).await;
    assert_eq!(states().await, ["active", "active"]);
    set("active", Some(false)).await;
    assert_eq!(states().await, ["inactive", "inactive"], "the second factor is off");
    let write = begin(&directory).await;
    for kid in ["k1", "k2"] {
        write.update_api_key(kid, ACTIVE_KEY, "[]").await.unwrap();
    }
    write.commit().await.unwrap();
    set("banned", None).await;
    assert_eq!(states().await, ["inactive", "inactive"]);
    assert_eq!(directory.service_account(&robot).await.unwrap().unwrap().state, "banned");
    let write = begin(&directory).await;
    assert!(matches!(write.update_api_key("k1", ACTIVE_KEY, "[]").await, Err(ChangeError::HolderInactive)));
    let late = write.create_api_key(HolderKind::ServiceAccount, &robot, key("k4")).await;
    assert!(matches!(late, Err(ChangeError::HolderInactive)));
    drop(write);
    set("active", None).await;
    assert_eq!(states().await, ["inactive", "inactive"]);
    assert_eq!(directory.service_account(&robot).await.unwrap().unwrap().state, "banned");
    directory.delete_user(&bob, &id("root"), LATER).await.unwrap();
    assert!(directory.api_key("k2").await.unwrap().is_none());
    assert_eq!(directory.count(&Find::<ApiKey>::all()).await.unwrap(), 0);
}

pub(super) async fn users_and_service_accounts_share_ids_and_addresses(place: Place) {
    let directory = with_bob(&place).await;
    let write = begin(&directory).await;
    write.create_service_account(&id("SI1"), &service(None, "robot@example.org")).await.unwrap();
    for (uid, address, taken) in
        [("bob", "x@example.org", "uid"), ("SI1", "x@example.org", "uid"), ("SI2", "ROBOT@example.org", "email")]
    {
        let again = write.create_service_account(&id(uid), &service(None, address)).await;
        assert!(matches!(again, Err(ChangeError::Taken { what }) if what == taken), "{uid} {address}");
    }
    let robot = Details { email: Some(Email::parse("robot@EXAMPLE.org").unwrap()), ..Details::default() };
    let user = write.create_account(&new_user("eve", &[]), &robot).await;
    assert!(matches!(user, Err(ChangeError::Taken { what: "email" })));
    let user = write.create_account(&new_user("SI1", &[]), &Details::default()).await;
    assert!(matches!(user, Err(ChangeError::Taken { what: "user" })));
    write.replace_service_account(&id("SI1"), &service(Some("bob"), "robot@example.org")).await.unwrap();
    write.delete_service_account(&id("SI1")).await.unwrap();
    assert!(matches!(write.delete_service_account(&id("SI1")).await, Err(ChangeError::NotFound { .. })));
}

/// `bob` as it is now, without a word about its password.
async fn proven(directory: &Directory) -> Proven {
    Proven { user: directory.user(&id("bob")).await.unwrap().unwrap(), password: None }
}

pub(super) async fn log_in(directory: &Directory, session: Session) {
    let proven = proven(directory).await;
    let write = begin(directory).await;
    assert!(write.add_session(&session, &proven).await.unwrap());
    write.commit().await.unwrap();
}

async fn take(directory: &Directory, byte: u8, purpose: &str, at: UnixSeconds) -> Option<OneTimeToken> {
    let write = directory.change(&id("root"), at).await.unwrap();
    let taken = write.take_one_time_token(hash(byte), purpose).await.unwrap();
    write.commit().await.unwrap();
    taken
}

pub(super) fn session(byte: u8) -> Session {
    Session {
        hash: hash(byte),
        user: id("bob"),
        user_ip: "10.0.0.1".to_owned(),
        user_agent: None,
        created_at: NOW,
        seen_at: NOW,
    }
}

pub(super) async fn sessions_end_one_by_one_for_a_user_and_with_a_ban(place: Place) {
    let directory = with_bob(&place).await;
    for byte in 1..=4 {
        log_in(&directory, session(byte)).await;
    }
    assert_eq!(directory.session(hash(1)).await.unwrap(), Some(session(1)));
    directory.touch_session(hash(1), LATER).await.unwrap();
    directory.touch_session(hash(1), NOW).await.unwrap();
    assert_eq!(directory.session(hash(1)).await.unwrap().unwrap().seen_at, LATER, "time does not go back");
    assert!(directory.end_session(hash(4)).await.unwrap());
    assert!(!directory.end_session(hash(4)).await.unwrap());
    assert_eq!(directory.drop_sessions(UnixSeconds(0), NOW).await.unwrap(), 2);
    log_in(&directory, session(2)).await;
    let write = begin(&directory).await;
    assert_eq!(write.end_sessions(&id("bob"), Some(hash(1))).await.unwrap(), 1);
    write.commit().await.unwrap();
    assert_eq!(directory.sessions(&id("bob"), 0, page(9)).await.unwrap().len(), 1);
    let ban = UserChange { state: Some(UserState::parse("banned").unwrap()), roles: None };
    directory.update_user(&id("bob"), &ban, &id("root"), NOW).await.unwrap();
    assert_eq!(directory.session(hash(1)).await.unwrap(), None);
}

pub(super) async fn a_session_begins_by_what_is_still_true(place: Place) {
    let directory = with_bob(&place).await;
    let write = begin(&directory).await;
    write.set_password(&id("bob"), Some("one".to_owned()), None).await.unwrap();
    write.commit().await.unwrap();
    let proven = Proven { password: Some("one".to_owned()), ..proven(&directory).await };
    let begins = async |proven: &Proven| {
        let write = begin(&directory).await;
        write.add_session(&session(1), proven).await.unwrap()
    };
    assert!(begins(&proven).await);
    assert!(!begins(&Proven { password: Some("two".to_owned()), ..proven.clone() }).await);
    let banned = Some(UserState::parse("banned").unwrap());
    for change in [
        AccountChange { state: banned, ..AccountChange::default() },
        AccountChange { state: Some(UserState::active()), otp: Some(true), ..AccountChange::default() },
    ] {
        let write = begin(&directory).await;
        write.update_user(&id("bob"), &change).await.unwrap();
        write.commit().await.unwrap();
        assert!(!begins(&proven).await, "{change:?}");
    }
    let write = begin(&directory).await;
    let label = AccountChange { level: Some(1), otp: Some(false), ..AccountChange::default() };
    write.update_user(&id("bob"), &label).await.unwrap();
    write.commit().await.unwrap();
    assert!(begins(&proven).await, "what else is known of the user does not matter");
    directory.delete_user(&id("bob"), &id("root"), NOW).await.unwrap();
    assert!(!begins(&proven).await);
}

pub(super) async fn another_password_ends_what_the_one_before_gave(place: Place) {
    let directory = with_bob(&place).await;
    let set = async |hash: &str, kept| {
        let write = begin(&directory).await;
        write.set_password(&id("bob"), Some(hash.to_owned()), kept).await.unwrap();
        write.commit().await.unwrap();
    };
    set("one", None).await;
    assert_eq!(revoked(&directory, 0).await, [""; 0], "nobody got anything by no password");
    for byte in [1, 2] {
        log_in(&directory, session(byte)).await;
    }
    let reset = |byte: u8, subject: &str| OneTimeToken {
        hash: hash(byte),
        purpose: PASSWORD_RESET.to_owned(),
        subject: subject.to_owned(),
        data: None,
        created_at: NOW,
        expires_at: LATER,
    };
    for token in [reset(3, "bob"), reset(4, "eve")] {
        directory.add_one_time_token(&token).await.unwrap();
    }
    set("two", Some(hash(1))).await;
    assert_eq!(revoked(&directory, 0).await, ["bob 1 1"]);
    let left = directory.sessions(&id("bob"), 0, page(9)).await.unwrap();
    assert_eq!(left.iter().map(|one| one.hash).collect::<Vec<_>>(), [hash(1)]);
    assert_eq!(take(&directory, 3, PASSWORD_RESET, NOW).await, None);
    assert!(take(&directory, 4, PASSWORD_RESET, NOW).await.is_some());
    set("three", None).await;
    assert_eq!(directory.sessions(&id("bob"), 0, page(9)).await.unwrap(), []);
}

pub(super) async fn a_password_is_hashed_anew_while_it_is_the_same(place: Place) {
    let directory = with_bob(&place).await;
    let write = begin(&directory).await;
    write.set_password(&id("bob"), Some("one".to_owned()), None).await.unwrap();
    write.commit().await.unwrap();
    let password = async || directory.credentials(&id("bob")).await.unwrap().password.unwrap();
    assert!(directory.rehash_password(&id("bob"), "one", "dearer".to_owned()).await.unwrap());
    assert_eq!(password().await, "dearer");
    assert!(!directory.rehash_password(&id("bob"), "one", "late".to_owned()).await.unwrap());
    assert_eq!(password().await, "dearer");
}

pub(super) async fn a_document_logs_out_whom_it_keeps_from_logging_in(place: Place) {
    let directory = with_bob(&place).await;
    for (byte, address) in [(1, "10.0.0.1"), (2, "10.0.0.2"), (3, "2001:db8::1")] {
        log_in(&directory, Session { user_ip: address.to_owned(), ..session(byte) }).await;
    }
    let left = async || directory.sessions(&id("bob"), 0, page(9)).await.unwrap().len();
    let store = async |follows, logs_out| {
        let new = NewDocument { logs_out, ..document(follows, "version: 1") };
        directory.append_document(&TenantId::default(), new, &id("root")).await
    };
    let from = |text: &str| Some(LogOut::From(text.parse().unwrap()));
    let one = store(None, from("::ffff:10.0.0.1")).await.unwrap();
    assert_eq!(left().await, 2);
    assert!(store(None, Some(LogOut::Everybody)).await.is_err());
    assert_eq!(left().await, 2, "a document that was not stored ends nothing");
    let two = store(Some(one), from("2001:db8:0::1")).await.unwrap();
    assert_eq!(left().await, 1);
    store(Some(two), Some(LogOut::Everybody)).await.unwrap();
    assert_eq!(left().await, 0);
}

pub(super) async fn a_write_happens_when_its_turn_comes(place: Place) {
    let directory = with_bob(&place).await;
    let clock = Arc::new(AtomicU64::new(NOW.0));
    let before = begin(&directory).await;
    let waiting = tokio::spawn({
        let (directory, clock) = (directory.clone(), Arc::clone(&clock));
        let now = move || UnixSeconds(clock.load(Ordering::Relaxed));
        async move { directory.revoke_subject(&id("bob"), &id("root"), now).await.unwrap() }
    });
    tokio::task::yield_now().await;
    clock.store(LATER.0, Ordering::Relaxed);
    before.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), UnixSeconds(LATER.0 + 1));
}

pub(super) async fn one_time_tokens_work_once_for_their_purpose_and_in_time(place: Place) {
    let directory = place.open().await;
    let token = OneTimeToken {
        hash: hash(1),
        purpose: "reset".to_owned(),
        subject: "bob".to_owned(),
        data: Some("x".to_owned()),
        created_at: NOW,
        expires_at: LATER,
    };
    directory.add_one_time_token(&token).await.unwrap();
    assert_eq!(take(&directory, 1, "confirm", NOW).await, None);
    assert_eq!(take(&directory, 1, "reset", LATER).await, None, "expired");
    let write = begin(&directory).await;
    assert_eq!(write.take_one_time_token(hash(1), "reset").await.unwrap().as_ref(), Some(&token));
    assert_eq!(write.take_one_time_token(hash(1), "reset").await.unwrap(), None);
    drop(write);
    let takes: Vec<_> = (0..8)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { take(&directory, 1, "reset", NOW).await })
        })
        .collect();
    let mut taken = Vec::new();
    for take in takes {
        taken.extend(take.await.unwrap());
    }
    assert_eq!((taken.len(), taken.first()), (1, Some(&token)), "a write that failed did not use it up");
    directory.add_one_time_token(&token).await.unwrap();
    directory.drop_one_time_tokens("reset", "bob").await.unwrap();
    assert_eq!(take(&directory, 1, "reset", NOW).await, None);
    let write = begin(&directory).await;
    write.offer_token(&token).await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(trail(&directory).await, ["root one_time_token.offer one_time_token/reset 0"]);
}

pub(super) async fn a_nonce_is_used_once_and_a_key_has_so_many(place: Place) {
    let directory = place.open().await;
    let nonce = async |key: &str, nonce: &str, now| directory.use_nonce(key, nonce, (now, now + 10), 2).await.unwrap();
    assert_eq!(nonce("k", "1", 100).await, NonceUse::Fresh);
    assert_eq!(nonce("k", "1", 105).await, NonceUse::Used);
    assert_eq!(nonce("K", "1", 105).await, NonceUse::Fresh, "another key");
    assert_eq!(nonce("k", "2", 105).await, NonceUse::Fresh);
    assert_eq!(nonce("k", "3", 105).await, NonceUse::TooMany);
    assert_eq!(nonce("k", "3", 112).await, NonceUse::Fresh, "the first one expired");
    let uses: Vec<_> = (0..8)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.use_nonce("p", "1", (0, 10), 99).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    for one in uses {
        fresh += usize::from(one.await.unwrap() == NonceUse::Fresh);
    }
    assert_eq!(fresh, 1);
}

pub(super) async fn attempts_are_counted_even_at_once_and_forgotten(place: Place) {
    let directory = place.open().await;
    let count = async |at| {
        let (since, at) = (UnixSeconds(NOW.0.saturating_add(at).saturating_sub(60)), UnixSeconds(NOW.0 + at));
        directory.count_attempt(AttemptKey([1; 32]), since, at).await.unwrap()
    };
    assert_eq!([count(0).await, count(1).await, count(60).await], [1, 2, 3]);
    assert_eq!(count(61).await, 1, "what is older than the window does not count");
    directory.forget_attempts(AttemptKey([1; 32])).await.unwrap();
    let counts: Vec<_> = (0..8)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.count_attempt(AttemptKey([1; 32]), NOW, NOW).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for one in counts {
        seen.push(one.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
}

pub(super) async fn a_step_of_a_second_factor_is_used_once(place: Place) {
    let directory = with_bob(&place).await;
    let bob = id("bob");
    assert_eq!(directory.credentials(&bob).await.unwrap(), Credentials::default());
    let write = begin(&directory).await;
    assert!(!write.use_totp_step(&bob, 5).await.unwrap(), "there is no seed");
    write.set_password(&bob, Some("$argon2id$".to_owned()), None).await.unwrap();
    write.set_totp_seed(&bob, Some(vec![1])).await.unwrap();
    assert!(matches!(write.set_totp_seed(&id("eve"), None).await, Err(ChangeError::NotFound { .. })));
    let factor = |otp| AccountChange { otp: Some(otp), ..AccountChange::default() };
    write.update_user(&bob, &factor(true)).await.unwrap();
    assert!(matches!(write.set_totp_seed(&bob, Some(vec![2])).await, Err(ChangeError::FactorOn)), "it was proven");
    write.update_user(&bob, &factor(false)).await.unwrap();
    write.commit().await.unwrap();
    let known = directory.credentials(&bob).await.unwrap();
    assert_eq!((known.password.as_deref(), known.totp_seed), (Some("$argon2id$"), Some(vec![1])));
    let mut used = Vec::new();
    for step in [5, 5, 4, 6] {
        let write = begin(&directory).await;
        used.push(write.use_totp_step(&bob, step).await.unwrap());
        write.commit().await.unwrap();
    }
    assert_eq!(used, [true, false, false, true]);
}

pub(super) async fn a_new_signing_key_leaves_the_old_one_for_a_while(place: Place) {
    let directory = place.open().await;
    let key = |kid: &str, others_until| NewSigningKey {
        kid: kid.to_owned(),
        algorithm: "EdDSA".to_owned(),
        private: vec![1],
        public: "{}".to_owned(),
        signs_from: NOW,
        others_until,
    };
    for (kid, until) in [("a", NOW), ("b", LATER)] {
        let write = begin(&directory).await;
        write.add_signing_key(key(kid, until)).await.unwrap();
        write.commit().await.unwrap();
    }
    let kids = async |at| {
        let keys = directory.signing_keys(at).await.unwrap();
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>().concat()
    };
    assert_eq!((kids(NOW).await.as_str(), kids(LATER).await.as_str()), ("ba", "b"));
}
