//! What a host gets: allow or deny, why, and what it must do.
//!
//! A decision borrows the policy and the scratch it was made with; a host copies what it keeps.

use core::fmt;

use portcullis_bundle::{Policy, Reason};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

impl Effect {
    /// Name in JSON, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// The answer to one request (design: "Decision").
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    pub effect: Effect,
    /// HTTP status for a PEP to answer with; 200 for an allow.
    pub status: u16,
    pub reason: Reason,
    /// Every rule that decided, in document order; or the route that did; empty when another stage decided.
    pub rules: Rules<'a>,
    /// Id of the restriction that denied.
    pub restriction: Option<&'a str>,
    pub obligations: Obligations<'a>,
    /// Rules whose condition could not be evaluated, in document order.
    pub errors: Rules<'a>,
    /// Revision of the policy; 0 when there was none.
    pub revision: u64,
}

impl Decision<'_> {
    /// The deny of a PEP that has no usable policy.
    pub const UNAVAILABLE: Decision<'static> = Decision {
        effect: Effect::Deny,
        status: Reason::PolicyUnavailable.default_status(),
        reason: Reason::PolicyUnavailable,
        rules: Rules::NONE,
        restriction: None,
        obligations: Obligations::NONE,
        errors: Rules::NONE,
        revision: 0,
    };

    pub fn is_allow(&self) -> bool {
        self.effect == Effect::Allow
    }
}

/// What a rule or a route is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleId<'a> {
    Given(&'a str),
    /// A rule without an id, by its position in the document.
    Rule(u32),
    /// The permissions of a method of a path of a route, by their positions.
    Route {
        route: u32,
        path: u32,
        method: &'a str,
    },
}

impl fmt::Display for RuleId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(id) => f.write_str(id),
            Self::Rule(rule) => write!(f, "rules[{rule}]"),
            Self::Route { route, path, method } => write!(f, "routes[{route}].paths[{path}].{method}"),
        }
    }
}

impl<'a> RuleId<'a> {
    /// The same text as `to_string`, at less cost.
    pub fn text(&self) -> String {
        match *self {
            Self::Given(id) => id.to_owned(),
            Self::Rule(rule) => ["rules[", itoa::Buffer::new().format(rule), "]"].concat(),
            Self::Route { .. } => self.to_string(),
        }
    }

    /// The id of `rule`; `None` when the policy has no such rule.
    pub(crate) fn of(policy: &'a Policy, rule: u32) -> Option<Self> {
        let id = policy.rule_id(rule)?;
        Some(if id.is_empty() { Self::Rule(rule) } else { Self::Given(id) })
    }
}

/// Rules of a policy in document order, or one route.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    None,
    Rules(&'a Policy, &'a [u32]),
    Route(RuleId<'a>),
}

impl<'a> Rules<'a> {
    pub(crate) const NONE: Rules<'static> = Rules(Source::None);

    pub(crate) fn new(policy: &'a Policy, rules: &'a [u32]) -> Self {
        Self(Source::Rules(policy, rules))
    }

    pub(crate) fn route(id: RuleId<'a>) -> Self {
        Self(Source::Route(id))
    }

    pub(crate) fn len(&self) -> usize {
        match self.0 {
            Source::None => 0,
            Source::Rules(_, rules) => rules.len(),
            Source::Route(_) => 1,
        }
    }

    pub fn ids(&self) -> impl Iterator<Item = RuleId<'a>> + use<'a> {
        let route = match self.0 {
            Source::Route(id) => Some(id),
            Source::None | Source::Rules(..) => None,
        };
        route.into_iter().chain(self.read(RuleId::of))
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.read(Policy::rule_topic)
    }

    fn read<T: 'a>(&self, read: fn(&'a Policy, u32) -> Option<T>) -> impl Iterator<Item = T> + use<'a, T> {
        let rules = match self.0 {
            Source::Rules(policy, rules) => Some((policy, rules)),
            Source::None | Source::Route(_) => None,
        };
        rules.into_iter().flat_map(move |(policy, rules)| rules.iter().filter_map(move |&rule| read(policy, rule)))
    }
}

/// Something the PEP must do for the decision to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation<'a> {
    /// Write an audit record to this topic.
    Audit(&'a str),
    /// Write that an authenticated subject was refused.
    Denied,
}

#[derive(Clone, Copy, Debug)]
pub struct Obligations<'a> {
    pub(crate) audits: Rules<'a>,
    pub(crate) denied: bool,
}

impl<'a> Obligations<'a> {
    pub(crate) const NONE: Obligations<'static> = Obligations { audits: Rules::NONE, denied: false };

    /// In document order of the rules that ask for them.
    pub fn iter(&self) -> impl Iterator<Item = Obligation<'a>> + use<'a> {
        let denied = self.denied.then_some(Obligation::Denied);
        self.audits.topics().map(Obligation::Audit).chain(denied)
    }

    /// The audit rules that apply.
    pub fn audits(&self) -> Rules<'a> {
        self.audits
    }
}
