//! Keys, sessions, and what works once.

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

async fn with_bob(place: &Place) -> Directory {
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

fn session(byte: u8) -> Session {
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
        directory.add_session(&session(byte)).await.unwrap();
    }
    assert_eq!(directory.session(hash(1)).await.unwrap(), Some(session(1)));
    directory.touch_session(hash(1), LATER).await.unwrap();
    directory.touch_session(hash(1), NOW).await.unwrap();
    assert_eq!(directory.session(hash(1)).await.unwrap().unwrap().seen_at, LATER, "time does not go back");
    assert!(directory.end_session(hash(4)).await.unwrap());
    assert!(!directory.end_session(hash(4)).await.unwrap());
    assert_eq!(directory.drop_sessions(UnixSeconds(0), NOW).await.unwrap(), 2);
    directory.add_session(&session(2)).await.unwrap();
    let write = begin(&directory).await;
    assert_eq!(write.end_sessions(&id("bob"), Some(hash(1))).await.unwrap(), 1);
    write.commit().await.unwrap();
    assert_eq!(directory.sessions(&id("bob"), 0, page(9)).await.unwrap().len(), 1);
    let ban = UserChange { state: Some(UserState::parse("banned").unwrap()), roles: None };
    directory.update_user(&id("bob"), &ban, &id("root"), NOW).await.unwrap();
    assert_eq!(directory.session(hash(1)).await.unwrap(), None);
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
    assert_eq!(directory.take_one_time_token(hash(1), "confirm", NOW).await.unwrap(), None);
    assert_eq!(directory.take_one_time_token(hash(1), "reset", LATER).await.unwrap(), None, "expired");
    let takes: Vec<_> = (0..8)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.take_one_time_token(hash(1), "reset", NOW).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for take in takes {
        taken.extend(take.await.unwrap());
    }
    assert_eq!((taken.len(), taken.first()), (1, Some(&token)));
    directory.add_one_time_token(&token).await.unwrap();
    directory.drop_one_time_tokens("reset", "bob").await.unwrap();
    assert_eq!(directory.take_one_time_token(hash(1), "reset", NOW).await.unwrap(), None);
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
    assert!(!directory.use_totp_step(&bob, 5).await.unwrap(), "there is no seed");
    let write = begin(&directory).await;
    write.set_password(&bob, Some("$argon2id$".to_owned())).await.unwrap();
    write.set_totp_seed(&bob, Some(vec![1])).await.unwrap();
    assert!(matches!(write.set_totp_seed(&id("eve"), None).await, Err(ChangeError::NotFound { .. })));
    write.commit().await.unwrap();
    let known = directory.credentials(&bob).await.unwrap();
    assert_eq!((known.password.as_deref(), known.totp_seed), (Some("$argon2id$"), Some(vec![1])));
    let mut used = Vec::new();
    for step in [5, 5, 4, 6] {
        used.push(directory.use_totp_step(&bob, step).await.unwrap());
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
