//! Decisions and explanations that own their texts, as JSON and as text for people.
//!
//! In: what the core answered. Out: the JSON of design/decision.md section 3, on one line; or lines to read.

use std::fmt;

use portcullis_core as core_api;
use portcullis_core::{Policy, Scratch};

use crate::json::{list, quoted};
use crate::request::Request;

/// See `portcullis_core::Decision`; names as in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub decision: &'static str,
    pub status: u16,
    pub reason: &'static str,
    pub rules: Vec<String>,
    pub restriction: Option<String>,
    pub obligations: Vec<Obligation>,
    pub errors: Vec<String>,
    pub revision: u64,
}

/// See `portcullis_core::Obligation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obligation {
    Audit(String),
    Denied,
}

/// A decision, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub decision: Decision,
    /// Stage and outcome, in order.
    pub stages: Vec<(&'static str, &'static str)>,
    /// For a deny: rules that came close, and what failed.
    pub nearest: Vec<(String, Vec<&'static str>)>,
}

impl Explained {
    /// What `policy` answers to `request`.
    pub fn of(policy: &Policy, request: &Request) -> Self {
        let mut scratch = Scratch::default();
        let core_api::Explanation { decision, stages, nearest } =
            core_api::explain(policy, &request.as_core(), &mut scratch);
        Self {
            decision: Decision::from(decision),
            stages: stages.iter().map(|(stage, outcome)| (stage.name(), outcome.name())).collect(),
            nearest: nearest
                .into_iter()
                .map(|miss| (miss.rule.to_string(), miss.failed.iter().map(|check| check.name()).collect()))
                .collect(),
        }
    }

    /// The decision with the key `explanation`.
    pub fn json(&self) -> String {
        let stages = self.stages.iter();
        let stages = stages.map(|(stage, outcome)| format!("{{\"stage\":\"{stage}\",\"outcome\":\"{outcome}\"}}"));
        let nearest = self.nearest.iter();
        let nearest =
            nearest.map(|(rule, failed)| format!("{{\"rule\":{},\"failed\":{}}}", quoted(rule), list(failed)));
        format!(
            "{},\"explanation\":{{\"stages\":[{}],\"nearest\":[{}]}}}}",
            self.decision.json().trim_end_matches('}'),
            stages.collect::<Vec<_>>().join(","),
            nearest.collect::<Vec<_>>().join(",")
        )
    }
}

impl Decision {
    pub fn json(&self) -> String {
        let Self { decision, status, reason, rules, restriction, obligations, errors, revision } = self;
        let restriction = restriction.as_deref().map_or("null".to_owned(), quoted);
        format!(
            "{{\"decision\":\"{decision}\",\"status\":{status},\"reason\":\"{reason}\",\"rules\":{},\"restriction\":{restriction},\"obligations\":{},\"errors\":{},\"revision\":{revision}}}",
            list(rules),
            Obligation::list(obligations),
            list(errors)
        )
    }
}

impl From<core_api::Decision<'_>> for Decision {
    fn from(decision: core_api::Decision<'_>) -> Self {
        let core_api::Decision { effect, status, reason, rules, restriction, obligations, errors, revision } = decision;
        Self {
            decision: effect.name(),
            status,
            reason: reason.name(),
            rules: rules.ids().map(|id| id.to_string()).collect(),
            restriction: restriction.map(str::to_owned),
            obligations: obligations.iter().map(Obligation::from).collect(),
            errors: errors.ids().map(|id| id.to_string()).collect(),
            revision,
        }
    }
}

impl Obligation {
    pub(crate) fn list(obligations: &[Self]) -> String {
        let json = obligations.iter().map(|obligation| match obligation {
            Self::Audit(topic) => format!("{{\"audit\":{}}}", quoted(topic)),
            Self::Denied => "\"denied\"".to_owned(),
        });
        format!("[{}]", json.collect::<Vec<_>>().join(","))
    }
}

impl From<core_api::Obligation<'_>> for Obligation {
    fn from(obligation: core_api::Obligation<'_>) -> Self {
        match obligation {
            core_api::Obligation::Audit(topic) => Self::Audit(topic.to_owned()),
            core_api::Obligation::Denied => Self::Denied,
        }
    }
}

/// Some lines, the last one without an end.
impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { decision, status, reason, rules, restriction, obligations, errors, revision: _ } =
            &self.decision;
        write!(f, "{decision}, {status}, {reason}")?;
        if !rules.is_empty() {
            write!(f, "\nrules: {}", rules.join(", "))?;
        }
        if let Some(restriction) = restriction {
            write!(f, "\nrestriction: {restriction}")?;
        }
        for obligation in obligations {
            match obligation {
                Obligation::Audit(topic) => write!(f, "\nobligation: audit to {topic}")?,
                Obligation::Denied => write!(f, "\nobligation: audit that it was denied")?,
            }
        }
        if !errors.is_empty() {
            write!(f, "\nconditions that could not be evaluated: {}", errors.join(", "))?;
        }
        let width = self.stages.iter().map(|(stage, _)| stage.len()).max().unwrap_or(0);
        for (stage, outcome) in &self.stages {
            write!(f, "\n  {:<width$}  {}", stage.replace('_', " "), outcome.replace('_', " "))?;
        }
        if !self.nearest.is_empty() {
            write!(f, "\nrules that came close, and what did not match:")?;
        }
        for (rule, failed) in &self.nearest {
            write!(f, "\n  {rule}: {}", failed.join(", "))?;
        }
        Ok(())
    }
}
