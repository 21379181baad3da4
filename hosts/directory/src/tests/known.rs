//! Users in memory, and the trail that says whom another process changed.

use super::*;

async fn known(directory: &Directory, name: &str) -> Option<RoleSet> {
    directory.known_user(&id(name)).await.unwrap().map(|user| user.roles.clone())
}

fn change(names: &[&str]) -> UserChange {
    UserChange { state: None, roles: Some(roles(names)) }
}

pub(super) async fn a_known_user_is_as_the_last_write_of_the_process_left_it(place: Place) {
    let directory = place.open().await;
    assert_eq!(known(&directory, "bob").await, None);
    directory.create_user(&new_user("bob", &["a"]), &id("root"), NOW).await.unwrap();
    assert_eq!(known(&directory, "bob").await, Some(roles(&["a"])), "nobody is not remembered");
    for names in [&["b"][..], &[], &["a", "c"]] {
        directory.update_user(&id("bob"), &change(names), &id("root"), NOW).await.unwrap();
        assert_eq!(known(&directory, "bob").await, Some(roles(names)));
    }
    // A write that is under way, and one that did not happen.
    let write = directory.change(&id("root"), NOW).await.unwrap();
    let banned = AccountChange { state: Some(UserState::parse("banned").unwrap()), ..AccountChange::default() };
    write.update_user(&id("bob"), &banned).await.unwrap();
    assert_eq!(known(&directory, "bob").await, Some(roles(&["a", "c"])));
    drop(write);
    directory.delete_user(&id("bob"), &id("root"), NOW).await.unwrap();
    assert_eq!(known(&directory, "bob").await, None);
}

pub(super) async fn the_trail_says_whom_another_process_changed(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(one.last_audit_entry().await.unwrap(), 0);
    for name in ["bob", "eve", "user"] {
        other.create_user(&new_user(name, &["a"]), &id("root"), NOW).await.unwrap();
        assert_eq!(known(&one, name).await, Some(roles(&["a"])));
    }
    let before = one.last_audit_entry().await.unwrap();
    other.update_user(&id("bob"), &change(&["b"]), &id("root"), NOW).await.unwrap();
    other.revoke_tokens(&id("user"), &id("root"), NOW).await.unwrap();
    other.delete_user(&id("eve"), &id("root"), NOW).await.unwrap();
    assert_eq!(known(&one, "bob").await, Some(roles(&["a"])), "nobody has told");

    let news = one.audit_entries(Some(before), page(200)).await.unwrap();
    let changed: Vec<_> = news.iter().filter_map(AuditEntry::changed_user).collect();
    assert_eq!(changed, [id("bob"), id("eve")]);
    changed.iter().for_each(|user| one.forget_user(user));
    assert_eq!((known(&one, "bob").await, known(&one, "eve").await), (Some(roles(&["b"])), None));
    assert_eq!(one.last_audit_entry().await.unwrap(), news.last().unwrap().id);
}
