//! The 68 worked examples of the gateway, over HTTP.

use std::collections::BTreeMap;

use axum::http::Method;
use figment::Figment;
use figment::providers::{Format as _, Toml};
use portcullis_compiler::import;
use portcullis_directory::{
    AccountChange, Activity, ActivityColumn, Details, Email, Find, HolderKind, Location, NewUser, RoleName, RoleSet,
    ServiceAccountDraft, UserId, UserState,
};
use portcullis_identity::api_keys::{self, sign};
use portcullis_identity::csrf;
use portcullis_identity::sessions::Client;
use portcullis_identity::token::verify;
use serde::Deserialize;

use crate::clock::Clock as _;
use crate::identity::RANDOM;
use crate::pep::Proxies;
use crate::tests::barong::place::Place;
use crate::tests::client::{Actor, Answer, Draft, TestApp};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    setups: BTreeMap<String, Setup>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    /// As in `seeds.yml` of Barong.
    seeds: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    note: String,
    #[serde(rename = "differs")]
    _differs: Option<String>,
    /// In force a request before.
    before: Option<String>,
    setup: String,
    /// The setup cannot be in force.
    is_refused: bool,
    /// Method and path; `{other}` is the id of another user.
    request: String,
    role: Option<String>,
    state: Option<String>,
    /// After session and key were made.
    then_state: Option<String>,
    is_gone: bool,
    no_session: bool,
    session_ip: Option<String>,
    session_agent: Option<String>,
    from: Option<String>,
    agent: Option<String>,
    country: Option<String>,
    continent: Option<String>,
    /// `good`, or the text that is sent.
    csrf: Option<String>,
    key: bool,
    no_otp: bool,
    is_service: bool,
    kid: Option<String>,
    nonce: Option<String>,
    age_ms: i64,
    without: Option<String>,
    twice: bool,
    status: u16,
    code: String,
    token: bool,
    /// `topic/action/result`, and `/target` when it is the other user.
    activity: Vec<String>,
}

struct World {
    app: TestApp,
    admin: Actor,
    setups: BTreeMap<String, Setup>,
}

/// Who asks, and what it has.
struct Asking {
    id: UserId,
    cookie: Option<portcullis_identity::Secret>,
    key: Option<(String, String)>,
}

const AGENT: &str = "Examples/1.0";
const OTHER: &str = "OTHER";

impl World {
    async fn new(location: Location, setups: BTreeMap<String, Setup>) -> Self {
        let proxies = Proxies {
            trusted: vec!["192.0.2.1/32".parse().unwrap()],
            country_header: Some("x-country".to_owned()),
            continent_header: Some("x-continent".to_owned()),
            ..Proxies::default()
        };
        let app = TestApp::with(location, |parts| parts.proxies = proxies).await;
        let admin = app.admin().await;
        let world = Self { app, admin, setups };
        world.user(OTHER, &Case::default()).await;
        world
    }

    async fn in_force(&self, setup: &str) {
        let imported = import::barong(&self.setups[setup].seeds).unwrap();
        let answer = self.admin.put_document(imported.document).send().await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    }

    async fn user(&self, id: &str, case: &Case) -> UserId {
        let (directory, now) = (&self.app.app.identity.directory, self.app.clock.now());
        let id = UserId::parse(id).unwrap();
        let role = RoleName::parse(case.role.as_deref().unwrap_or("member")).unwrap();
        let state = UserState::parse(case.state.as_deref().unwrap_or("active")).unwrap();
        let email = Email::parse(&format!("{id}@example.org")).unwrap();
        let change = directory.change(&id, now).await.unwrap();
        if case.is_service {
            let draft = ServiceAccountDraft { owner: None, email, role, level: 0, state };
            change.create_service_account(&id, &draft).await.unwrap();
        } else {
            let new = NewUser { id: id.clone(), state, roles: RoleSet::new([role]).unwrap() };
            change.create_account(&new, &Details { email: Some(email), ..Details::default() }).await.unwrap();
            let otp = AccountChange { otp: Some(!case.no_otp), ..AccountChange::default() };
            change.update_user(&id, &otp).await.unwrap();
        }
        change.commit().await.unwrap();
        id
    }

    async fn asking(&self, at: usize, case: &Case) -> Asking {
        let identity = &self.app.app.identity;
        let now = self.app.clock.now();
        let id = self.user(&format!("ID{at}"), case).await;
        let mut asking = Asking { id, cookie: None, key: None };
        if !case.no_session {
            let user_agent = Some(case.session_agent.as_deref().unwrap_or(AGENT)).filter(|agent| !agent.is_empty());
            let address = case.session_ip.as_deref().unwrap_or("10.1.2.3").parse().unwrap();
            let client = Client { address, user_agent };
            asking.cookie = Some(self.app.session(&asking.id, client).await);
        }
        if case.key {
            let change = identity.directory.change(&asking.id, now).await.unwrap();
            let kind = if case.is_service { HolderKind::ServiceAccount } else { HolderKind::User };
            let made = api_keys::create(&change, (kind, &asking.id), "[]", &identity.vault, &RANDOM).await.unwrap();
            change.commit().await.unwrap();
            asking.key = Some((made.0.kid, made.1.to_string()));
        }
        if let Some(state) = &case.then_state {
            let change = identity.directory.change(&asking.id, now).await.unwrap();
            let state = Some(UserState::parse(state).unwrap());
            change.update_user(&asking.id, &AccountChange { state, ..AccountChange::default() }).await.unwrap();
            change.commit().await.unwrap();
        }
        if case.is_gone {
            let change = identity.directory.change(&asking.id, now).await.unwrap();
            change.delete_user(&asking.id).await.unwrap();
            change.commit().await.unwrap();
        }
        asking
    }

    fn draft(&self, case: &Case, asking: &Asking) -> Draft {
        let (method, path) = case.request.split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let path = format!("/api/v2/auth/{}", path.replace("{other}", OTHER));
        let cookie = asking.cookie.as_ref();
        let mut headers = vec![
            ("x-forwarded-for", Some(case.from.as_deref().unwrap_or("10.1.9.9").to_owned())),
            ("user-agent", Some(case.agent.as_deref().unwrap_or(AGENT).to_owned()).filter(|agent| !agent.is_empty())),
            ("x-country", case.country.clone()),
            ("x-continent", case.continent.clone()),
            ("cookie", cookie.map(|cookie| format!("theme=dark; _barong_session={}", cookie.reveal()))),
            (
                "x-csrf-token",
                case.csrf.as_deref().map(|text| match (text, cookie) {
                    ("good", Some(cookie)) => csrf::token(cookie),
                    _ => text.to_owned(),
                }),
            ),
        ];
        if let Some((kid, secret)) = &asking.key {
            let kid = case.kid.as_ref().unwrap_or(kid).clone();
            let nonce = self.app.clock.now_ms().checked_add_signed(-case.age_ms).unwrap().to_string();
            let nonce = case.nonce.as_ref().unwrap_or(&nonce).clone();
            let signature = sign(secret.as_bytes(), &format!("{nonce}{kid}"));
            headers.extend([
                ("x-auth-apikey", Some(kid)),
                ("x-auth-nonce", Some(nonce)),
                ("x-auth-signature", Some(signature)),
            ]);
        }
        headers.retain(|(name, _)| case.without.as_deref() != Some(name));
        headers.into_iter().fold(self.app.anonymous().request(method, &path), |draft, (name, value)| match value {
            Some(value) => draft.header(name, &value),
            None => draft,
        })
    }

    async fn activities(&self, id: &UserId) -> Vec<String> {
        let find = Find::<Activity>::all().is(ActivityColumn::UserId, id.as_str());
        let rows = self.app.app.identity.directory.find(&find).await.unwrap();
        let told = |row: Activity| {
            assert_eq!(row.category, "admin");
            let target = row.target_uid.map(|uid| if uid == OTHER { "/target" } else { "/somebody" });
            format!("{}/{}/{}{}", row.topic, row.action, row.result, target.unwrap_or_default())
        };
        rows.into_iter().map(told).collect()
    }

    async fn run(&self, at: usize, case: &Case) {
        if case.is_refused {
            assert!(import::barong(&self.setups[&case.setup].seeds).is_err(), "{}", case.note);
            return;
        }
        let asking = self.asking(at, case).await;
        if let Some(before) = &case.before {
            self.in_force(before).await;
            self.draft(case, &asking).send().await.expect_status(200);
        }
        self.in_force(&case.setup).await;
        if case.twice {
            self.draft(case, &asking).send().await.expect_status(200);
        }
        let answer = self.draft(case, &asking).send().await;
        self.check(case, &asking, &answer);
        assert_eq!(self.activities(&asking.id).await, case.activity, "{}", case.note);
    }

    fn check(&self, case: &Case, asking: &Asking, answer: &Answer) {
        let note = &case.note;
        assert_eq!(answer.status, case.status, "{note}: {}", answer.text());
        if !case.code.is_empty() && !case.request.starts_with("HEAD") {
            assert_eq!(answer.json(), serde_json::json!({"errors": [case.code]}), "{note}");
        }
        let token = answer.header("authorization").strip_prefix("Bearer ");
        assert_eq!(token.is_some(), case.token, "{note}");
        let Some(token) = token else { return };
        let issuer = self.app.app.identity.issuer("barong", "peatio").unwrap();
        let claims = verify(&[issuer], token, self.app.clock.now().0).unwrap();
        assert_eq!(claims["sub"], "session", "{note}");
        assert_eq!(claims["uid"], asking.id.as_str(), "{note}");
        assert_eq!(claims["role"], case.role.as_deref().unwrap_or("member"), "{note}");
        assert_eq!(claims["exp"], self.app.clock.now().0 + 3600, "{note}");
        assert_eq!(claims["jti"].as_str().map(str::len), Some(20), "{note}");
        assert_eq!(claims.contains_key("username"), !case.is_service, "{note}");
    }
}

pub async fn the_worked_examples_are_answered(place: Place) {
    let text = include_str!("examples.toml");
    let Examples { setups, case } = Figment::from(Toml::string(text)).extract().unwrap();
    assert_eq!(case.len(), 68);
    let world = World::new(place.location, setups).await;
    for (at, case) in case.iter().enumerate() {
        world.run(at + 1, case).await;
    }
}
