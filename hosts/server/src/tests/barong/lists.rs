//! Lists of users: filters, order, pages.

use super::place::Place;
use super::{Barong, each};

pub async fn users_are_filtered_and_ordered(place: Place) {
    let barong = Barong::new(&place).await;
    for (uid, state) in [("ID1", "active"), ("ID2", "banned"), ("ID3", "active")] {
        barong.member(uid, state).await;
    }
    barong.json("PUT users uid=ID3&email=Three@example.org").await;
    barong.json("POST profiles uid=ID1&first_name=Ann&country=FR").await;
    let uids = async |query: &str| {
        let found = barong.json(&format!("GET users {query}")).await;
        each(&found, "uid").iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("uid=ID2", vec!["ID2"]),
        ("email=three@EXAMPLE.org", vec!["ID3"]),
        ("role=member&order_by=uid", vec!["ID1", "ID2", "ID3", "member"]),
        ("role=member&order_by=uid&ordering=desc", vec!["member", "ID3", "ID2", "ID1"]),
        ("role=member&state=banned", vec!["ID2"]),
        ("country=FR", vec!["ID1"]),
        ("state=", vec![]),
        ("level=1", vec![]),
        ("from=1700000000&to=1700000000&uid=ID1", vec!["ID1"]),
        ("to=1699999999", vec![]),
        ("range=updated&from=1700000001", vec![]),
        ("order_by=role&limit=1&ordering=desc", vec!["support"]),
        ("order_by=role&limit=1", vec!["admin"]),
    ] {
        assert_eq!(uids(query).await, expected, "{query}");
    }
    let extended = barong.json("GET users uid=ID1&extended=true").await;
    assert_eq!(
        (&extended[0]["profiles"][0]["first_name"], &extended[0]["profiles"][0]["state"]),
        (&"Ann".into(), &"submitted".into())
    );
    let refused = [
        ("GET users extended=maybe", "422 admin.user.non_boolean_extended"),
        ("GET users level=x", "422 invalid"),
        ("GET users range=never", "422 admin.user.invalid_range"),
        ("GET users ordering=DESC", "422 user.ordering.invalid_ordering"),
        ("GET users order_by=password_digest", "422 user.ordering.invalid_attribute"),
        ("GET users from=x&to=y", "422 invalid invalid"),
        ("GET users page=x&limit=y", "422 non_integer_page non_positive_page non_integer_limit invalid_limit"),
        ("GET users page=0&limit=101", "422 non_positive_page invalid_limit"),
        ("GET users page=99999999999999999999", "422 non_integer_page non_positive_page"),
    ];
    barong.expect(&barong.root, &refused).await;
}

pub async fn a_page_says_where_it_is(place: Place) {
    let barong = Barong::new(&place).await;
    // With those of the fixture there are nine.
    for at in 0..5 {
        barong.member(&format!("ID{at}"), "active").await;
    }
    let page = async |query: &str| {
        let answer = barong.ask(&barong.root, &format!("GET users {query}")).await.expect_status(200);
        let header = |name| answer.header(name).to_owned();
        let rows = answer.json().as_array().unwrap().len();
        (rows, [header("total"), header("page"), header("per-page")], header("link"))
    };
    let path = "/api/v2/barong/admin/users";
    let (rows, numbers, link) = page("limit=4&order_by=uid").await;
    assert_eq!((rows, numbers), (4, ["9", "1", "4"].map(str::to_owned)));
    let to = |page: u32, rel: &str| format!("<{path}?limit=4&order_by=uid&page={page}>; rel=\"{rel}\"");
    assert_eq!(link, [to(3, "last"), to(2, "next")].join(", "));
    let (rows, _, link) = page("limit=4&order_by=uid&page=3").await;
    assert_eq!((rows, link), (1, [to(1, "first"), to(2, "prev")].join(", ")));
    let (rows, numbers, link) = page("limit=4&order_by=uid&page=9").await;
    assert_eq!(
        (rows, numbers, link),
        (0, ["9", "9", "4"].map(str::to_owned), [to(1, "first"), to(8, "prev")].join(", "))
    );
    let (rows, numbers, link) = page("page=&limit=").await;
    assert_eq!((rows, numbers, link.as_str()), (9, ["9", "1", "100"].map(str::to_owned), ""));
    let (_, _, link) = page("state=%0d%0aSet-Cookie:%20a&limit=1&page=2").await;
    assert!(!link.contains('\r') && link.contains("state=%0D%0ASet-Cookie%3A+a"), "{link}");
}
