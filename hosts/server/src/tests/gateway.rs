//! `GET /gateway/identity`.

use serde_json::json;

use crate::tests::client::{Actor, Draft, NOW, TestApp};

const KEY: &str = "x-portcullis-forwarded-api-key";
const AUTHORIZATION: &str = "x-portcullis-forwarded-authorization";

fn ask(edge: &Actor, headers: &[(&'static str, &str)]) -> Draft {
    headers.iter().fold(edge.get("/gateway/identity"), |draft, (name, value)| draft.header(*name, value))
}

#[tokio::test]
async fn an_api_key_is_its_owner() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    let token = app.user(&admin, "staff").await.token.unwrap();
    let bearer = format!("Bearer {token}");
    for headers in
        [vec![(KEY, token.as_str())], vec![(AUTHORIZATION, &bearer)], vec![(KEY, &token), (AUTHORIZATION, &bearer)]]
    {
        let answer = ask(&edge, &headers).send().await.expect_status(200).json();
        let subject = json!({"id": "staff", "state": "active", "roles": ["staff"], "permission_groups": [],
            "level": 0, "otp": false, "issued_at": NOW.0});
        let expected = json!({"subject": subject, "credential": "api_key", "issued_at": NOW.0, "expires": NOW.0 + 60});
        assert_eq!(answer, expected);
    }
    admin.patch("/directory/users/staff").json(&json!({"state": "banned"})).send().await.expect_status(200);
    let answer = ask(&edge, &[(KEY, &token)]).send().await.expect_status(200).json();
    assert_eq!(answer["subject"]["state"], "banned", "the policy says what that means");
}

#[tokio::test]
async fn what_is_not_of_this_server_is_anonymous_and_what_is_wrong_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let edge = app.edge(&admin, "one").await;
    let token = app.user(&admin, "staff").await.token.unwrap();
    let cookie = "x-portcullis-forwarded-cookie";
    for headers in [
        vec![],
        vec![(cookie, "session=1")],
        vec![(KEY, "of-somebody-else")],
        vec![(AUTHORIZATION, "Basic YTpi")],
        vec![(AUTHORIZATION, "Bearer eyJhbGciOiJub25lIn0.e30.")],
        vec![("x-api-key", &token)],
    ] {
        ask(&edge, &headers).send().await.expect_status(204);
    }
    let (edge_token, unknown) = (edge.token.clone().unwrap(), format!("ptc_{}", "A".repeat(43)));
    let other = format!("Bearer {}", admin.token.as_ref().unwrap());
    for headers in [
        vec![(KEY, unknown.as_str())],
        vec![(KEY, "ptc_")],
        vec![(KEY, &edge_token)],
        vec![(KEY, &token), (AUTHORIZATION, &other)],
    ] {
        ask(&edge, &headers).send().await.expect_problem(401, "bad_token");
    }
    ask(&edge, &[(KEY, &token), (KEY, &token)]).send().await.expect_problem(400, "malformed_request");
    admin.post("/directory/users/staff/revoke").send().await.expect_status(200);
    ask(&edge, &[(KEY, &token)]).send().await.expect_problem(401, "bad_token");
}
