//! A candidate policy beside the one in force, in a real Envoy with the real server: told, never enforced.

use portcullis_rig::Request;
use portcullis_rig::process::poll;
use serde_json::{Value, json};

use super::{POLICY, STRICTER, TIMEOUT, publish, staff};
use crate::stage::Stage;

#[test]
fn what_a_candidate_would_change_is_counted_and_recorded_and_changes_nothing() {
    let stage = Stage::start(|setup| {
        setup.workers = 2;
        setup.more = json!({"shadow": true, "decision_logs": {}});
    })
    .unwrap();
    let public = Request::get("/public");
    publish(&stage, POLICY, &public, |response| response.status == 200);
    let candidate = Request::new("PUT", "/policy/candidate").body("application/yaml", STRICTER);
    stage.server.send(candidate).unwrap().expect_status(200).unwrap();

    let differences = || -> anyhow::Result<Vec<Value>> {
        let page = stage.server.send(Request::get("/policy/decision-logs?limit=200"))?.expect_status(200)?.json()?;
        let records = page["records"].as_array().cloned().unwrap_or_default();
        Ok(records.into_iter().filter(|record| !record["shadow"].is_null()).collect())
    };
    // It takes hold of each worker in its own time; meanwhile and afterwards the answers stay.
    let found = poll("the server to know of a difference", TIMEOUT, || {
        for _ in 0..10 {
            assert_eq!(stage.envoy.send(&public)?.status, 200);
            // Denied by the policy in force, allowed by the candidate.
            assert_eq!(stage.envoy.send(&Request::get("/secrets/1").bearer(&staff()))?.status, 403);
            // The same by both.
            assert_eq!(stage.envoy.send(&Request::get("/a").bearer(&staff()))?.status, 200);
        }
        let found = differences()?;
        let has = |path: &str| found.iter().any(|record| record["path"] == path);
        Ok((has("/public") && has("/secrets/1")).then_some(found))
    })
    .unwrap();
    for record in found {
        let told = (record["path"].as_str(), record["effect"].as_str(), record["shadow"]["effect"].as_str());
        let expected = match told.0 {
            Some("/public") => ("allow", "deny"),
            Some("/secrets/1") => ("deny", "allow"),
            other => panic!("a difference at {other:?}: {record}"),
        };
        assert_eq!((told.1, told.2), (Some(expected.0), Some(expected.1)));
    }
    let metrics = stage.envoy.filter_metrics().unwrap();
    for kind in ["same", "different"] {
        let label = format!("kind=\"{kind}\"");
        let counted = |line: &&String| line.starts_with("portcullis_shadow_decisions_total{") && line.contains(&label);
        assert!(metrics.iter().any(|line| counted(&line)), "{kind} is not in {metrics:#?}");
    }

    // Without the candidate there is nothing to differ from.
    stage.server.send(Request::new("DELETE", "/policy/candidate")).unwrap().expect_status(204).unwrap();
    assert_eq!(stage.envoy.send(&public).unwrap().status, 200);
}
