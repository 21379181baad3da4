//! Turns a policy and a request into a decision.
//!
//! In: `Policy` (opened), `Request` (facts as the host verified them), `Scratch` (reused buffers).
//! Out: `Decision`, always; a policy that cannot be read is a deny. Never allocates once the scratch has grown.
//! The order is the table of design/decision.md section 3: the first stage that decides wins, any deny beats any allow.

use portcullis_bundle::layout::{CategoryKind, Class, Entry};
use portcullis_bundle::{Policy, Reason};

use crate::canonical::canonicalize;
use crate::decision::{Decision, Effect, Obligations, Rules};
use crate::host::{self, Host};
use crate::principals::Principals;
use crate::request::{Credential, Request, Subject, Target};
use crate::restrict::{Verdict, restrict};
use crate::route;

/// Buffers that one decision after the other reuses.
#[derive(Debug, Default)]
pub struct Scratch {
    path: Vec<u8>,
    principals: Vec<u32>,
    hits: Hits,
}

/// The rules that apply, by effect, and whether a target without a rule does.
#[derive(Debug, Default)]
struct Hits {
    blocked: bool,
    public: bool,
    denies: Vec<u32>,
    allows: Vec<u32>,
    audits: Vec<u32>,
}

/// The decision on `request` under `policy`.
pub fn decide<'a>(policy: &'a Policy, request: &Request<'_>, scratch: &'a mut Scratch) -> Decision<'a> {
    evaluate(policy, request, scratch).unwrap_or(Decision::UNAVAILABLE)
}

/// `None` when the policy cannot be read.
fn evaluate<'a>(policy: &'a Policy, request: &Request<'_>, scratch: &'a mut Scratch) -> Option<Decision<'a>> {
    let Scratch { path, principals, hits } = scratch;
    let subject = request.subject.as_ref();
    let deny = |reason| Decision {
        effect: Effect::Deny,
        status: policy.status(reason),
        reason,
        rules: Rules::NONE,
        restriction: None,
        obligations: Obligations { audits: Rules::NONE, denied: false },
        revision: policy.revision(),
    };

    let Some(http) = Http::normalize(policy, request, path) else {
        return Some(deny(Reason::MalformedRequest));
    };
    if let Verdict::Denied { category, restriction } = restrict(policy, request.source_ip)? {
        let restriction = policy.restriction(restriction)?;
        let id = core::str::from_utf8(policy.text(restriction.id)?).ok()?;
        return Some(Decision { status: restriction.code.get(), restriction: Some(id), ..deny(restricted(category)) });
    }
    let principals = Principals::resolve(policy, subject, principals);
    hits.collect(policy, http.as_ref(), path, &principals)?;
    let Hits { blocked, public, denies, allows, audits } = &*hits;
    let allow = |reason, rules| Decision {
        effect: Effect::Allow,
        status: 200,
        rules,
        obligations: Obligations { audits: Rules(Some((policy, audits))), denied: false },
        ..deny(reason)
    };
    let refuse = |reason, rules| Decision {
        rules,
        obligations: Obligations { audits: Rules::NONE, denied: subject.is_some() },
        ..deny(reason)
    };

    Some(match subject {
        _ if *blocked => deny(Reason::Blocked),
        _ if *public => allow(Reason::Public, Rules::NONE),
        Some(subject) if !is_state_accepted(policy, subject) => deny(Reason::SubjectInactive),
        Some(subject) if lacks_otp(policy, subject, request.credential) => deny(Reason::OtpRequired),
        _ if !denies.is_empty() => refuse(Reason::Rule, Rules(Some((policy, denies)))),
        _ if !allows.is_empty() => allow(Reason::Rule, Rules(Some((policy, allows)))),
        None => deny(Reason::Unauthenticated),
        Some(_) => refuse(Reason::NoMatch, Rules::NONE),
    })
}

fn restricted(category: CategoryKind) -> Reason {
    match category {
        CategoryKind::Maintenance => Reason::RestrictedMaintenance,
        CategoryKind::Blacklist | CategoryKind::Whitelist => Reason::RestrictedBlacklist,
    }
}

fn is_state_accepted(policy: &Policy, subject: &Subject<'_>) -> bool {
    policy.states().iter().any(|&state| policy.text(state) == Some(subject.state.as_bytes()))
}

fn lacks_otp(policy: &Policy, subject: &Subject<'_>, credential: Credential) -> bool {
    credential == Credential::ApiKey && policy.api_key_requires_otp() && !subject.otp
}

/// What HTTP targets compare, beside the canonical path.
pub(crate) struct Http<'a> {
    pub(crate) host: Option<Host<'a>>,
    pub(crate) method: u64,
}

impl<'a> Http<'a> {
    /// The facts in the form rules compare, and the canonical path in `path`; `None` when they are malformed.
    /// The inner option is `None` for a target that is not HTTP.
    #[expect(clippy::option_option, reason = "malformed and not HTTP are different answers")]
    pub(crate) fn normalize(policy: &Policy, request: &Request<'a>, path: &mut Vec<u8>) -> Option<Option<Self>> {
        let has_too_many_names =
            |subject: Subject<'_>| subject.roles.len().max(subject.permission_groups.len()) > Subject::MAX_ROLES;
        if request.subject.is_some_and(has_too_many_names) {
            return None;
        }
        match request.target {
            Target::Resource { .. } => (!request.action.is_empty()).then_some(None),
            Target::Http { host, path: raw } => {
                canonicalize(raw, path).ok()?;
                let host = match host {
                    None | Some("") => None,
                    Some(authority) => Some(Host::parse(authority)?),
                };
                let method = request.action.as_bytes();
                is_method(method).then(|| Some(Self { host, method: policy.method_bit(method) }))
            }
        }
    }

    fn matches(&self, policy: &Policy, entry: &Entry) -> Option<bool> {
        Some(entry.methods.get() & self.method != 0 && host::matches(policy, entry.hosts.get(), self.host)?)
    }
}

/// Whether `method` is an HTTP method: a token (RFC 9110 sections 9.1 and 5.6.2).
pub fn is_method(method: &[u8]) -> bool {
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !method.is_empty() && method.iter().all(is_token_byte)
}

impl Hits {
    /// Finds everything that applies to the request at `path`.
    fn collect(
        &mut self,
        policy: &Policy,
        http: Option<&Http<'_>>,
        path: &[u8],
        principals: &Principals<'_>,
    ) -> Option<()> {
        (self.blocked, self.public) = (false, false);
        for rules in [&mut self.denies, &mut self.allows, &mut self.audits] {
            rules.clear();
        }
        let Some(http) = http else { return Some(()) };
        let mut readable = Some(());
        route::matching(policy, path, &mut |entry| {
            if self.add(policy, http, principals, entry).is_none() {
                readable = None;
            }
        })?;
        for rules in [&mut self.denies, &mut self.allows, &mut self.audits] {
            rules.sort_unstable();
        }
        readable
    }

    fn add(&mut self, policy: &Policy, http: &Http<'_>, principals: &Principals<'_>, entry: &Entry) -> Option<()> {
        if !http.matches(policy, entry)? {
            return Some(());
        }
        let rules = match Class::from_byte(entry.class)? {
            Class::Blocked => {
                self.blocked = true;
                return Some(());
            }
            Class::Public => {
                self.public = true;
                return Some(());
            }
            Class::Deny => &mut self.denies,
            Class::Allow => &mut self.allows,
            Class::Audit => &mut self.audits,
        };
        if principals.hold(policy, entry)? {
            rules.push(entry.rule.get());
        }
        Some(())
    }
}
