//! What an administrator changes about users, and what follows.

use portcullis_directory::{AccountChange, HolderKind, NewApiKey, UnixSeconds, UserId};
use serde_json::json;

use super::place::Place;
use super::{Barong, each};
use crate::tests::client::NOW;

pub async fn an_administrator_changes_users(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    barong.ask(&barong.root, "PUT users uid=ID1&email=one@example.org").await.expect_status(200);
    let key = NewApiKey { kid: "k".to_owned(), algorithm: "HS256".to_owned(), secret: vec![1], scope: "[]".to_owned() };
    let (by, id) = (UserId::parse("root").unwrap(), UserId::parse("ID1").unwrap());
    let change = barong.directory.change(&by, NOW).await.unwrap();
    change.create_api_key(HolderKind::User, &id, key).await.unwrap();
    let factor = AccountChange { otp: Some(true), ..AccountChange::default() };
    change.update_user(&id, &factor).await.unwrap();
    change.commit().await.unwrap();
    barong
        .expect(
            &barong.root,
            &[
                ("POST users/labels uid=ID1&key=otp&value=enabled&scope=private", "201"),
                ("PUT users uid=ID1&otp=false", "200"),
                ("POST users/role uid=ID1&role=support", "201"),
                ("POST users/update uid=ID1&state=banned", "201"),
            ],
        )
        .await;
    let user = barong.user("ID1").await;
    assert_eq!(
        (&user["role"], &user["state"], &user["email"]),
        (&json!("support"), &json!("banned"), &json!("one@example.org"))
    );
    assert_eq!((&user["otp"], &user["labels"]), (&json!(false), &json!([])));
    let keys = barong.json("GET api_keys uid=ID1").await;
    assert_eq!(each(&keys, "state"), ["inactive"], "a ban ends the keys");
    let revoked = barong.directory.revocations(&Default::default(), 0, 10).await.unwrap();
    assert!(revoked.iter().any(|one| one.subject.as_str() == "ID1" && one.not_before >= UnixSeconds(NOW.0)));
    // The administrator of the server is an admin here, who changes others but no superadmin.
    assert_eq!(barong.ask(&barong.admin, "PUT users uid=ID1&state=pending").await.text(), "200");
}

pub async fn what_is_wrong_with_a_user_has_a_code(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "active").await;
    barong.member("ID2", "active").await;
    let root = [
        ("PUT users uid=ID1&email=a@example.org", "200"),
        ("PUT users uid=ID1&email=a@example.org", "422 admin.user.email_no_change"),
        ("PUT users uid=ID2&email=A@example.org", "422 email.taken"),
        ("PUT users uid=ID2&email=not-an-address", "422 email.invalid"),
        ("PUT users uid=ID2&email=a..b@example.org", "422 email.invalid"),
        ("PUT users uid=ID2&email=a%0d%0aX: y@example.org", "422 email.invalid"),
        ("PUT users uid=ID2&email=", "422 admin.user.empty_email"),
        ("PUT users", "422 admin.user.missing_uid admin.user.empty_uid admin.user.one_of_state_otp_email"),
        ("PUT users uid=+&state=x", "422 admin.user.empty_uid"),
        ("PUT users uid=ID1&state=x&otp=false", "422 admin.user.one_of_state_otp_email"),
        ("PUT users uid=ID1&role=admin", "422 admin.user.one_of_state_otp_email"),
        ("PUT users uid=ID1&otp=maybe", "422 invalid"),
        ("PUT users uid=ID1&otp=true", "422 admin.user.enable_2fa"),
        ("PUT users uid=ID1&otp=false", "422 admin.user.otp_no_change"),
        ("PUT users uid=ID1&state=active", "422 admin.user.state_no_change"),
        ("PUT users uid=ID1&state=a%0ab", "422 state.invalid"),
        ("PUT users uid=nobody&state=x", "404 admin.user.doesnt_exist"),
        ("PUT users uid=a/b&state=x", "404 admin.user.doesnt_exist"),
        ("PUT users uid=superadmin&state=x", "422 admin.user.update_himself"),
        ("POST users/update uid=ID1&email=x@example.org", "422 admin.user.one_of_state_otp"),
        ("POST users/update uid=ID1&otp=true", "422 admin.user.enable_2fa"),
        // A parameter that the operation does not have changes nothing.
        ("POST users/update uid=ID1&password=x&state=locked", "201"),
        ("POST users/role uid=ID1&role=member", "422 admin.user.role_no_change"),
        ("POST users/role uid=ID1&role=ghost", "422 role.doesnt_exist"),
        ("POST users/role uid=ID1", "422 admin.user.missing_role admin.user.empty_role"),
        ("POST users/role uid=superadmin&role=admin", "422 admin.user.update_himself"),
        ("POST users/role uid=nobody&role=admin", "404 admin.user.doesnt_exist"),
        ("GET users/nobody", "404 admin.user.doesnt_exist"),
        ("GET users/role", "404 admin.user.doesnt_exist"),
        ("GET users/comments", "404 admin.user.doesnt_exist"),
    ];
    barong.expect(&barong.root, &root).await;
    let admin = [
        ("PUT users uid=superadmin&state=banned", "422 admin.user.superadmin_change"),
        ("POST users/role uid=superadmin&role=member", "422 admin.user.superadmin_change"),
        ("POST users/role uid=ID1&role=superadmin", "422 admin.user.superadmin_change"),
        ("PUT users uid=ID1&email=x@example.org", "422 superadmin.user.update_email"),
        ("POST users/role uid=ID1&role=support", "201"),
        ("POST users/role uid=ID1&role=trader", "201"),
    ];
    barong.expect(&barong.admin, &admin).await;
    // What a role without abilities opens elsewhere is not for everybody to give.
    let compliance = barong.app.user(&barong.admin, "compliance").await;
    let cases = [
        ("POST users/role uid=ID1&role=admin", "422 admin.user.superadmin_change"),
        ("POST users/role uid=ID1&role=member", "201"),
        ("POST users/role uid=ID1&role=trader", "422 admin.user.superadmin_change"),
        ("POST users/role uid=ID1&role=compliance", "201"),
    ];
    barong.expect(&compliance, &cases).await;
}
