//! WIT shapes <-> the core's. Each is taken apart by name, so that a new case does not compile until someone decides.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use portcullis_core as core_api;
use portcullis_core::Names;

use crate::exports::portcullis::policy::authorizer::{
    Check, Credential, Decision, Effect, Explanation, HttpTarget, IpAddress, NearMiss, Obligation, OpenError, Reason,
    Request, ResourceTarget, Stage, StageName, StageOutcome, Subject, Target,
};

impl<'a> From<&'a Request> for core_api::Request<'a> {
    fn from(request: &'a Request) -> Self {
        let Request { action, target, source_ip, country, continent, subject, credential, context, now } = request;
        Self {
            action,
            target: target.into(),
            source_ip: source_ip.map(IpAddr::from),
            country: country.as_deref(),
            continent: continent.as_deref(),
            subject: subject.as_ref().map(core_api::Subject::from),
            credential: match credential {
                Credential::None => core_api::Credential::None,
                Credential::Token => core_api::Credential::Token,
                Credential::Session => core_api::Credential::Session,
                Credential::ApiKey => core_api::Credential::ApiKey,
            },
            context: context.as_deref(),
            now: *now,
        }
    }
}

impl<'a> From<&'a Target> for core_api::Target<'a> {
    fn from(target: &'a Target) -> Self {
        match target {
            Target::Http(HttpTarget { host, path }) => Self::Http { host: host.as_deref(), path },
            Target::Resource(ResourceTarget { kind, id, properties }) => {
                Self::Resource { kind, id: id.as_deref(), properties: properties.as_deref() }
            }
        }
    }
}

impl<'a> From<&'a Subject> for core_api::Subject<'a> {
    fn from(subject: &'a Subject) -> Self {
        let Subject { id, kind, state, roles, permission_groups, level, otp, issued_at, properties } = subject;
        Self {
            id,
            kind: kind.as_deref(),
            state,
            roles: Names::Owned(roles),
            permission_groups: Names::Owned(permission_groups),
            level: *level,
            otp: *otp,
            issued_at: *issued_at,
            properties: properties.as_deref(),
        }
    }
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> Self {
        match address {
            IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
            IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
        }
    }
}

impl From<core_api::OpenError> for OpenError {
    fn from(error: core_api::OpenError) -> Self {
        use core_api::OpenError as Core;
        match error {
            Core::NotABundle => Self::NotABundle,
            Core::Format { .. } | Core::MustUnderstand { .. } => Self::Unsupported(error.to_string()),
            Core::Length { .. }
            | Core::TooLarge { .. }
            | Core::Digest
            | Core::Unsigned
            | Core::UnknownKey { .. }
            | Core::Signature
            | Core::Malformed { .. }
            | Core::Tenant { .. }
            | Core::Older { .. }
            | Core::Expired { .. } => Self::Corrupt(error.to_string()),
        }
    }
}

impl From<core_api::Decision<'_>> for Decision {
    fn from(decision: core_api::Decision<'_>) -> Self {
        let core_api::Decision { effect, status, reason, rules, restriction, obligations, errors, revision } = decision;
        Self {
            effect: match effect {
                core_api::Effect::Allow => Effect::Allow,
                core_api::Effect::Deny => Effect::Deny,
            },
            status,
            reason: reason.into(),
            rules: rules.ids().map(|id| id.text()).collect(),
            restriction: restriction.map(str::to_owned),
            obligations: obligations.iter().map(Obligation::from).collect(),
            errors: errors.ids().map(|id| id.text()).collect(),
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

impl From<core_api::Reason> for Reason {
    fn from(reason: core_api::Reason) -> Self {
        use core_api::Reason as Core;
        match reason {
            Core::MalformedRequest => Self::MalformedRequest,
            Core::RestrictedMaintenance => Self::RestrictedMaintenance,
            Core::RestrictedBlacklist => Self::RestrictedBlacklist,
            Core::RestrictedLogin => Self::RestrictedLogin,
            Core::Blocked => Self::Blocked,
            Core::Public => Self::Public,
            Core::SubjectInactive => Self::SubjectInactive,
            Core::OtpRequired => Self::OtpRequired,
            Core::TokenRevoked => Self::TokenRevoked,
            Core::Rule => Self::Rule,
            Core::Route => Self::Route,
            Core::Unauthenticated => Self::Unauthenticated,
            Core::MissingPermission => Self::MissingPermission,
            Core::LevelTooLow => Self::LevelTooLow,
            Core::NoMatch => Self::NoMatch,
            Core::PolicyUnavailable => Self::PolicyUnavailable,
        }
    }
}

impl From<core_api::Explanation<'_>> for Explanation {
    fn from(explanation: core_api::Explanation<'_>) -> Self {
        let core_api::Explanation { decision, stages, nearest } = explanation;
        let nearest = nearest.into_iter().map(|miss| NearMiss {
            rule: miss.rule.text(),
            failed: miss.failed.into_iter().map(Check::from).collect(),
        });
        let stages = stages.map(|(stage, outcome)| Stage { name: stage.into(), outcome: outcome.into() });
        Self { decision: decision.into(), stages: stages.to_vec(), nearest: nearest.collect() }
    }
}

impl From<core_api::Check> for Check {
    fn from(check: core_api::Check) -> Self {
        match check {
            core_api::Check::Host => Self::Host,
            core_api::Check::Path => Self::Path,
            core_api::Check::Method => Self::Method,
            core_api::Check::Resource => Self::Resource,
            core_api::Check::Who => Self::Who,
            core_api::Check::Level => Self::Level,
            core_api::Check::When => Self::When,
        }
    }
}

impl From<core_api::Stage> for StageName {
    fn from(stage: core_api::Stage) -> Self {
        use core_api::Stage as Core;
        match stage {
            Core::Normalization => Self::Normalization,
            Core::Restrictions => Self::Restrictions,
            Core::Blocked => Self::Blocked,
            Core::Public => Self::Public,
            Core::SubjectState => Self::SubjectState,
            Core::ApiKeyOtp => Self::ApiKeyOtp,
            Core::Revocation => Self::Revocation,
            Core::DenyRules => Self::DenyRules,
            Core::AllowRules => Self::AllowRules,
            Core::Route => Self::Route,
            Core::Authentication => Self::Authentication,
            Core::RoutePermission => Self::RoutePermission,
            Core::Level => Self::Level,
            Core::Fallback => Self::Fallback,
        }
    }
}

impl From<core_api::StageOutcome> for StageOutcome {
    fn from(outcome: core_api::StageOutcome) -> Self {
        match outcome {
            core_api::StageOutcome::Decided => Self::Decided,
            core_api::StageOutcome::Passed => Self::Passed,
            core_api::StageOutcome::NotReached => Self::NotReached,
        }
    }
}
