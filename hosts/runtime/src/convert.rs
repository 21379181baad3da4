//! The core's shapes <-> those that wasmtime generates from `wit/policy.wit`. Each is taken apart by name.

mod report;

use std::net::IpAddr;

use portcullis_core::{Check, Credential, Effect, Reason, Stage, StageOutcome};

use crate::decision::{Decision, Explained, Explanation, NearMiss, Obligation, StageReport};
use crate::request::{Request, Subject, Target};
use wit::exports::portcullis::policy::authorizer as generated;

/// Made from the WIT; requests are borrowed, answers are owned.
pub(crate) mod wit {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "policy",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The lists of names of a request as slices, which is how wasmtime borrows a `list<string>`.
#[derive(Default)]
pub(crate) struct Lists<'a> {
    roles: Vec<&'a str>,
    permission_groups: Vec<&'a str>,
}

impl<'a> From<&'a Request> for Lists<'a> {
    fn from(request: &'a Request) -> Self {
        let Some(subject) = &request.subject else { return Self::default() };
        let texts = |names: &'a [String]| names.iter().map(String::as_str).collect();
        Self { roles: texts(&subject.roles), permission_groups: texts(&subject.permission_groups) }
    }
}

/// `lists` are those of `request`.
pub(crate) fn request<'a>(request: &'a Request, lists: &'a Lists<'a>) -> generated::Request<'a> {
    let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
    generated::Request {
        action,
        target: match target {
            Target::Http { host, path } => {
                generated::Target::Http(generated::HttpTarget { host: host.as_deref(), path })
            }
            Target::Resource { kind, id, properties } => {
                let (id, properties) = (id.as_deref(), properties.as_deref());
                generated::Target::Resource(generated::ResourceTarget { kind, id, properties })
            }
        },
        source_ip: source_ip.map(address),
        country: country.as_deref(),
        continent: continent.as_deref(),
        subject: subject.as_ref().map(|one| subject_of(one, lists)),
        credential: match credential {
            Credential::None => generated::Credential::None,
            Credential::Token => generated::Credential::Token,
            Credential::Session => generated::Credential::Session,
            Credential::ApiKey => generated::Credential::ApiKey,
        },
        context: context.as_deref(),
        now: *now,
    }
}

fn subject_of<'a>(subject: &'a Subject, lists: &'a Lists<'a>) -> generated::Subject<'a> {
    let Subject { id, kind, state, roles: _, permission_groups: _, level, otp, issued_at, properties } = subject;
    generated::Subject {
        id,
        kind: kind.as_deref(),
        state,
        roles: &lists.roles,
        permission_groups: &lists.permission_groups,
        level: *level,
        otp: *otp,
        issued_at: *issued_at,
        properties: properties.as_deref(),
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
            generated::Check::Resource => Self::Resource,
            generated::Check::Who => Self::Who,
            generated::Check::Level => Self::Level,
            generated::Check::When => Self::When,
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
            Wit::Revocation => Self::Revocation,
            Wit::DenyRules => Self::DenyRules,
            Wit::AllowRules => Self::AllowRules,
            Wit::Route => Self::Route,
            Wit::Authentication => Self::Authentication,
            Wit::RoutePermission => Self::RoutePermission,
            Wit::Level => Self::Level,
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
