//! The trail, looked up; and figures of what there is.

use super::*;

/// `who action object` of the entries, newest first.
async fn found(directory: &Directory, filter: AuditFilter) -> Vec<String> {
    let entries = directory.audit(&filter, None, 100).await.unwrap();
    entries.iter().map(|one| format!("{} {} {}", one.who, one.action, one.object)).collect()
}

fn wanted() -> AuditFilter {
    AuditFilter::default()
}

pub async fn the_trail_is_found_by_what_it_says(place: Place) {
    let directory = place.open().await;
    let acme = TenantId::parse("acme").unwrap();
    directory.create_user(&new_user("b", &[]), &id("root"), NOW).await.unwrap();
    directory.create_user(&new_user("bob", &[]), &id("Root"), NOW).await.unwrap();
    directory.issue_token(&id("b"), &token(1), &id("root"), LATER).await.unwrap();
    directory.append_document(&TenantId::default(), document(None, "version: 1"), &id("b")).await.unwrap();
    let change = directory.change(&id("root"), LATER).await.unwrap();
    let label = LabelDraft { key: "email".to_owned(), ..LabelDraft::default() };
    let label = change.add::<Label>(&id("b"), label).await.unwrap();
    change.commit().await.unwrap();

    let all = found(&directory, wanted()).await;
    assert_eq!(all.len(), 5);
    assert!(all[0].starts_with("root record.create user/b/label/"), "{all:?}");
    // Of the same second, the later one is first.
    assert_eq!(all[3..], ["Root user.create user/bob", "root user.create user/b"]);

    let by = |who: &str| AuditFilter { who: Some(who.to_owned()), ..wanted() };
    assert_eq!(found(&directory, by("Root")).await, ["Root user.create user/bob"]);
    assert_eq!(found(&directory, by("ROOT")).await, [""; 0]);
    let of = |action: &str| AuditFilter { action: Some(action.to_owned()), ..wanted() };
    assert_eq!(found(&directory, of("policy.store")).await, ["b policy.store policy/default"]);
    let about = |object: &str| AuditFilter { object: Some(object.to_owned()), ..wanted() };
    let below = found(&directory, about("user/b")).await;
    assert_eq!(below.len(), 3, "{below:?}");
    assert!(below[0].ends_with(&format!("/label/{}", label.id)));
    assert_eq!(found(&directory, about("user/bob")).await, ["Root user.create user/bob"]);
    for none in ["user", "user/", "user/bo", "user/B", "%", "user/_"] {
        let expected = if none == "user" { 4 } else { 0 };
        assert_eq!(found(&directory, about(none)).await.len(), expected, "{none}");
    }
    let tenant = |tenant: &TenantId| AuditFilter { tenant: Some(tenant.clone()), ..wanted() };
    assert_eq!(found(&directory, tenant(&TenantId::default())).await, ["b policy.store policy/default"]);
    assert_eq!(found(&directory, tenant(&acme)).await, [""; 0]);
    let late = AuditFilter { from: Some(LATER), ..wanted() };
    assert_eq!(found(&directory, late).await.len(), 2);
    let early = AuditFilter { until: Some(LATER), who: Some("root".to_owned()), ..wanted() };
    assert_eq!(found(&directory, early).await, ["root user.create user/b"]);

    // Pages follow each other, also when something is written meanwhile.
    let first = directory.audit(&wanted(), None, 2).await.unwrap();
    directory.create_user(&new_user("late", &[]), &id("root"), LATER).await.unwrap();
    let second = directory.audit(&wanted(), Some(first[1].cursor()), 2).await.unwrap();
    let third = directory.audit(&wanted(), Some(second[1].cursor()), 2).await.unwrap();
    let paged: Vec<i64> = [first, second, third].concat().iter().map(|one| one.id).collect();
    let mut unlike = paged.clone();
    unlike.sort_unstable();
    unlike.dedup();
    assert_eq!((paged.len(), unlike.len()), (5, 5));
}

pub async fn figures_count_what_waits_and_what_is_missing(place: Place) {
    let directory = place.open().await;
    assert_eq!(directory.backlog().await.unwrap(), Backlog::default());
    directory.append_document(&TenantId::default(), document(None, "version: 1"), &id("root")).await.unwrap();
    for first in [4, 8] {
        directory.store_records(batch("w", first, vec![record(1, "/a", &[])])).await.unwrap();
    }
    let backlog = directory.backlog().await.unwrap();
    assert_eq!(backlog, Backlog { publish_jobs: 1, sessions: 0, missing_records: 6 });
    let Connections { open, idle, most } = directory.connections();
    assert!((1..=most).contains(&open) && idle <= open, "{open} {idle} {most}");
}
