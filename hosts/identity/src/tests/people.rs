//! Passwords, second factors, sessions, one-time tokens of users.

use std::sync::Mutex;

use portcullis_directory::Proven;

use super::*;
use crate::login::{Attempt, LoginError, Throttle};
use crate::one_time::{self, Offer, OneTimeError};
use crate::sessions::{Client, SessionError, SessionRules};
use crate::totp::{self, Seed, TotpError};

async fn with_password(password: &str) -> World {
    let world = World::new().await;
    let hash = world.passwords.hash(password, &world.random).await.unwrap();
    let change = world.directory.change(&root(), NOW).await.unwrap();
    change.set_password(&bob(), Some(hash), None).await.unwrap();
    change.commit().await.unwrap();
    world
}

#[tokio::test]
async fn a_password_is_known_by_its_hash() {
    let world = World::new().await;
    let hashes = [0, 1].map(|_| "correct horse");
    let [one, other] = [
        world.passwords.hash(hashes[0], &world.random).await.unwrap(),
        world.passwords.hash(hashes[1], &world.random).await.unwrap(),
    ];
    assert_ne!(one, other, "each has a salt of its own");
    assert!(one.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{one}");
    for (password, hash, expected) in [
        ("correct horse", Some(one.as_str()), true),
        ("correct horse", Some(other.as_str()), true),
        ("Correct horse", Some(one.as_str()), false),
        ("", Some(one.as_str()), false),
        ("correct horse", Some("correct horse"), false),
        ("correct horse", None, false),
    ] {
        assert_eq!(world.passwords.is_password(password, hash).await.unwrap(), expected, "{password} {hash:?}");
    }
    let costly = Passwords::new(Cost { memory_kib: 16, passes: 2 }, 1, &world.random).unwrap();
    assert!(costly.is_outdated(&one) && !world.passwords.is_outdated(&one) && costly.is_outdated("x"));
    assert!(costly.is_password("correct horse", Some(&one)).await.unwrap(), "with the cost that it was made with");
}

#[tokio::test]
async fn failed_logins_are_throttled_by_account_and_by_address() {
    let world = with_password("correct").await;
    let throttle = Throttle { window_s: 60, per_account: 3, per_address: 5 };
    let login = async |account: &str, password: &str, address: &str, at: u64| {
        let user = if account.eq_ignore_ascii_case("bob") { Some(world.bob().await) } else { None };
        let attempt = Attempt { account, password, address: ip(address) };
        match throttle.login(&world.directory, &world.passwords, user, attempt, (after(at), &world.random)).await {
            Ok(proven) => proven.user.id.to_string(),
            Err(LoginError::Wrong) => "wrong".to_owned(),
            Err(LoginError::Throttled) => "throttled".to_owned(),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(login("bob", "correct", "10.0.0.1", 0).await, "bob");
    for _ in 0..10 {
        assert_eq!(login("bob", "correct", "10.0.0.1", 0).await, "bob", "what succeeds is not throttled");
    }
    for _ in 0..3 {
        assert_eq!(login("BOB", "x", "10.0.0.2", 0).await, "wrong");
    }
    assert_eq!(login("bob", "correct", "10.0.0.3", 1).await, "throttled", "from anywhere, also with the password");
    assert_eq!(login("bob", "correct", "10.0.0.3", 61).await, "bob", "until the window is over");
    for (at, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        assert_eq!(login(name, "x", &format!("2001:db8::{at}"), 100).await, "wrong");
    }
    assert_eq!(login("bob", "correct", "2001:db8::9", 100).await, "throttled", "one /64 of IPv6 is one address");
    assert_eq!(login("bob", "correct", "2001:db8:0:1::9", 100).await, "bob");
    for name in ["f", "g", "h", "i", "j"] {
        assert_eq!(login(name, "x", "10.9.9.9", 100).await, "wrong");
    }
    assert_eq!(login("k", "x", "::ffff:10.9.9.9", 100).await, "throttled");
}

#[tokio::test]
async fn attempts_at_the_same_time_do_not_slip_through() {
    let world = std::sync::Arc::new(with_password("correct").await);
    let user = world.bob().await;
    let attempts: Vec<_> = (0..20)
        .map(|_| {
            let (world, user) = (std::sync::Arc::clone(&world), user.clone());
            tokio::spawn(async move {
                let throttle = Throttle { window_s: 60, per_account: 4, per_address: 100 };
                let attempt = Attempt { account: "bob", password: "x", address: ip("10.0.0.1") };
                let (now, random) = (NOW, &world.random);
                throttle.login(&world.directory, &world.passwords, Some(user), attempt, (now, random)).await
            })
        })
        .collect();
    let mut looked_at = 0;
    for attempt in attempts {
        looked_at += usize::from(matches!(attempt.await.unwrap(), Err(LoginError::Wrong)));
    }
    assert_eq!(looked_at, 4);
}

/// Logs in as `bob`, when it costs more than the stored hash.
async fn dearer(world: &World, random: &dyn Random) -> Result<Proven, LoginError> {
    let costly = Passwords::new(Cost { memory_kib: 16, passes: 1 }, 1, &world.random).unwrap();
    let attempt = Attempt { account: "bob", password: "correct", address: ip("10.0.0.1") };
    let user = Some(world.bob().await);
    Throttle::default().login(&world.directory, &costly, user, attempt, (NOW, random)).await
}

#[tokio::test]
async fn a_login_brings_the_hash_up_to_date() {
    let world = with_password("correct").await;
    let proven = dearer(&world, &world.random).await.unwrap();
    let stored = world.directory.credentials(&bob()).await.unwrap().password.unwrap();
    assert!(stored.contains("m=16"), "{stored}");
    assert_eq!(proven.password, Some(stored));
}

/// Somebody stores that hash when the salt of a new one is drawn: after the old one was looked at.
struct Meanwhile<'w> {
    world: &'w World,
    hash: Mutex<Option<String>>,
}

impl Random for Meanwhile<'_> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        if let Some(hash) = self.hash.lock().unwrap().take() {
            let store = async {
                let change = self.world.change().await;
                change.set_password(&bob(), Some(hash), None).await.unwrap();
                change.commit().await.unwrap();
            };
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(store));
        }
        self.world.random.fill(bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_does_not_bring_an_old_password_back() {
    for (other, is_in) in [("correct", true), ("another", false)] {
        let world = with_password("correct").await;
        let hash = world.passwords.hash(other, &world.random).await.unwrap();
        let meanwhile = Meanwhile { world: &world, hash: Mutex::new(Some(hash)) };
        let login = dearer(&world, &meanwhile).await;
        assert_eq!(login.map(|proven| proven.password.is_some()).unwrap_or_default(), is_in, "{other}");
        let stored = world.directory.credentials(&bob()).await.unwrap().password;
        assert!(world.passwords.is_password(other, stored.as_deref()).await.unwrap(), "{other}");
    }
}

#[tokio::test]
async fn a_login_of_before_a_change_begins_no_session() {
    let world = with_password("correct").await;
    let attempt = Attempt { account: "bob", password: "correct", address: ip("10.0.0.1") };
    let user = Some(world.bob().await);
    let throttle = Throttle::default();
    let login = throttle.login(&world.directory, &world.passwords, user, attempt, (NOW, &world.random));
    let proven = login.await.unwrap();
    let client = Client { address: ip("10.1.2.3"), user_agent: None };
    let begin = async || {
        let change = world.change().await;
        SessionRules::default().begin(&change, &proven, client, NOW, &world.random).await
    };
    assert!(begin().await.is_ok());
    let hash = world.passwords.hash("correct", &world.random).await.unwrap();
    let change = world.change().await;
    change.set_password(&bob(), Some(hash), None).await.unwrap();
    change.commit().await.unwrap();
    assert!(matches!(begin().await, Err(SessionError::Outdated)), "the same again is another one too");
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::new().await;
    let seed = Seed::generate(&world.random).unwrap();
    let spend = async |code: &str, at| {
        let change = world.change().await;
        totp::spend(&change, &bob(), code, &world.vault, after(at)).await?;
        Ok(change.commit().await?)
    };
    let code = |at| seed.code(after(at)).unwrap();
    assert!(matches!(spend(&code(0), 0).await, Err(TotpError::BadCode)), "there is no seed");
    let change = world.directory.change(&root(), NOW).await.unwrap();
    totp::store(&change, &bob(), &seed, &world.vault, &world.random).await.unwrap();
    change.commit().await.unwrap();
    let stored = world.directory.credentials(&bob()).await.unwrap().totp_seed.unwrap();
    assert!(!seed.base32().is_empty() && stored.len() > 60, "sealed");
    spend(&code(0), 0).await.unwrap();
    assert!(matches!(spend(&code(0), 0).await, Err(TotpError::BadCode)), "again");
    spend(&code(30), 5).await.unwrap();
    assert!(matches!(spend(&code(0), 29).await, Err(TotpError::BadCode)), "one before it");
    assert!(matches!(spend(&code(30), 30).await, Err(TotpError::BadCode)));
    spend(&code(60), 60).await.unwrap();
}

#[tokio::test]
async fn a_session_belongs_to_one_client_and_ends() {
    let world = World::new().await;
    let rules = SessionRules { idle_s: 100, absolute_s: 250, ..SessionRules::default() };
    let home = Client { address: ip("10.1.2.3"), user_agent: Some("U") };
    let begin = async |client| {
        let proven = Proven { user: world.bob().await, password: None };
        let change = world.change().await;
        let cookie = rules.begin(&change, &proven, client, NOW, &world.random).await.unwrap();
        change.commit().await.unwrap();
        cookie.reveal()
    };
    let find = async |cookie: &str, client, at| rules.find(&world.directory, cookie, client, after(at)).await;
    let cookie = begin(home).await;
    assert_eq!(find(&cookie, home, 0).await.unwrap().user, bob());
    let near = Client { address: ip("::ffff:10.1.9.9"), ..home };
    find(&cookie, near, 90).await.unwrap();
    find(&cookie, home, 180).await.unwrap();
    find(&cookie, home, 249).await.unwrap();
    assert!(matches!(find(&cookie, home, 250).await, Err(SessionError::None)), "however much it is used");
    let cookie = begin(home).await;
    assert!(matches!(find(&cookie, home, 100).await, Err(SessionError::None)), "idle");
    assert!(matches!(find(&cookie, home, 0).await, Err(SessionError::None)), "what is over does not come back");
    for other in [
        Client { address: ip("10.2.2.3"), ..home },
        Client { user_agent: Some("u"), ..home },
        Client { user_agent: None, ..home },
        Client { address: ip("2001:db8::1"), ..home },
    ] {
        let cookie = begin(home).await;
        assert!(matches!(find(&cookie, other, 1).await, Err(SessionError::OtherClient)), "{other:?}");
        assert!(matches!(find(&cookie, home, 2).await, Err(SessionError::None)), "it is ended for all");
    }
    let quiet = Client { user_agent: None, ..home };
    find(&begin(quiet).await, quiet, 1).await.unwrap();
    for unknown in ["", "x", &"A".repeat(43)] {
        assert!(matches!(find(unknown, home, 0).await, Err(SessionError::None)));
    }
    let cookie = begin(home).await;
    world.update(AccountChange { state: UserState::parse("banned").ok(), ..AccountChange::default() }).await;
    assert!(matches!(find(&cookie, home, 1).await, Err(SessionError::None)), "a ban ends it");
}

#[tokio::test]
async fn a_one_time_token_is_spent_once_and_replaced_by_a_newer_one() {
    let world = World::new().await;
    let offer = Offer { purpose: "reset", subject: "bob", data: Some("d"), lifetime_s: 60 };
    let issue = async || one_time::issue(&world.directory, offer, NOW, &world.random).await.unwrap().reveal();
    let spend = async |token: &str, purpose: &str, at| {
        let change = world.directory.change(&root(), after(at)).await.unwrap();
        match one_time::spend(&change, token, purpose).await {
            Ok(token) => {
                change.commit().await.unwrap();
                Some(token.subject)
            }
            Err(OneTimeError::BadToken) => None,
            Err(other) => panic!("{other}"),
        }
    };
    let (old, token) = (issue().await, issue().await);
    assert_eq!(spend(&old, "reset", 0).await, None);
    assert_eq!(spend(&token, "confirm", 0).await, None);
    assert_eq!(spend(&token, "reset", 60).await, None);
    assert_eq!(spend(&token, "reset", 59).await.as_deref(), Some("bob"));
    assert_eq!(spend(&token, "reset", 59).await, None);
    assert_eq!(spend("", "reset", 0).await, None);
}
