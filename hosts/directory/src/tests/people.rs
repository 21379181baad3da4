//! Users with all that is known about them, and what they own.

use super::*;

fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

fn details(address: &str, name: &str) -> Details {
    Details {
        email: Some(email(address)),
        username: Some(Username::Own(name.to_owned())),
        first_name: Some("Ada".to_owned()),
        language: Some("uk".to_owned()),
        preferences: Some("{}".to_owned()),
        ..Details::default()
    }
}

async fn begin(directory: &Directory, at: UnixSeconds) -> Change {
    directory.change(&id("root"), at).await.unwrap()
}

/// Creates users without anything but an id, in one write.
async fn create(directory: &Directory, names: &[&str]) {
    let write = begin(directory, NOW).await;
    for name in names {
        write.create_account(&new_user(name, &[]), &Details::default()).await.unwrap();
    }
    write.commit().await.unwrap();
}

fn label(key: &str, value: &str, scope: &str) -> LabelDraft {
    LabelDraft { key: key.to_owned(), value: value.to_owned(), scope: scope.to_owned(), description: None }
}

fn ids_of(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(|account| account.user.id.as_str()).collect()
}

pub(super) async fn an_account_keeps_what_is_known_of_a_user(place: Place) {
    let directory = place.open().await;
    let write = begin(&directory, NOW).await;
    write.create_account(&new_user("ID1", &["b", "a"]), &details("Ada@Example.org", "Ada")).await.unwrap();
    write.commit().await.unwrap();
    let account = directory.account(&id("ID1")).await.unwrap().unwrap();
    assert_eq!(account.details, details("Ada@Example.org", "Ada"));
    assert_eq!((&account.user.roles, account.user.level, account.user.otp), (&roles(&["a", "b"]), 0, false));
    let groups = GroupSet::new([GroupName::parse("ops").unwrap()]).unwrap();
    let change = AccountChange {
        level: Some(2),
        otp: Some(true),
        groups: Some(groups.clone()),
        follows: Some(1),
        ..AccountChange::default()
    };
    let write = begin(&directory, LATER).await;
    let changed = write.update_user(&id("ID1"), &change).await.unwrap();
    assert!(matches!(write.update_user(&id("ID1"), &change).await, Err(ChangeError::Stale { current: 2 })));
    write.commit().await.unwrap();
    assert_eq!((changed.level, changed.otp, &changed.groups, changed.revision), (2, true, &groups, 2));
    let account = directory.account(&id("ID1")).await.unwrap().unwrap();
    assert_eq!((account.user, account.details), (changed, details("Ada@Example.org", "Ada")), "details stay");
    assert_eq!(directory.user_by_email(&email("aDA@example.ORG")).await.unwrap().unwrap().id, id("ID1"));
    assert_eq!(directory.user_by_username("ADA").await.unwrap().unwrap().id, id("ID1"));
    assert_eq!(directory.user_by_username("ad").await.unwrap(), None);
}

pub(super) async fn addresses_and_own_names_are_of_one_user_whatever_their_case(place: Place) {
    let directory = place.open().await;
    let write = begin(&directory, NOW).await;
    write.create_account(&new_user("a", &[]), &details("a@example.org", "ada")).await.unwrap();
    let taken = async |name: &str, details: &Details| match write.create_account(&new_user(name, &[]), details).await {
        Err(ChangeError::Taken { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(taken("a", &Details::default()).await, "user");
    assert_eq!(taken("b", &details("A@EXAMPLE.org", "bob")).await, "email");
    assert_eq!(taken("b", &details("b@example.org", "ADA")).await, "username");
    let shared = Details { username: Some(Username::Shared("ADA".to_owned())), ..Details::default() };
    write.create_account(&new_user("A", &[]), &shared).await.unwrap();
    write.create_account(&new_user("B", &[]), &shared).await.unwrap();
    let change = AccountChange { details: Some(details("a@EXAMPLE.org", "other")), ..AccountChange::default() };
    write.update_user(&id("a"), &change).await.unwrap();
    assert!(matches!(write.update_user(&id("A"), &change).await, Err(ChangeError::Taken { what: "email" })));
    write.commit().await.unwrap();
    assert_eq!(directory.users(None, page(10)).await.unwrap().len(), 3, "ids that differ in case are others");
}

/// `Bob` and `bob`, and the two ways to write an accent, are two names wherever names are compared.
pub(super) async fn names_compare_byte_by_byte(place: Place) {
    let directory = place.open().await;
    create(&directory, &["bob", "Bob", "caf\u{e9}", "caf\u{c9}"]).await;
    assert_eq!(directory.user(&id("BOB")).await.unwrap(), None);
    let find = |name: &str| Find::<AccountRow>::all().is(AccountColumn::Id, name);
    for name in ["bob", "Bob", "caf\u{e9}", "caf\u{c9}"] {
        assert_eq!(ids_of(&directory.accounts(&find(name)).await.unwrap()), [name]);
    }
    let all = Find::all().order(AccountColumn::Id, Direction::Ascending);
    assert_eq!(ids_of(&directory.accounts(&all).await.unwrap()), ["Bob", "bob", "caf\u{c9}", "caf\u{e9}"]);
    let write = begin(&directory, NOW).await;
    for key in ["Key", "key", "caf\u{e9}", "cafe\u{301}"] {
        write.add::<Label>(&id("bob"), label(key, "v", "public")).await.unwrap();
    }
    assert_eq!(write.find(&Find::<Label>::all().is(LabelColumn::Key, "cafe\u{301}")).await.unwrap().len(), 1);
}

pub(super) async fn accounts_are_found_counted_ordered_and_paged(place: Place) {
    let directory = place.open().await;
    create(&directory, &["a", "b", "c", "d", "e"]).await;
    let write = begin(&directory, LATER).await;
    let set = async |name: &str, change: AccountChange| write.update_user(&id(name), &change).await.unwrap();
    let banned = Some(UserState::parse("banned").unwrap());
    set("b", AccountChange { state: banned.clone(), level: Some(3), ..AccountChange::default() }).await;
    set("d", AccountChange { state: banned, roles: Some(roles(&["clerk"])), ..AccountChange::default() }).await;
    write.add::<Label>(&id("c"), label("email", "verified", "private")).await.unwrap();
    let france = ProfileDraft { country: Some("FR".to_owned()), state: "drafted".to_owned(), ..Default::default() };
    write.add::<Profile>(&id("e"), france.clone()).await.unwrap();
    write.add::<Profile>(&id("e"), france).await.unwrap();
    write.commit().await.unwrap();
    let all = Find::<AccountRow>::all;
    let found = async |find: Find<AccountRow>| {
        let accounts = directory.accounts(&find).await.unwrap();
        assert_eq!(directory.count(&find).await.unwrap(), accounts.len() as u64);
        ids_of(&accounts).concat()
    };
    assert_eq!(found(all()).await, "abcde");
    assert_eq!(found(all().is(AccountColumn::State, "banned")).await, "bd");
    assert_eq!(found(all().is(AccountColumn::State, "banned").is(AccountColumn::Level, 3_i64)).await, "b");
    assert_eq!(found(all().has_role(&RoleName::parse("clerk").unwrap())).await, "d");
    let verified = Find::all().is(LabelColumn::Key, "email").is(LabelColumn::Value, "verified");
    assert_eq!(found(all().has_label(&verified)).await, "c");
    assert_eq!(found(all().has_profile(&Find::all().is(ProfileColumn::Country, "FR"))).await, "e", "once, with two");
    assert_eq!(found(all().from(AccountColumn::UpdatedAt, i64::try_from(LATER.0).unwrap())).await, "bd");
    assert_eq!(found(all().order(AccountColumn::State, Direction::Descending)).await, "dbeca", "ties by id");
    let paged = all().order(AccountColumn::State, Direction::Ascending).page(1, page(2));
    let accounts = directory.accounts(&paged).await.unwrap();
    assert_eq!(ids_of(&accounts), ["c", "e"]);
    assert_eq!(directory.count(&paged).await.unwrap(), 5, "of all pages");
    assert_eq!(found(all().after(AccountColumn::Id, "c")).await, "de");
}

pub(super) async fn what_a_user_owns_is_written_listed_and_goes_with_it(place: Place) {
    let directory = place.open().await;
    create(&directory, &["a", "b"]).await;
    let write = begin(&directory, NOW).await;
    let one = write.add::<Label>(&id("a"), label("email", "verified", "private")).await.unwrap();
    let same = write.add::<Label>(&id("a"), label("email", "other", "private")).await;
    assert!(matches!(same, Err(ChangeError::Taken { what: "label" })));
    write.add::<Label>(&id("a"), label("email", "mine", "public")).await.unwrap();
    write.add::<Label>(&id("b"), label("email", "verified", "private")).await.unwrap();
    let nobody = write.add::<Label>(&id("x"), label("k", "v", "public")).await;
    assert!(matches!(nobody, Err(ChangeError::NotFound { what: "user" })));
    let phone = PhoneDraft { number: vec![1], number_index: vec![9; 32], ..PhoneDraft::default() };
    write.add::<Phone>(&id("a"), phone.clone()).await.unwrap();
    assert!(matches!(write.add::<Phone>(&id("a"), phone).await, Err(ChangeError::Taken { what: "phone" })));
    let passport = UserDocumentDraft { doc_type: "Passport".to_owned(), ..UserDocumentDraft::default() };
    write.add::<UserDocument>(&id("a"), passport).await.unwrap();
    let text = |text: &str| text.to_owned();
    let comment = CommentDraft { author: text("root"), title: text("t"), data: text("d") };
    let comment = write.add::<Comment>(&id("a"), comment).await.unwrap();
    write.add::<DataStorage>(&id("a"), DataStorageDraft { title: text("Kyc"), data: text("{}") }).await.unwrap();
    let same = write.add::<DataStorage>(&id("a"), DataStorageDraft { title: text("kYC"), data: text("{}") }).await;
    assert!(matches!(same, Err(ChangeError::Taken { what: "data storage" })));
    write.commit().await.unwrap();

    let of = |name: &str| Find::<Label>::all().is(LabelColumn::UserId, name);
    assert_eq!(directory.count(&of("a")).await.unwrap(), 2);
    let write = begin(&directory, LATER).await;
    let changed = write.replace::<Label>(one.id, label("email", "expired", "private")).await.unwrap();
    assert_eq!((changed.value.as_str(), changed.user_id.as_str()), ("expired", "a"));
    assert_eq!((changed.created_at, changed.updated_at), (one.created_at, one.updated_at + 60));
    let onto = write.replace::<Label>(one.id, label("email", "x", "public")).await;
    assert!(matches!(onto, Err(ChangeError::Taken { .. })));
    assert_eq!(write.remove::<Comment>(comment.id).await.unwrap(), comment);
    assert!(matches!(write.remove::<Comment>(comment.id).await, Err(ChangeError::NotFound { what: "comment" })));
    write.commit().await.unwrap();
    assert_eq!(directory.get::<Comment>(comment.id).await.unwrap(), None);
    assert_eq!(directory.get::<Label>(one.id).await.unwrap(), Some(changed));

    directory.delete_user(&id("a"), &id("root"), LATER).await.unwrap();
    assert_eq!((directory.count(&of("a")).await.unwrap(), directory.count(&of("b")).await.unwrap()), (0, 1));
    assert_eq!(directory.count(&Find::<Phone>::all()).await.unwrap(), 0);
    let lines = trail(&directory).await;
    assert!(lines.contains(&format!("root record.create user/a/label/{} 0", one.id)), "{lines:?}");
    assert!(lines.contains(&format!("root record.delete user/a/comment/{} 0", comment.id)));
}

pub(super) async fn a_write_that_is_not_committed_did_not_happen(place: Place) {
    let directory = place.open().await;
    let write = begin(&directory, NOW).await;
    write.create_account(&new_user("a", &["r"]), &Details::default()).await.unwrap();
    write.add::<Label>(&id("a"), label("k", "v", "public")).await.unwrap();
    assert_eq!(write.find(&Find::<Label>::all()).await.unwrap().len(), 1, "the write sees itself");
    drop(write);
    assert_eq!(directory.user(&id("a")).await.unwrap(), None);
    assert_eq!(trail(&directory).await, [""; 0]);
    assert_eq!(directory.writes().await.unwrap(), 0);
    create(&directory, &["a"]).await;
    assert_eq!(directory.writes().await.unwrap(), 1);
}

pub(super) async fn activities_are_listed_newest_first_and_outlive_users(place: Place) {
    let directory = place.open().await;
    let activity = |user: &str, topic: &str, at: u64| NewActivity {
        user_id: user.to_owned(),
        category: "admin".to_owned(),
        target_uid: None,
        user_ip: "127.0.0.1".to_owned(),
        user_ip_country: None,
        user_agent: "curl".to_owned(),
        topic: topic.to_owned(),
        action: "read".to_owned(),
        result: "denied".to_owned(),
        data: None,
        at: UnixSeconds(at),
    };
    directory.add_activities(Vec::new()).await.unwrap();
    let new = vec![activity("a", "users", 1), activity("b", "users", 2), activity("a", "keys", 3)];
    directory.add_activities(new).await.unwrap();
    let newest = || Find::<Activity>::all().order(ActivityColumn::Id, Direction::Descending);
    let times = async |find: Find<Activity>| {
        directory.find(&find).await.unwrap().iter().map(|one| one.created_at).collect::<Vec<_>>()
    };
    assert_eq!(times(newest()).await, [3, 2, 1]);
    assert_eq!(times(newest().is(ActivityColumn::UserId, "a")).await, [3, 1]);
    let users = newest().is(ActivityColumn::Topic, "users").until(ActivityColumn::CreatedAt, 1_i64);
    assert_eq!(times(users).await, [1]);
}

pub(super) async fn entries_of_a_document_keep_their_numbers(place: Place) {
    let directory = place.open().await;
    let tenant = TenantId::default();
    let entry = |name: &str, body: &str| PolicyEntry {
        kind: "rule".to_owned(),
        name: name.to_owned(),
        class: "allow".to_owned(),
        scope: String::new(),
        body: body.to_owned(),
    };
    let store = async |follows, at, entries: Vec<PolicyEntry>| {
        let new = NewDocument { entries, created_at: at, ..document(follows, "version: 1") };
        directory.append_document(&tenant, new, &id("root")).await.unwrap()
    };
    let rows = async || directory.find(&Find::<PolicyEntryRow>::all()).await.unwrap();
    let one = store(None, NOW, vec![entry("a", "1"), entry("b", "2"), entry("c", "3")]).await;
    let before = rows().await;
    store(Some(one), LATER, vec![entry("c", "3"), entry("a", "new"), entry("d", "4")]).await;
    let after = rows().await;
    let view = |rows: &[PolicyEntryRow]| {
        rows.iter().map(|row| format!("{} {} {}", row.name, row.body, row.position)).collect::<Vec<_>>()
    };
    assert_eq!(view(&before), ["a 1 0", "b 2 1", "c 3 2"]);
    assert_eq!(view(&after), ["a new 1", "c 3 0", "d 4 2"], "by number, which stays");
    assert_eq!((after[0].id, after[1].id), (before[0].id, before[2].id));
    let time = |at: UnixSeconds| i64::try_from(at.0).unwrap();
    assert_eq!((after[0].updated_at, after[1].updated_at), (time(LATER), time(NOW)), "moving is no update");
    let stale = NewDocument { entries: Vec::new(), ..document(Some(one), "other") };
    assert!(directory.append_document(&tenant, stale, &id("root")).await.is_err());
    assert_eq!(rows().await, after, "a refused document changes nothing");
}
