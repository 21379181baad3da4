//! What a host gets: allow or deny, why, and what it must do.
//!
//! A decision borrows the policy and the scratch it was made with; a host copies what it keeps.

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
    /// Every rule that decided, in document order; empty when another stage decided.
    pub rules: Rules<'a>,
    /// Id of the restriction that denied.
    pub restriction: Option<&'a str>,
    pub obligations: Obligations<'a>,
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
        obligations: Obligations { audits: Rules::NONE, denied: false },
        revision: 0,
    };

    pub fn is_allow(&self) -> bool {
        self.effect == Effect::Allow
    }
}

/// Rules of a policy, in document order.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a>(pub(crate) Option<(&'a Policy, &'a [u32])>);

impl<'a> Rules<'a> {
    pub(crate) const NONE: Rules<'static> = Rules(None);

    /// Ids of the rules.
    pub fn ids(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.read(Policy::rule_id)
    }

    fn topics(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.read(Policy::rule_topic)
    }

    fn read(&self, text: fn(&Policy, u32) -> Option<&str>) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.into_iter().flat_map(move |(policy, rules)| rules.iter().filter_map(move |&rule| text(policy, rule)))
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
    /// In document order of the rules that ask for them.
    pub fn iter(&self) -> impl Iterator<Item = Obligation<'a>> + use<'a> {
        let denied = self.denied.then_some(Obligation::Denied);
        self.audits.topics().map(Obligation::Audit).chain(denied)
    }
}
