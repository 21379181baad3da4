//! Requests under the rules of W(N), in the shares that the workload promises.

use portcullis_core::{Credential, Names, Request, Subject, Target};

use super::answers::{Answer, Answers};
use super::{Effect, METHODS, Question, ROLES, Rule, SEED, WILDCARD, Workload, distinct_roles, word};
use crate::random::Random;

/// One request, with what it must be answered.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub subject: String,
    pub roles: Vec<&'static str>,
    pub allowed: bool,
}

impl Question for Ask {
    fn request(&self) -> Request<'_> {
        Request {
            action: self.method,
            target: Target::Http { host: None, path: &self.path },
            source_ip: None,
            country: None,
            continent: None,
            subject: Some(Subject {
                id: &self.subject,
                kind: None,
                state: Subject::DEFAULT_STATE,
                roles: Names::Borrowed(&self.roles),
                permission_groups: Names::NONE,
                level: None,
                otp: false,
                issued_at: None,
                properties: None,
            }),
            credential: Credential::Token,
            context: None,
            now: None,
        }
    }

    fn is_allowed(&self) -> bool {
        self.allowed
    }
}

/// `count` requests for the workload's rules.
pub fn asks(workload: &Workload, count: usize) -> Vec<Ask> {
    let answers = Answers::new(&workload.rules);
    let mut random = Random::new(SEED.wrapping_add(workload.rules.len() as u64));
    let denying: Vec<&Rule> = workload.rules.iter().filter(|rule| rule.effect == Effect::Deny).collect();
    (0..count)
        .map(|_| {
            let wanted = match random.below(100) {
                0..70 => Answer::Allowed,
                70..75 => Answer::Denied,
                75..80 => Answer::NotForThem,
                _ => Answer::Unmatched,
            };
            loop {
                let rule = match wanted {
                    Answer::Denied => random.pick(&denying),
                    _ => &workload.rules[random.below(workload.rules.len())],
                };
                let (ask, roles) = ask(&mut random, rule, wanted);
                if answers.answer(ask.method, &ask.path, roles) == wanted {
                    return ask;
                }
            }
        })
        .collect()
}

/// A request that probably gets the answer `wanted`, and its roles as bits.
fn ask(random: &mut Random, rule: &Rule, wanted: Answer) -> (Ask, u32) {
    let mut roles = {
        let count = 1 + random.below(3);
        distinct_roles(random, count)
    };
    let is_for_them = matches!(wanted, Answer::Allowed | Answer::Denied);
    if is_for_them && !roles.iter().any(|role| rule.roles & (1 << role) != 0) {
        roles[0] = rule.roles.trailing_zeros() as usize;
    }
    let mut path = fill(random, &rule.path);
    if wanted == Answer::Unmatched {
        path = stray(random, &path);
    }
    let method = rule.method.unwrap_or_else(|| random.pick(&METHODS));
    let ask = Ask {
        method,
        path,
        subject: format!("u{:06}", random.below(1_000_000)),
        roles: roles.iter().map(|&role| ROLES[role]).collect(),
        allowed: wanted == Answer::Allowed,
    };
    (ask, roles.iter().fold(0, |mask, role| mask | 1 << role))
}

/// The path with an id where the wildcard was.
fn fill(random: &mut Random, path: &str) -> String {
    match path.split_once(WILDCARD) {
        Some((before, after)) => format!("{before}{}{after}", id(random)),
        None => path.to_owned(),
    }
}

fn id(random: &mut Random) -> String {
    let digits = 1 + random.below(6) as u32;
    match random.below(2) {
        0 => random.below(10_usize.pow(digits)).to_string(),
        _ => format!("{}{}", random.pick(&["a", "k", "x"]), random.below(10_usize.pow(digits))),
    }
}

/// A path near `path`: one segment another word, or one segment more.
fn stray(random: &mut Random, path: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').skip(1).collect();
    let depth = random.below(segments.len() + usize::from(segments.len() < 6));
    let word = word(random, depth);
    match segments.get_mut(depth) {
        Some(segment) => *segment = word,
        None => segments.push(word),
    }
    segments.into_iter().fold(String::new(), |path, segment| path + "/" + segment)
}
