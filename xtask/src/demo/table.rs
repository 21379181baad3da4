//! The table: each request, the verdict at the edge, the verdict of the server.

use std::fmt;

use anyhow::{Context, Result};
use portcullis_rig::upstream::Seen;
use portcullis_rig::{Client, Response};
use serde_json::Value;

use crate::demo::shop::{VISITS, Visit};
use crate::demo::stage::Stage;

/// What somebody says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    status: u64,
    /// Of a deny; what an upstream answers says nothing about why it was asked.
    reason: Option<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{} {reason}", self.status),
            None => write!(f, "{} allow", self.status),
        }
    }
}

impl Verdict {
    /// From the response alone: it comes from the upstream, or it is a denial with its reason.
    fn of_edge(response: &Response) -> Result<Self> {
        let status = u64::from(response.status);
        if Seen::in_response(response).is_ok() {
            return Ok(Self { status, reason: None });
        }
        let body = response.json()?;
        let reason = body["reason"].as_str().with_context(|| format!("status {status} without a reason: {body}"))?;
        Ok(Self { status, reason: Some(reason.to_owned()) })
    }

    fn of_server(decision: &Value) -> Result<Self> {
        let status = decision["status"].as_u64().context("no status in the decision")?;
        let reason = decision["reason"].as_str().context("no reason in the decision")?;
        let is_allow = decision["decision"] == "allow";
        Ok(Self { status, reason: (!is_allow).then(|| reason.to_owned()) })
    }
}

/// Sends every request, prints the table, and answers how many rows disagree.
pub(crate) fn show(stage: &Stage) -> Result<usize> {
    let mut client = stage.envoy.client();
    let mut rows = vec![["who", "request", "from", "edge", "server", "rule", "agree"].map(str::to_owned)];
    let mut disagreements = 0;
    for visit in &VISITS {
        let (row, agrees) = row(stage, &mut client, visit).with_context(|| format!("{visit:?}"))?;
        rows.push(row);
        disagreements += usize::from(!agrees);
    }
    print(&rows);
    Ok(disagreements)
}

fn row(stage: &Stage, client: &mut Client, visit: &Visit) -> Result<([String; 7], bool)> {
    let response = client.send(&visit.request())?;
    let edge = Verdict::of_edge(&response)?;
    let decision = stage.server.decide(&visit.facts())?;
    let server = Verdict::of_server(&decision)?;
    let mut agreement = if edge == server { "yes" } else { "NO" };
    if edge.reason.is_none() && !tells_the_truth(visit, &Seen::in_response(&response)?) {
        agreement = "NO: wrong identity at the upstream";
    }
    let row = [
        visit.who.map_or_else(|| "anonymous".to_owned(), |who| who.label()),
        format!("{} {}{}", visit.method, visit.path, if visit.forged.is_empty() { "" } else { " (forged identity)" }),
        visit.from.to_owned(),
        edge.to_string(),
        server.to_string(),
        ruled_by(&decision),
        agreement.to_owned(),
    ];
    Ok((row, agreement == "yes"))
}

/// Whether the upstream was told who the subject is, once, and nothing by the client.
fn tells_the_truth(visit: &Visit, seen: &Seen) -> bool {
    let subject: Vec<_> = visit.who.iter().map(|who| who.name).collect();
    seen.headers("x-portcullis-subject") == subject && seen.headers("x-portcullis-roles").len() == subject.len()
}

/// What decided, and what else has to be done.
fn ruled_by(decision: &Value) -> String {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut ruled_by = texts(&decision["rules"]);
    ruled_by.extend(decision["restriction"].as_str().map(str::to_owned));
    for obligation in decision["obligations"].as_array().into_iter().flatten() {
        if let Some(topic) = obligation["audit"].as_str() {
            ruled_by.push(format!("(audit {topic})"));
        }
    }
    if ruled_by.is_empty() { "-".to_owned() } else { ruled_by.join(" ") }
}

fn print<const N: usize>(rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in rows {
        let cells: Vec<_> = (0..).zip(row).map(|(at, cell)| format!("{cell:<0$}", width(at).unwrap_or(0))).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}
