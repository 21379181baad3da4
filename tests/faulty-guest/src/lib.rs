//! A component of world `policy` that fails on request, so that hosts can be tested.
//!
//! The action of a request says what happens: `TRAP` traps, `LOOP` never ends, `GROW` takes memory until there is none;
//! anything else is allowed. So does the name of a schema; anything else is valid. A bundle that starts with `x` is refused, one that starts with `t` traps.

use exports::portcullis::policy::authorizer::{
    Decision, Effect, Explanation, Guest, GuestPolicy, OpenError, Policy, Reason, Request,
};
use exports::portcullis::policy::validator::{Failure, Guest as Validator, Options, PolicyBorrow, Report, Verdict};

wit_bindgen::generate!({ path: "../../wit", world: "policy" });

struct Faulty;

impl Guest for Faulty {
    type Policy = Self;
}

impl GuestPolicy for Faulty {
    fn open(bundle: Vec<u8>) -> Result<Policy, OpenError> {
        match bundle.first() {
            Some(b'x') => Err(OpenError::Corrupt("starts with x".into())),
            Some(b't') => trap(),
            _ => Ok(Policy::new(Self)),
        }
    }

    fn decide(&self, request: Request) -> Decision {
        fail(&request.action);
        Decision {
            effect: Effect::Allow,
            status: 200,
            reason: Reason::Rule,
            rules: Vec::new(),
            restriction: None,
            obligations: Vec::new(),
            errors: Vec::new(),
            revision: 1,
        }
    }

    fn decide_batch(&self, requests: Vec<Request>) -> Vec<Decision> {
        requests.into_iter().map(|request| self.decide(request)).collect()
    }

    /// Not even the bytes of a decision.
    fn decide_encoded(&self, request: Vec<u8>) -> Vec<u8> {
        request
    }

    fn decide_batch_encoded(&self, requests: Vec<u8>) -> Vec<u8> {
        requests
    }

    fn explain(&self, request: Request) -> Explanation {
        Explanation { decision: self.decide(request), stages: Vec::new(), nearest: Vec::new() }
    }

    fn revision(&self) -> u64 {
        1
    }
}

impl Validator for Faulty {
    fn validate(_: PolicyBorrow<'_>, schema: String, _: Vec<u8>, _: Options) -> Result<Report, Failure> {
        fail(&schema);
        Ok(Report { verdict: Verdict::Valid, violations: Vec::new(), has_more: false, normalized: None })
    }
}

fn fail(how: &str) {
    match how {
        "TRAP" => trap(),
        "LOOP" => loop {
            core::hint::black_box(());
        },
        "GROW" => {
            let mut taken = Vec::new();
            loop {
                taken.push(vec![1_u8; 1 << 20]);
            }
        }
        _ => {}
    }
}

fn trap() -> ! {
    std::process::abort()
}

export!(Faulty);
