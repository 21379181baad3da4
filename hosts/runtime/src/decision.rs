//! A decision that owns its texts, and its JSON (design/decision.md section 3).

use portcullis_core as core_api;
use portcullis_core::{Check, Effect, Reason, Stage, StageOutcome};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// See `portcullis_core::Decision`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    #[serde(rename = "decision", serialize_with = "effect_name")]
    pub effect: Effect,
    pub status: u16,
    #[serde(serialize_with = "reason_name")]
    pub reason: Reason,
    pub rules: Vec<String>,
    pub restriction: Option<String>,
    pub obligations: Vec<Obligation>,
    /// Ids of rules whose condition could not be evaluated.
    pub errors: Vec<String>,
    pub revision: u64,
}

/// See `portcullis_core::Obligation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obligation {
    Audit(String),
    Denied,
}

/// How a decision came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Every stage, in order.
    pub stages: Vec<StageReport>,
    /// For a deny: governing route and allow rules with the fewest failed checks.
    pub nearest: Vec<NearMiss>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageReport {
    pub stage: Stage,
    pub outcome: StageOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    pub rule: String,
    pub failed: Vec<Check>,
}

/// A decision with its explanation; in JSON the decision with one more key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    #[serde(flatten)]
    pub decision: Decision,
    pub explanation: Explanation,
}

impl Decision {
    /// The deny of a PEP that has no usable policy.
    pub fn unavailable() -> Self {
        core_api::Decision::UNAVAILABLE.into()
    }

    pub fn is_allow(&self) -> bool {
        self.effect == Effect::Allow
    }
}

impl From<core_api::Decision<'_>> for Decision {
    fn from(decision: core_api::Decision<'_>) -> Self {
        let core_api::Decision { effect, status, reason, rules, restriction, obligations, errors, revision } = decision;
        Self {
            effect,
            status,
            reason,
            rules: rules.ids().map(|id| id.to_string()).collect(),
            restriction: restriction.map(str::to_owned),
            obligations: obligations.iter().map(Obligation::from).collect(),
            errors: errors.ids().map(|id| id.to_string()).collect(),
            revision,
        }
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

impl Explained {
    /// What there is to say when there is no policy.
    pub fn unavailable() -> Self {
        let not_reached = |stage| StageReport { stage, outcome: StageOutcome::NotReached };
        let explanation = Explanation { stages: Stage::ALL.map(not_reached).to_vec(), nearest: Vec::new() };
        Self { decision: Decision::unavailable(), explanation }
    }
}

impl From<core_api::Explanation<'_>> for Explained {
    fn from(explanation: core_api::Explanation<'_>) -> Self {
        let core_api::Explanation { decision, stages, nearest } = explanation;
        let stages = stages.map(|(stage, outcome)| StageReport { stage, outcome }).to_vec();
        let nearest = nearest.into_iter().map(|miss| NearMiss { rule: miss.rule.to_string(), failed: miss.failed });
        let explanation = Explanation { stages, nearest: nearest.collect() };
        Self { decision: decision.into(), explanation }
    }
}

// === JSON names; the core knows nothing of serde ===

fn effect_name<S: Serializer>(effect: &Effect, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(effect.name())
}

fn reason_name<S: Serializer>(reason: &Reason, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.name())
}

impl Serialize for StageReport {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_struct("StageReport", 2)?;
        object.serialize_field("stage", self.stage.name())?;
        object.serialize_field("outcome", self.outcome.name())?;
        object.end()
    }
}

impl Serialize for NearMiss {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let failed: Vec<&str> = self.failed.iter().map(|check| check.name()).collect();
        let mut object = to.serialize_struct("NearMiss", 2)?;
        object.serialize_field("rule", &self.rule)?;
        object.serialize_field("failed", &failed)?;
        object.end()
    }
}
