//! One rule whose condition reads five properties, and requests that carry them: two of the subject, two of the
//! resource, one of the context. Of five requests four are right in every part, the others wrong in one.

use portcullis_core::{Credential, Names, Request, Subject, Target};

use super::{Question, SEED};
use crate::random::Random;

/// The policy document, JSON.
pub const PAYMENTS: &str = r#"{"version": 1, "roles": {"clerk": {}}, "rules": [{
    "effect": "allow", "who": {"roles": ["clerk"]}, "resource": {"types": ["payment"], "actions": ["approve"]},
    "when": "resource.properties.branch == subject.properties.branch && resource.properties.amount <= subject.properties.limit && context.channel == 'office'"
}]}"#;

const BRANCHES: [&str; 6] = ["bergen", "krakow", "lisbon", "odessa", "tartu", "vienna"];

/// May this clerk approve this payment?
#[derive(Clone, Debug)]
pub struct Payment {
    id: String,
    /// Texts of JSON objects.
    properties: String,
    context: String,
    subject: String,
    subject_properties: String,
    allowed: bool,
}

impl Question for Payment {
    fn request(&self) -> Request<'_> {
        Request {
            action: "approve",
            target: Target::Resource { kind: "payment", id: Some(&self.id), properties: Some(&self.properties) },
            source_ip: None,
            country: None,
            continent: None,
            subject: Some(Subject {
                id: &self.subject,
                kind: None,
                state: Subject::DEFAULT_STATE,
                roles: Names::Borrowed(&["clerk"]),
                permission_groups: Names::NONE,
                level: None,
                otp: false,
                issued_at: None,
                properties: Some(&self.subject_properties),
            }),
            credential: Credential::Token,
            context: Some(&self.context),
            now: None,
        }
    }

    fn is_allowed(&self) -> bool {
        self.allowed
    }
}

pub fn payments(count: usize) -> Vec<Payment> {
    let mut random = Random::new(SEED);
    (0..count).map(|_| payment(&mut random)).collect()
}

fn payment(random: &mut Random) -> Payment {
    let wrong = if random.chance(20) { Some(random.below(3)) } else { None };
    let home = random.below(BRANCHES.len());
    let away = (home + 1 + random.below(BRANCHES.len() - 1)) % BRANCHES.len();
    let branch = BRANCHES[if wrong == Some(0) { away } else { home }];
    let limit = 100 * (1 + random.below(100));
    let amount = if wrong == Some(1) { limit + 1 + random.below(1_000) } else { 1 + random.below(limit) };
    let channel = if wrong == Some(2) { "phone" } else { "office" };
    Payment {
        id: format!("p{:06}", random.below(1_000_000)),
        properties: format!(r#"{{"branch":"{branch}","amount":{amount}}}"#),
        context: format!(r#"{{"channel":"{channel}"}}"#),
        subject: format!("u{:06}", random.below(1_000_000)),
        subject_properties: format!(r#"{{"branch":"{}","limit":{limit}}}"#, BRANCHES[home]),
        allowed: wrong.is_none(),
    }
}
