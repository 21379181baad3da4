//! Barong over HTTP, on SQLite and on PostgreSQL: each operation of the administration with its success and what it refuses,
//! the worked examples of the gateway, and people who sign up and log in.

mod place;

mod access;
mod activities;
mod examples;
mod gateway;
mod input;
mod labels;
mod lists;
mod owned;
mod people;
mod permissions;
mod profiles;
mod restrictions;
mod takeover;
mod users;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use portcullis_directory::Directory;
use serde_json::{Value, json};

use crate::dialects::barong::Settings;
use crate::tests::client::{Actor, Answer, TestApp};
use place::{Place, on_both};

on_both! {
    access::a_token_of_the_gateway_says_who_calls,
    access::abilities_are_those_of_the_table,
    access::everything_is_refused_in_the_words_of_the_dialect,
    activities::activities_are_filtered_and_paged,
    activities::metrics_count_days_of_a_period,
    examples::the_worked_examples_are_answered,
    input::bad_input_stores_nothing,
    input::parameters_come_in_three_forms,
    labels::labels_are_written_and_found,
    labels::private_labels_make_state_and_level,
    labels::what_is_wrong_with_a_label_has_a_code,
    lists::a_page_says_where_it_is,
    lists::users_are_filtered_and_ordered,
    owned::comments_are_of_their_authors,
    owned::documents_that_wait_are_found,
    owned::keys_and_storages_of_a_user,
    people::from_signing_up_to_a_signed_request,
    people::a_key_is_deleted_by_its_owner_only,
    people::what_is_wrong_with_a_new_account_is_said,
    people::a_code_from_a_mail_works_once_and_for_a_while,
    people::a_new_password_ends_the_sessions_of_the_old_one,
    people::who_may_not_log_in_is_told_after_the_password_only,
    people::guessing_ends_after_some_attempts,
    people::nobody_uses_up_the_attempts_of_others,
    people::a_session_is_over_after_half_an_hour_without_a_request,
    people::own_accounts_want_a_token_that_is_right,
    permissions::a_permission_is_a_rule,
    permissions::what_is_wrong_with_a_permission_has_a_code,
    profiles::a_profile_is_made_and_decided_about,
    profiles::what_is_wrong_with_a_profile_has_a_code,
    restrictions::a_restriction_is_one_of_the_document,
    restrictions::what_is_wrong_with_a_restriction_has_a_code,
    restrictions::whitelinks_are_tokens,
    takeover::a_new_password_voids_what_the_old_one_gave,
    takeover::a_revocation_ends_sessions_and_tokens,
    takeover::a_code_is_of_an_address,
    takeover::a_mail_that_cannot_be_written_is_not_told,
    takeover::pages_of_other_sites_log_nobody_in,
    takeover::users_see_no_notes_about_themselves,
    users::an_administrator_changes_users,
    users::what_is_wrong_with_a_user_has_a_code,
}

/// Roles of the dialect, and its levels.
const POLICY: &str = "version: 1
roles: {superadmin: {}, admin: {}, technical: {}, accountant: {}, compliance: {}, support: {}, member: {}, trader: {}}
levels:
  - {key: email, value: verified}
  - {key: phone, value: verified}
  - {key: document, value: verified}
rules:
  - {id: members, effect: allow, who: {roles: [member]}, target: {methods: [GET], path: {under: /api/v2/shop}}}
";

const ADMIN: &str = "/api/v2/barong/admin";

/// A server with one user of each role: the id is the name of the role.
struct Barong {
    app: TestApp,
    directory: Directory,
    /// A superadmin.
    root: Actor,
    /// The administrator of the server, who is an admin here.
    admin: Actor,
}

impl Barong {
    async fn new(place: &Place) -> Self {
        Self::with(place, Settings::default()).await
    }

    async fn with(place: &Place, settings: Settings) -> Self {
        let mut directory = None;
        let app = TestApp::with(place.location.clone(), |parts| {
            parts.barong = settings;
            directory = Some(parts.directory.clone());
        })
        .await;
        let admin = app.admin().await;
        admin.publish(POLICY).await;
        let root = app.user(&admin, "superadmin").await;
        for role in ["support", "member"] {
            app.user(&admin, role).await;
        }
        Self { app, directory: directory.unwrap(), root, admin }
    }

    /// `PUT users uid=a&state=b`: the parameters are the query of GET and DELETE, else a form.
    async fn ask(&self, actor: &Actor, line: &str) -> Answer {
        let mut words = line.splitn(3, ' ');
        let method: Method = words.next().unwrap().parse().unwrap();
        let path = format!("{ADMIN}/{}", words.next().unwrap());
        let parameters = words.next().unwrap_or_default().to_owned();
        if matches!(method, Method::GET | Method::DELETE) {
            return actor.request(method, &format!("{path}?{parameters}")).send().await;
        }
        let draft = actor.request(method, &path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        draft.body(parameters).send().await
    }

    /// What the superadmin is answered.
    async fn json(&self, line: &str) -> Value {
        let answer = self.ask(&self.root, line).await;
        assert!(matches!(answer.status, 200 | 201), "{line}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// Each line is answered with that status and these codes, as `422 a b`.
    async fn expect(&self, actor: &Actor, cases: &[(&str, &str)]) {
        for (line, expected) in cases {
            let answer = self.ask(actor, line).await;
            assert_eq!(said(&answer), *expected, "{line}");
        }
    }

    /// The user as its view shows it.
    async fn user(&self, uid: &str) -> Value {
        self.json(&format!("GET users/{uid}")).await
    }

    async fn state_and_level(&self, uid: &str) -> (String, u64) {
        let user = self.user(uid).await;
        (user["state"].as_str().unwrap().to_owned(), user["level"].as_u64().unwrap())
    }

    /// A member of that id.
    async fn member(&self, uid: &str, state: &str) {
        let body = json!({"id": uid, "roles": ["member"], "state": state});
        self.admin.post("/directory/users").json(&body).send().await.expect_status(201);
    }
}

/// Status and codes.
fn said(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let codes = body["errors"].as_array().into_iter().flatten().map(|code| code.as_str().unwrap().to_owned());
    let error = body["error"].as_str().map(str::to_owned);
    std::iter::once(answer.status.to_string()).chain(codes).chain(error).collect::<Vec<_>>().join(" ")
}

/// One member of each element.
fn each<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap_or_default()).collect()
}
