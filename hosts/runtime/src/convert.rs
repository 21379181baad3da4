//! The core's shapes <-> those that wasmtime generates from `wit/policy.wit`. Each is taken apart by name.

use std::net::IpAddr;

use portcullis_core as core_api;
use portcullis_core::{Check, Credential, Effect, Reason, Stage, StageOutcome};

use crate::decision::{Decision, Explained, Explanation, NearMiss, Obligation, StageReport};
use wit::exports::portcullis::policy::authorizer as generated;

/// Made from the WIT; requests are borrowed, answers are owned.
pub(crate) mod wit {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "policy",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

pub(crate) fn request<'a>(request: &core_api::Request<'a>) -> generated::Request<'a> {
    let core_api::Request { action, target, source_ip, subject, credential } = *request;
    generated::Request {
        action,
        target: match target {
            core_api::Target::Http { host, path } => generated::Target::Http(generated::HttpTarget { host, path }),
            core_api::Target::Resource { kind, id } => {
                generated::Target::Resource(generated::ResourceTarget { kind, id })
            }
        },
        source_ip: source_ip.map(address),
        subject: subject.map(|core_api::Subject { id, state, roles, permission_groups, otp }| generated::Subject {
            id,
            state,
            roles,
            permission_groups,
            otp,
        }),
        credential: match credential {
            Credential::None => generated::Credential::None,
            Credential::Token => generated::Credential::Token,
            Credential::Session => generated::Credential::Session,
            Credential::ApiKey => generated::Credential::ApiKey,
        },
    }
}

fn address(address: IpAddr) -> generated::IpAddress {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            generated::IpAddress::Ipv4((a, b, c, d))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.segments();
            generated::IpAddress::Ipv6((a, b, c, d, e, f, g, h))
        }
    }
}

impl From<generated::Decision> for Decision {
    fn from(decision: generated::Decision) -> Self {
        let generated::Decision { effect, status, reason, rules, restriction, obligations, errors, revision } =
            decision;
        Self {
            effect: match effect {
                generated::Effect::Allow => Effect::Allow,
                generated::Effect::Deny => Effect::Deny,
            },
            status,
            reason: reason.into(),
            rules,
            restriction,
            obligations: obligations.into_iter().map(Obligation::from).collect(),
            errors,
            revision,
        }
    }
}

impl From<generated::Obligation> for Obligation {
    fn from(obligation: generated::Obligation) -> Self {
        match obligation {
            generated::Obligation::Audit(topic) => Self::Audit(topic),
            generated::Obligation::Denied => Self::Denied,
        }
    }
}

impl From<generated::Reason> for Reason {
    fn from(reason: generated::Reason) -> Self {
        use generated::Reason as Wit;
        match reason {
            Wit::MalformedRequest => Self::MalformedRequest,
            Wit::RestrictedMaintenance => Self::RestrictedMaintenance,
            Wit::RestrictedBlacklist => Self::RestrictedBlacklist,
            Wit::RestrictedLogin => Self::RestrictedLogin,
            Wit::Blocked => Self::Blocked,
            Wit::Public => Self::Public,
            Wit::SubjectInactive => Self::SubjectInactive,
            Wit::OtpRequired => Self::OtpRequired,
            Wit::TokenRevoked => Self::TokenRevoked,
            Wit::Rule => Self::Rule,
            Wit::Route => Self::Route,
            Wit::Unauthenticated => Self::Unauthenticated,
            Wit::MissingPermission => Self::MissingPermission,
            Wit::LevelTooLow => Self::LevelTooLow,
            Wit::NoMatch => Self::NoMatch,
            Wit::PolicyUnavailable => Self::PolicyUnavailable,
        }
    }
}

impl From<generated::Explanation> for Explained {
    fn from(explanation: generated::Explanation) -> Self {
        let generated::Explanation { decision, stages, nearest } = explanation;
        let stages = stages
            .into_iter()
            .map(|generated::Stage { name, outcome }| StageReport { stage: name.into(), outcome: outcome.into() });
        let nearest = nearest.into_iter().map(|generated::NearMiss { rule, failed }| NearMiss {
            rule,
            failed: failed.into_iter().map(Check::from).collect(),
        });
        let explanation = Explanation { stages: stages.collect(), nearest: nearest.collect() };
        Self { decision: decision.into(), explanation }
    }
}

impl From<generated::Check> for Check {
    fn from(check: generated::Check) -> Self {
        match check {
            generated::Check::Host => Self::Host,
            generated::Check::Path => Self::Path,
            generated::Check::Method => Self::Method,
            generated::Check::Who => Self::Who,
        }
    }
}

impl From<generated::StageName> for Stage {
    fn from(stage: generated::StageName) -> Self {
        use generated::StageName as Wit;
        match stage {
            Wit::Normalization => Self::Normalization,
            Wit::Restrictions => Self::Restrictions,
            Wit::Blocked => Self::Blocked,
            Wit::Public => Self::Public,
            Wit::SubjectState => Self::SubjectState,
            Wit::ApiKeyOtp => Self::ApiKeyOtp,
            Wit::DenyRules => Self::DenyRules,
            Wit::AllowRules => Self::AllowRules,
            Wit::Fallback => Self::Fallback,
        }
    }
}

impl From<generated::StageOutcome> for StageOutcome {
    fn from(outcome: generated::StageOutcome) -> Self {
        match outcome {
            generated::StageOutcome::Decided => Self::Decided,
            generated::StageOutcome::Passed => Self::Passed,
            generated::StageOutcome::NotReached => Self::NotReached,
        }
    }
}
