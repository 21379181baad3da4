//! The directory through its public API: every case on SQLite, and on PostgreSQL.

mod access;
mod audit;
mod known;
mod people;
mod place;

use crate::*;
use access::*;
use audit::*;
use known::*;
use people::*;
use place::{Place, on_both};

on_both! {
    an_account_keeps_what_is_known_of_a_user,
    addresses_and_own_names_are_of_one_user_whatever_their_case,
    names_compare_byte_by_byte,
    accounts_are_found_counted_ordered_and_paged,
    what_a_user_owns_is_written_listed_and_goes_with_it,
    a_write_that_is_not_committed_did_not_happen,
    activities_are_listed_newest_first_and_outlive_users,
    entries_of_a_document_keep_their_numbers,
    keys_stop_with_their_holder_and_do_not_come_back,
    users_and_service_accounts_share_ids_and_addresses,
    sessions_end_one_by_one_for_a_user_and_with_a_ban,
    a_session_begins_by_what_is_still_true,
    another_password_ends_what_the_one_before_gave,
    a_password_is_hashed_anew_while_it_is_the_same,
    a_document_logs_out_whom_it_keeps_from_logging_in,
    a_write_happens_when_its_turn_comes,
    one_time_tokens_work_once_for_their_purpose_and_in_time,
    a_nonce_is_used_once_and_a_key_has_so_many,
    attempts_are_counted_even_at_once_and_forgotten,
    a_step_of_a_second_factor_is_used_once,
    a_new_signing_key_leaves_the_old_one_for_a_while,
    what_an_older_version_stored_is_still_there,
    servers_that_start_at_once_make_the_tables_once,
    a_tenant_begins_without_a_policy,
    a_user_is_created_changed_and_deleted_and_the_trail_says_so,
    a_refused_write_leaves_no_trace,
    the_trail_is_found_by_what_it_says,
    figures_count_what_waits_and_what_is_missing,
    listing_pages_in_byte_order,
    a_user_holds_at_most_256_roles,
    a_token_finds_its_owner_until_it_is_revoked,
    the_setup_token_works_once,
    documents_follow_each_other,
    an_unknown_tenant_has_nothing_and_takes_nothing,
    writers_of_one_database_take_turns,
    a_known_user_is_as_the_last_write_of_the_process_left_it,
    the_trail_says_whom_another_process_changed,
    of_documents_stored_at_once_one_wins,
    a_stored_document_asks_for_its_publication_until_it_is_published,
    what_outdates_tokens_is_a_revocation,
    a_later_revocation_wins_and_expired_ones_go,
    revoking_a_user_ends_its_tokens_and_sessions_here_too,
    an_edge_has_two_valid_tokens_at_most,
    records_are_stored_once_whatever_is_sent_again,
    numbers_that_never_came_are_gaps_until_they_come,
    records_are_found_by_what_they_say,
    records_are_forgotten_when_they_are_old_or_too_many,
}

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const LATER: UnixSeconds = UnixSeconds(1_700_000_060);

fn id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn roles(names: &[&str]) -> RoleSet {
    RoleSet::new(names.iter().map(|name| RoleName::parse(name).unwrap())).unwrap()
}

fn new_user(name: &str, names: &[&str]) -> NewUser {
    NewUser { id: id(name), state: UserState::active(), roles: roles(names) }
}

fn hash(byte: u8) -> SecretHash {
    SecretHash([byte; 32])
}

fn token(byte: u8) -> AccessToken {
    AccessToken { hash: hash(byte), label: Some(TokenLabel::parse("laptop").unwrap()) }
}

fn document(follows: Option<Revision>, text: &str) -> NewDocument {
    NewDocument {
        follows,
        text: text.to_owned(),
        media_type: "application/yaml".to_owned(),
        digest: [7; 32],
        entries: Vec::new(),
        created_at: NOW,
        logs_out: None,
    }
}

fn page(rows: u64) -> PageSize {
    PageSize::new(rows).unwrap()
}

/// The audit trail as `who action object revision`.
async fn trail(directory: &Directory) -> Vec<String> {
    let entries = directory.audit_entries(None, page(200)).await.unwrap();
    entries.iter().map(|one| format!("{} {} {} {}", one.who, one.action, one.object, one.revision)).collect()
}

async fn a_user_is_created_changed_and_deleted_and_the_trail_says_so(place: Place) {
    let directory = place.open().await;
    let created = directory.create_user(&new_user("bob", &["b", "a", "b"]), &id("root"), NOW).await.unwrap();
    assert_eq!(created.roles, roles(&["a", "b"]));
    assert_eq!(directory.user(&id("bob")).await.unwrap(), Some(created.clone()));

    let change = UserChange { state: Some(UserState::parse("banned").unwrap()), roles: None };
    let changed = directory.update_user(&id("bob"), &change, &id("root"), LATER).await.unwrap();
    assert_eq!((changed.state.as_str(), changed.revision, changed.updated_at), ("banned", 2, LATER));
    assert_eq!((&changed.roles, changed.created_at), (&created.roles, NOW));

    let change = UserChange { state: None, roles: Some(RoleSet::default()) };
    let changed = directory.update_user(&id("bob"), &change, &id("root"), LATER).await.unwrap();
    assert_eq!((changed.state.as_str(), changed.revision, changed.roles), ("banned", 3, RoleSet::default()));

    directory.delete_user(&id("bob"), &id("root"), LATER).await.unwrap();
    assert_eq!(directory.user(&id("bob")).await.unwrap(), None);
    assert_eq!(
        trail(&directory).await,
        [
            "root user.create user/bob 1",
            "root user.update user/bob 2",
            "root user.update user/bob 3",
            "root user.delete user/bob 3"
        ]
    );
}

async fn a_refused_write_leaves_no_trace(place: Place) {
    let directory = place.open().await;
    directory.create_user(&new_user("bob", &["a"]), &id("root"), NOW).await.unwrap();
    let again = directory.create_user(&new_user("bob", &["b"]), &id("root"), NOW).await;
    assert!(matches!(again, Err(CreateUserError::Exists)));
    let nobody = directory.update_user(&id("eve"), &UserChange::default(), &id("root"), NOW).await;
    assert!(matches!(nobody, Err(UpdateUserError::NotFound)));
    let nobody = directory.delete_user(&id("eve"), &id("root"), NOW).await;
    assert!(matches!(nobody, Err(UpdateUserError::NotFound)));
    let nobody = directory.issue_token(&id("eve"), &token(1), &id("root"), NOW).await;
    assert!(matches!(nobody, Err(IssueTokenError::NoUser)));
    assert_eq!(directory.user(&id("bob")).await.unwrap().unwrap().roles, roles(&["a"]));
    assert_eq!(trail(&directory).await, ["root user.create user/bob 1"]);
}

async fn listing_pages_in_byte_order(place: Place) {
    let directory = place.open().await;
    for name in ["b", "B", "a", "ä", "c"] {
        directory.create_user(&new_user(name, &["x", "y"]), &id("root"), NOW).await.unwrap();
    }
    let first = directory.users(None, page(3)).await.unwrap();
    assert_eq!(first.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["B", "a", "b"]);
    assert!(first.iter().all(|user| user.roles == roles(&["x", "y"])));
    let rest = directory.users(Some(&id("b")), page(3)).await.unwrap();
    assert_eq!(rest.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["c", "ä"]);
}

#[test]
fn a_page_has_1_to_200_rows() {
    assert_eq!(PageSize::new(0), None);
    assert_eq!(PageSize::new(200).map(PageSize::get), Some(200));
    assert_eq!(PageSize::new(201), None);
}

async fn a_user_holds_at_most_256_roles(place: Place) {
    let names = |count: usize| (0..count).map(|at| RoleName::parse(&format!("r{at}")).unwrap());
    assert_eq!(RoleSet::new(names(257)), Err(TooManyRoles { roles: 257 }));
    let directory = place.open().await;
    let roles = RoleSet::new(names(256)).unwrap();
    let user = NewUser { id: id("bob"), state: UserState::active(), roles: roles.clone() };
    directory.create_user(&user, &id("root"), NOW).await.unwrap();
    assert_eq!(directory.user(&id("bob")).await.unwrap().unwrap().roles, roles);
}

async fn a_token_finds_its_owner_until_it_is_revoked(place: Place) {
    let directory = place.open().await;
    directory.create_user(&new_user("bob", &["a"]), &id("root"), NOW).await.unwrap();
    directory.create_user(&new_user("eve", &[]), &id("root"), NOW).await.unwrap();
    directory.issue_token(&id("bob"), &token(1), &id("root"), NOW).await.unwrap();
    directory.issue_token(&id("bob"), &token(2), &id("root"), NOW).await.unwrap();
    directory.issue_token(&id("eve"), &token(3), &id("root"), NOW).await.unwrap();
    let owner = directory.user_by_token(hash(2)).await.unwrap().unwrap();
    assert_eq!((owner.id, owner.roles), (id("bob"), roles(&["a"])));
    assert_eq!(directory.user_by_token(hash(9)).await.unwrap(), None);

    assert_eq!(directory.revoke_tokens(&id("bob"), &id("root"), LATER).await.unwrap(), 2);
    assert_eq!(directory.revoke_tokens(&id("bob"), &id("root"), LATER).await.unwrap(), 0);
    assert_eq!(directory.user_by_token(hash(1)).await.unwrap(), None);
    assert_eq!(directory.user_by_token(hash(3)).await.unwrap().unwrap().id, id("eve"));

    directory.delete_user(&id("eve"), &id("root"), LATER).await.unwrap();
    assert_eq!(directory.user_by_token(hash(3)).await.unwrap(), None);
}

async fn the_setup_token_works_once(place: Place) {
    let directory = place.open().await;
    assert!(directory.issue_setup_token(hash(1), NOW).await.unwrap());
    assert!(directory.issue_setup_token(hash(2), NOW).await.unwrap());
    assert!(!directory.is_setup_token(hash(1)).await.unwrap(), "a newer one replaces it");
    assert!(directory.is_setup_token(hash(2)).await.unwrap());

    let first = FirstUser { user: new_user("admin", &["admin"]), token: token(5) };
    let old = directory.set_up(hash(1), &first, NOW).await;
    assert!(matches!(old, Err(SetupError::WrongToken)));
    assert!(!directory.has_users().await.unwrap());
    directory.set_up(hash(2), &first, NOW).await.unwrap();
    assert_eq!(directory.user_by_token(hash(5)).await.unwrap().unwrap().roles, roles(&["admin"]));
    assert!(!directory.is_setup_token(hash(2)).await.unwrap());
    let again = FirstUser { user: new_user("other", &["admin"]), token: token(6) };
    assert!(matches!(directory.set_up(hash(2), &again, NOW).await, Err(SetupError::WrongToken)));
    assert!(!directory.issue_setup_token(hash(3), NOW).await.unwrap(), "there is a user");
    assert!(!directory.is_setup_token(hash(3)).await.unwrap());
    assert_eq!(trail(&directory).await, ["admin setup user/admin 1"]);
}

async fn documents_follow_each_other(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::default();
    assert_eq!(directory.document(&tenant).await.unwrap(), None);
    assert_eq!(directory.current_revision(&tenant).await.unwrap(), None);

    let one = directory.append_document(&tenant, document(None, "version: 1"), &id("root")).await.unwrap();
    assert_eq!(one, Revision::FIRST);
    let stale = directory.append_document(&tenant, document(None, "other"), &id("root")).await;
    assert!(matches!(stale, Err(AppendError::Conflict { current: Some(Revision::FIRST) })));
    let two = directory.append_document(&tenant, document(Some(one), "version: 1 # two"), &id("eve")).await.unwrap();
    assert_eq!(two.get(), 2);

    let current = directory.document(&tenant).await.unwrap().unwrap();
    assert_eq!((current.text.as_str(), current.media_type.as_str()), ("version: 1 # two", "application/yaml"));
    assert_eq!(current.info, RevisionInfo { revision: two, created_at: NOW, author: id("eve"), digest: [7; 32] });
    let all = directory.revisions(&tenant, None, page(200)).await.unwrap();
    assert_eq!(all.iter().map(|info| info.revision).collect::<Vec<_>>(), [two, one]);
    let older = directory.revisions(&tenant, Some(two), page(200)).await.unwrap();
    assert_eq!(older.iter().map(|info| info.revision).collect::<Vec<_>>(), [one]);
    assert_eq!(trail(&directory).await, ["root policy.store policy/default 1", "eve policy.store policy/default 2"]);
}

async fn an_unknown_tenant_has_nothing_and_takes_nothing(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::parse("acme").unwrap();
    assert!(!directory.has_tenant(&tenant).await.unwrap());
    assert!(directory.has_tenant(&TenantId::default()).await.unwrap());
    let stored = directory.append_document(&tenant, document(None, "version: 1"), &id("root")).await;
    assert!(matches!(stored, Err(AppendError::NoTenant)));
    assert_eq!(trail(&directory).await, [""; 0]);
}

#[tokio::test]
async fn a_file_is_created_and_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("a ?#%20.db"));
    let directory = Directory::open(location.clone()).await.unwrap();
    directory.create_user(&new_user("bob", &["a"]), &id("root"), NOW).await.unwrap();
    directory.ping().await.unwrap();
    directory.close().await.unwrap();
    let directory = Directory::open(location).await.unwrap();
    assert_eq!(directory.user(&id("bob")).await.unwrap().unwrap().roles, roles(&["a"]));
    assert!(folder.path().join("a ?#%20.db").exists());
}

async fn writers_of_one_database_take_turns(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let writes: Vec<_> = (0..40_u8)
        .map(|at| {
            let directory = if at % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(
                async move { directory.create_user(&new_user(&format!("u{at}"), &["a"]), &id("root"), NOW).await },
            )
        })
        .collect();
    for write in writes {
        write.await.unwrap().unwrap();
    }
    assert_eq!(one.users(None, page(200)).await.unwrap().len(), 40);
    assert_eq!(trail(&one).await.len(), 40);
    assert_eq!(other.writes().await.unwrap(), 40);
}

async fn of_documents_stored_at_once_one_wins(place: Place) {
    let directory = place.open().await;
    let writes: Vec<_> = (0..8)
        .map(|at| {
            let directory = directory.clone();
            tokio::spawn(async move {
                let draft = document(None, &format!("# {at}"));
                directory.append_document(&TenantId::default(), draft, &id("root")).await
            })
        })
        .collect();
    let mut stored = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => stored += 1,
            Err(AppendError::Conflict { current }) => assert_eq!(current, Some(Revision::FIRST)),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Directory::open(Location::File(folder.path().join("no/such/folder.db"))).await.is_err());
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is not a database, but a text of some length".repeat(100)).unwrap();
    assert!(Directory::open(Location::File(garbage)).await.is_err());
}

// === what edges need ===

fn second_later(at: UnixSeconds) -> UnixSeconds {
    UnixSeconds(at.0 + 1)
}

/// The tenant's revocations as `subject not_before number`.
async fn revoked(directory: &Directory, since: u64) -> Vec<String> {
    let revocations = directory.revocations(&TenantId::default(), since, 10).await.unwrap();
    revocations.iter().map(|one| format!("{} {} {}", one.subject, one.not_before.0 - NOW.0, one.number)).collect()
}

async fn a_stored_document_asks_for_its_publication_until_it_is_published(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::default();
    assert_eq!(directory.publish_job(&tenant).await.unwrap(), None);
    let one = directory.append_document(&tenant, document(None, "version: 1"), &id("root")).await.unwrap();
    assert_eq!(directory.publish_job(&tenant).await.unwrap(), Some(one));
    let two = directory.append_document(&tenant, document(Some(one), "version: 1"), &id("root")).await.unwrap();
    directory.finish_publish_job(&tenant, one).await.unwrap();
    assert_eq!(directory.publish_job(&tenant).await.unwrap(), Some(two), "the job for the newer one stays");
    directory.finish_publish_job(&tenant, two).await.unwrap();
    assert_eq!(directory.publish_job(&tenant).await.unwrap(), None);
    let stale = directory.append_document(&tenant, document(Some(one), "other"), &id("root")).await;
    assert!(stale.is_err());
    assert_eq!(directory.publish_job(&tenant).await.unwrap(), None, "what was not stored asks for nothing");
}

async fn what_outdates_tokens_is_a_revocation(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::default();
    assert_eq!(directory.last_revocation(&tenant).await.unwrap(), 0);
    for name in ["bob", "eve"] {
        directory.create_user(&new_user(name, &["a"]), &id("root"), NOW).await.unwrap();
    }
    let state = |text: &str| UserChange { state: Some(UserState::parse(text).unwrap()), roles: None };
    let hold = |names: &[&str]| UserChange { state: None, roles: Some(roles(names)) };
    for change in [state("active"), hold(&["a"]), UserChange::default()] {
        directory.update_user(&id("bob"), &change, &id("root"), NOW).await.unwrap();
        assert_eq!(revoked(&directory, 0).await, [""; 0], "{change:?}");
    }
    directory.update_user(&id("bob"), &state("banned"), &id("root"), NOW).await.unwrap();
    assert_eq!(revoked(&directory, 0).await, ["bob 1 1"]);
    directory.update_user(&id("bob"), &state("active"), &id("root"), LATER).await.unwrap();
    assert_eq!(revoked(&directory, 0).await, ["bob 1 1"], "giving back voids nothing");
    directory.update_user(&id("eve"), &hold(&["b"]), &id("root"), NOW).await.unwrap();
    directory.delete_user(&id("bob"), &id("root"), LATER).await.unwrap();
    assert_eq!(revoked(&directory, 0).await, ["eve 1 2", "bob 61 3"]);
    assert_eq!(revoked(&directory, 2).await, ["bob 61 3"]);
    assert_eq!(directory.last_revocation(&tenant).await.unwrap(), 3);
}

async fn a_later_revocation_wins_and_expired_ones_go(place: Place) {
    let directory = place.open().await;
    let revoke = async |name: &str, at| directory.revoke_subject(&id(name), &id("root"), at).await.unwrap();
    assert_eq!(revoke("stranger", LATER).await, second_later(LATER), "nobody needs to be known");
    assert_eq!(revoke("stranger", NOW).await, second_later(NOW));
    assert_eq!(revoked(&directory, 0).await, ["stranger 61 1"]);
    revoke("old", NOW).await;
    directory.drop_revocations(second_later(NOW)).await.unwrap();
    assert_eq!(revoked(&directory, 0).await, ["stranger 61 1"]);
    assert_eq!(directory.last_revocation(&TenantId::default()).await.unwrap(), 2, "numbers are not used again");
    assert_eq!(trail(&directory).await[0], "root user.revoke user/stranger 0");
}

async fn revoking_a_user_ends_its_tokens_and_sessions_here_too(place: Place) {
    let directory = with_bob(&place).await;
    let sessions = async || directory.sessions(&id("bob"), 0, page(9)).await.unwrap().len();
    directory.issue_token(&id("bob"), &token(1), &id("root"), NOW).await.unwrap();
    log_in(&directory, session(1)).await;
    directory.revoke_subject(&id("bob"), &id("root"), NOW).await.unwrap();
    assert_eq!(directory.user_by_token(hash(1)).await.unwrap(), None);
    assert_eq!(sessions().await, 0);
    directory.issue_token(&id("bob"), &token(2), &id("root"), NOW).await.unwrap();
    log_in(&directory, session(2)).await;
    directory.revoke_tokens(&id("bob"), &id("root"), LATER).await.unwrap();
    assert_eq!(revoked(&directory, 1).await, ["bob 61 2"], "an edge may remember whose token it was");
    assert_eq!(sessions().await, 0);
}

fn edge(tenant: &str, name: &str) -> EdgeId {
    EdgeId { tenant: TenantId::parse(tenant).unwrap(), name: EdgeName::parse(name).unwrap() }
}

async fn an_edge_has_two_valid_tokens_at_most(place: Place) {
    let directory = place.open().await;
    let (one, root) = (edge("default", "one"), id("root"));
    directory.create_edge(&one, hash(1), &root, NOW).await.unwrap();
    assert!(matches!(directory.create_edge(&one, hash(9), &root, NOW).await, Err(EdgeError::Exists)));
    let elsewhere = directory.create_edge(&edge("acme", "one"), hash(9), &root, NOW).await;
    assert!(matches!(elsewhere, Err(EdgeError::NoTenant)));
    let known = async |byte, at| directory.edge_by_token(hash(byte), at).await.unwrap().is_some();
    assert_eq!(directory.edge_by_token(hash(1), NOW).await.unwrap(), Some(one.clone()));
    assert!(!known(9, NOW).await);

    let rotation = Rotation { at: NOW, old_until: LATER };
    directory.issue_edge_token(&one, hash(2), &root, rotation).await.unwrap();
    assert!(known(1, NOW).await && known(2, NOW).await);
    assert!(!known(1, LATER).await && known(2, LATER).await);
    directory.issue_edge_token(&one, hash(3), &root, rotation).await.unwrap();
    assert_eq!([known(1, NOW).await, known(2, NOW).await, known(3, NOW).await], [false, true, true]);

    let listed = directory.edges(&one.tenant, None, page(10), NOW).await.unwrap();
    let ends: Vec<_> = listed[0].tokens.iter().map(|token| token.expires_at).collect();
    assert_eq!((listed.len(), listed[0].name.as_str(), ends.len()), (1, "one", 2));
    assert!(ends.contains(&None) && ends.contains(&Some(LATER)));
    assert_eq!(directory.edges(&one.tenant, Some(&one.name), page(10), NOW).await.unwrap(), []);

    let unknown = directory.issue_edge_token(&edge("default", "two"), hash(4), &root, rotation).await;
    assert!(matches!(unknown, Err(EdgeError::NotFound)));
    directory.delete_edge(&one, &root, NOW).await.unwrap();
    assert!(!known(2, NOW).await && !known(3, NOW).await);
    assert!(matches!(directory.delete_edge(&one, &root, NOW).await, Err(EdgeError::NotFound)));
    let expected = ["create", "token", "token", "delete"].map(|what| format!("root edge.{what} edge/default/one 0"));
    assert_eq!(trail(&directory).await, expected);
}

fn record(time_ms: u64, path: &str, rules: &[&str]) -> DecisionRecord {
    DecisionRecord {
        time_ms,
        kind: "decision".to_owned(),
        request_id: format!("r{time_ms}"),
        method: "GET".to_owned(),
        host: "a.example".to_owned(),
        path: path.to_owned(),
        subject: Some("bob".to_owned()),
        ip: None,
        effect: "allow".to_owned(),
        status: 200,
        reason: "rule".to_owned(),
        rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
        restriction: None,
        topic: None,
        revision: 7,
        shadow: Some(Shadow { effect: "deny".to_owned(), reason: "no_match".to_owned() }),
    }
}

fn batch(worker: &str, first: u64, records: Vec<DecisionRecord>) -> RecordBatch {
    RecordBatch {
        tenant: TenantId::default(),
        sender: "edge/one".to_owned(),
        worker: WorkerName::parse(worker).unwrap(),
        first,
        dropped: 2,
        records,
        received_at: NOW,
    }
}

/// Gaps as `worker first-last`.
async fn gaps(directory: &Directory) -> Vec<String> {
    let gaps = directory.gaps(&TenantId::default(), None, page(200)).await.unwrap();
    gaps.iter().map(|gap| format!("{} {}-{}", gap.worker, gap.first, gap.last)).collect()
}

async fn records_are_stored_once_whatever_is_sent_again(place: Place) {
    let directory = place.open().await;
    let records = |count: u64| (0..count).map(|at| record(at, "/a", &["r"])).collect::<Vec<_>>();
    assert_eq!(directory.store_records(batch("w", 1, records(3))).await.unwrap(), 3);
    assert_eq!(directory.store_records(batch("w", 1, records(3))).await.unwrap(), 0);
    assert_eq!(directory.store_records(batch("w", 2, records(3))).await.unwrap(), 1);
    assert_eq!(directory.store_records(batch("v", 1, records(1))).await.unwrap(), 1, "another worker, other numbers");
    assert_eq!(directory.store_records(batch("w", 0, records(1))).await.unwrap(), 0, "numbers start at 1");
    assert_eq!(directory.store_records(batch("w", 7, Vec::new())).await.unwrap(), 0);
    let all = directory.records(&TenantId::default(), &RecordFilter::default(), None, 10).await.unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(gaps(&directory).await, [""; 0]);
}

async fn numbers_that_never_came_are_gaps_until_they_come(place: Place) {
    let directory = place.open().await;
    let send = async |first, count| {
        let records = (0..count).map(|at| record(at, "/a", &[])).collect();
        directory.store_records(batch("w", first, records)).await.unwrap();
    };
    send(3, 2).await;
    assert_eq!(gaps(&directory).await, ["w 1-2"]);
    send(11, 1).await;
    assert_eq!(gaps(&directory).await, ["w 1-2", "w 5-10"]);
    send(7, 2).await;
    assert_eq!(gaps(&directory).await, ["w 1-2", "w 5-6", "w 9-10"]);
    send(2, 8).await;
    assert_eq!(gaps(&directory).await, ["w 1-1", "w 10-10"]);
    send(1, 1).await;
    send(10, 3).await;
    assert_eq!(gaps(&directory).await, [""; 0]);
    send(20, 1).await;
    let tenant = TenantId::default();
    let found = directory.gaps(&tenant, None, page(1)).await.unwrap().remove(0);
    assert_eq!((found.first, found.last, found.dropped, found.found_at), (13, 19, 2, NOW));
    let cursor = GapCursor { sender: found.sender, worker: found.worker, first: found.first };
    assert_eq!(directory.gaps(&tenant, Some(&cursor), page(1)).await.unwrap(), []);
}

async fn records_are_found_by_what_they_say(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::default();
    let records = vec![
        record(10, "/a/b", &["one", "two"]),
        DecisionRecord { kind: "audit".to_owned(), topic: Some("t".to_owned()), ..record(20, "/a%b", &["ONE"]) },
        DecisionRecord { effect: "deny".to_owned(), subject: None, shadow: None, ..record(30, "/A/b", &["on"]) },
    ];
    directory.store_records(batch("w", 1, records.clone())).await.unwrap();
    let find = async |filter: RecordFilter| {
        let found = directory.records(&tenant, &filter, None, 10).await.unwrap();
        found.iter().map(|one| one.record.time_ms).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let all = RecordFilter::default;
    assert_eq!(find(all()).await, [30, 20, 10]);
    assert_eq!(find(RecordFilter { from_ms: Some(20), ..all() }).await, [30, 20]);
    assert_eq!(find(RecordFilter { until_ms: Some(20), ..all() }).await, [10]);
    assert_eq!(find(RecordFilter { subject: text("bob"), ..all() }).await, [20, 10]);
    assert_eq!(find(RecordFilter { effect: text("deny"), ..all() }).await, [30]);
    assert_eq!(find(RecordFilter { kind: text("audit"), ..all() }).await, [20]);
    assert_eq!(find(RecordFilter { rule: text("one"), ..all() }).await, [10]);
    assert_eq!(find(RecordFilter { rule: text("o%"), ..all() }).await, [0; 0]);
    assert_eq!(find(RecordFilter { path_prefix: text("/a%"), ..all() }).await, [20]);
    assert_eq!(find(RecordFilter { path_prefix: text("/a"), rule: text("two"), ..all() }).await, [10]);

    let mut found = Vec::new();
    let mut before = None;
    while let Some(one) = directory.records(&tenant, &all(), before, 1).await.unwrap().pop() {
        before = Some(one.cursor());
        found.insert(0, one.record);
    }
    assert_eq!(found, records, "page by page, as they were sent");
}

async fn records_are_forgotten_when_they_are_old_or_too_many(place: Place) {
    let (directory, tenant) = (place.open().await, TenantId::default());
    let at = |time_ms: &[u64]| time_ms.iter().map(|&time_ms| record(time_ms, "/a", &[])).collect::<Vec<_>>();
    directory.store_records(batch("w", 3, at(&[1_000, 9_999, 10_000, 20_000, 20_000, 15_000]))).await.unwrap();
    assert_eq!(gaps(&directory).await, ["w 1-2"]);
    let kept = async || -> Vec<u64> {
        let records = directory.records(&tenant, &RecordFilter::default(), None, 10).await.unwrap();
        records.into_iter().map(|stored| stored.number).collect()
    };
    assert_eq!(directory.forget_records(&tenant, UnixSeconds(10), 10).await.unwrap(), 2);
    assert_eq!(kept().await, [7, 6, 8, 5]);
    assert_eq!(directory.forget_records(&tenant, UnixSeconds(10), 2).await.unwrap(), 2);
    assert_eq!(kept().await, [7, 6]);
    assert_eq!(directory.forget_records(&tenant, UnixSeconds(10), 1).await.unwrap(), 1, "two of one time");
    assert_eq!(directory.forget_records(&TenantId::parse("acme").unwrap(), UnixSeconds(100), 0).await.unwrap(), 0);
    assert_eq!((kept().await, gaps(&directory).await), (vec![7], vec!["w 1-2".to_owned()]));
    let later = UnixSeconds(NOW.0 + 1);
    assert_eq!(directory.forget_records(&tenant, later, 10).await.unwrap(), 1);
    assert_eq!((kept().await, gaps(&directory).await), (vec![], Vec::<String>::new()));
}

// === databases ===

async fn what_an_older_version_stored_is_still_there(place: Place) {
    use sea_orm::ConnectionTrait as _;
    use sea_orm_migration::MigratorTrait as _;
    let bare = place.bare().await;
    crate::migration::Migrator::up(&bare, Some(3)).await.unwrap();
    bare.execute_unprepared("INSERT INTO users VALUES ('old', 'active', 1, 2, 3)").await.unwrap();
    bare.execute_unprepared("INSERT INTO user_roles VALUES ('old', 'clerk')").await.unwrap();
    bare.close().await.unwrap();
    let directory = place.open().await;
    let account = directory.account(&id("old")).await.unwrap().unwrap();
    assert_eq!((account.user.roles, account.user.level, account.user.otp), (roles(&["clerk"]), 0, false));
    assert_eq!((account.user.revision, account.details), (3, Details::default()));
    directory.create_user(&new_user("new", &[]), &id("root"), NOW).await.unwrap();
}

async fn servers_that_start_at_once_make_the_tables_once(place: Place) {
    if place.is_shared() {
        let (one, other) = tokio::join!(place.open(), place.open());
        one.create_user(&new_user("bob", &[]), &id("root"), NOW).await.unwrap();
        assert!(other.user(&id("bob")).await.unwrap().is_some());
    }
    assert_eq!(place.open().await.tenants(None, page(9)).await.unwrap(), [TenantId::default()]);
}

async fn a_tenant_begins_without_a_policy(place: Place) {
    let directory = place.open().await;
    let acme = TenantId::parse("acme").unwrap();
    let write = directory.change(&id("root"), NOW).await.unwrap();
    write.create_tenant(&acme).await.unwrap();
    assert!(matches!(write.create_tenant(&acme).await, Err(ChangeError::Taken { what: "tenant" })));
    write.commit().await.unwrap();
    assert_eq!(directory.tenants(None, page(9)).await.unwrap(), [acme.clone(), TenantId::default()]);
    assert_eq!(directory.tenants(Some(&acme), page(9)).await.unwrap(), [TenantId::default()]);
    assert_eq!(directory.current_revision(&acme).await.unwrap(), None);
    directory.append_document(&acme, document(None, "version: 1"), &id("root")).await.unwrap();
    directory.revoke_subject(&id("bob"), &id("root"), NOW).await.unwrap();
    assert_eq!(directory.last_revocation(&acme).await.unwrap(), 1);
}

#[test]
fn a_location_is_shown_without_credentials() {
    for (url, shown) in [
        ("postgres://u:secret@db:5432/x?sslmode=require", "postgres://db:5432/x"),
        ("postgres://u:se@cret@db/x", "postgres://db/x"),
        ("postgres://db/x?password=secret", "postgres://db/x"),
    ] {
        let location = Location::Postgres(url.to_owned());
        assert_eq!((location.to_string(), format!("{location:?}")), (shown.to_owned(), shown.to_owned()));
    }
}
