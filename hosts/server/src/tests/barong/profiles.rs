//! Profiles.

use serde_json::json;

use super::Barong;
use super::place::Place;
use crate::dialects::barong::Settings;

pub async fn a_profile_is_made_and_decided_about(place: Place) {
    let settings = Settings { profile_double_verification: true, ..Settings::default() };
    let barong = Barong::with(&place, settings).await;
    barong.member("ID1", "pending").await;
    let form = "uid=ID1&first_name=Zo%C3%AB+++Ann&last_name=O'Neil&dob=2000-02-29&address=1+Main+St.&postcode=AB-1\
                &city=St.+Mary&country=GBR&metadata=%7B%7D";
    let made = barong.ask(&barong.admin, &format!("POST profiles {form}")).await.expect_status(201);
    let expected = r#"{"first_name":"Zoë Ann","last_name":"O'Neil","dob":"2000-02-29","address":"1 Main St.","postcode":"AB-1","city":"St. Mary","country":"GBR","state":"submitted","metadata":"{}","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z"}"#;
    assert_eq!(made.text(), expected);
    let user = barong.user("ID1").await;
    assert_eq!((&user["labels"][0]["key"], &user["labels"][0]["value"]), (&json!("profile"), &json!("submitted")));
    let sealed =
        barong.directory.find(&portcullis_directory::Find::<portcullis_directory::Profile>::all()).await.unwrap();
    assert!(!String::from_utf8_lossy(sealed[0].last_name.as_deref().unwrap()).contains("Neil"), "sealed");
    barong
        .expect(&barong.admin, &[("PUT profiles uid=ID1&state=verified", "422 admin.profiles.second_admin_approval")])
        .await;
    let decided = barong.ask(&barong.root, "PUT profiles uid=ID1&state=verified").await.expect_status(200);
    assert_eq!(decided.json()["state"], "verified");
    let list = barong.ask(&barong.root, "GET profiles").await.expect_status(200);
    assert_eq!((list.json()[0].clone(), list.header("total")), (decided.json(), "1"));
    assert_eq!(barong.user("ID1").await["labels"][0]["value"], "verified");
}

pub async fn what_is_wrong_with_a_profile_has_a_code(place: Place) {
    let barong = Barong::new(&place).await;
    barong.member("ID1", "pending").await;
    let long = format!("POST profiles uid=ID1&city={}", "c".repeat(256));
    let root = [
        ("POST profiles", "422 admin.profile.missing_uid"),
        ("POST profiles uid=nobody", "404 admin.user.doesnt_exist"),
        ("POST profiles uid=ID1&first_name=a%3Cb&last_name=a%0ab", "422 first_name.invalid last_name.invalid"),
        ("POST profiles uid=ID1&dob=2001-02-29", "422 invalid"),
        ("POST profiles uid=ID1&dob=2023-11-15", "422 dob.invalid"),
        ("POST profiles uid=ID1&postcode=!", "422 postcode.too_short postcode.invalid"),
        (&long, "422 city.too_long"),
        ("POST profiles uid=ID1&country=Japan", "422 country.must have alpha2 or alpha3 format"),
        ("POST profiles uid=ID1&metadata=%7B", "422 metadata.invalid_format"),
        ("POST profiles uid=ID1&address=%3Cscript%3E", "422 address.invalid"),
        ("PUT profiles uid=ID1&state=verified", "404 admin.profiles.doesnt_exist_or_not_editable"),
        ("PUT profiles uid=nobody&state=verified", "404 admin.profiles.doesnt_exist_or_not_editable"),
        ("POST profiles uid=ID1&dob=2023-11-14", "201"),
        ("POST profiles uid=ID1", "422 state.exists"),
        ("PUT profiles uid=ID1&state=good", "422 state.inclusion"),
        ("PUT profiles uid=ID1", "422 admin.profile.missing_state"),
    ];
    let root: Vec<_> = root.iter().map(|(line, expected)| (*line, *expected)).collect();
    barong.expect(&barong.root, &root).await;
    barong.expect(&barong.root, &[("POST profiles uid=superadmin", "201")]).await;
    let admin = [
        ("PUT profiles uid=superadmin&state=verified", "422 admin.profiles.superadmin_change"),
        ("POST profiles uid=superadmin", "422 admin.user.superadmin_change"),
    ];
    barong.expect(&barong.admin, &admin).await;
}
