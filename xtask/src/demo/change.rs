//! A change of the policy, and how long it takes until every worker of Envoy enforces it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use portcullis_rig::{Request, Response};

use crate::demo::shop::{self, HOST};
use crate::demo::stage::Stage;

const TIMEOUT: Duration = Duration::from_secs(30);
/// Status of the maintenance restriction in the policy.
const CLOSED: u16 = 471;

pub(crate) fn show(stage: &Stage) -> Result<()> {
    let open = shop::policy()?;
    let closed = open.replace("state: disabled", "state: enabled");
    ensure!(open != closed, "the policy has no disabled restriction to enable");
    let revision = stage.server.send(Request::get("/policy/document"))?.expect_status(200)?;
    let revision = revision.header("etag").and_then(|etag| etag.trim_matches('"').parse().ok());
    let revision = revision.context("no revision in the etag of the policy")?;

    let revision = replace(stage, "closing the shop", revision, &closed, |response| response.status == CLOSED)?;
    replace(stage, "opening it again", revision, &open, |response| response.status == 200)?;
    Ok(())
}

/// Stores a document and waits until every worker answers as it says.
fn replace(
    stage: &Stage,
    what: &str,
    revision: u64,
    document: &str,
    is_enforced: impl Fn(&Response) -> bool,
) -> Result<u64> {
    let sent = Instant::now();
    let revision = stage.server.put_policy_if(Some(revision), document)?;
    let stored = sent.elapsed();
    let probe = Request::get("/catalog").header("host", HOST).header("x-forwarded-for", "203.0.113.9");
    stage.envoy.wait_until_all(what, &probe, TIMEOUT, is_enforced)?;
    let enforced = sent.elapsed();
    let (stored, enforced) = (stored.as_secs_f64() * 1e3, enforced.as_secs_f64() * 1e3);
    println!(
        "{what}: revision {revision} stored after {stored:.0} ms, enforced by every worker after {enforced:.0} ms"
    );
    Ok(revision)
}
