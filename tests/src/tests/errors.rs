//! A condition that cannot be evaluated never helps the caller, whichever part of it fails.
//!
//! An error is forced into each sub-expression of each condition. What the whole then is, is for the reference interpreter
//! to say: `&&`, `||` and `?:` absorb some errors.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use cel::Program;
use portcullis_runtime::{Decision, Obligation, Reason, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::properties::check;
use crate::engines::{Engine, Given, Native, bundle};
use crate::generate::{CONDITIONS, Wire, request, rule};
use crate::oracle::{self, Document, ResourceTarget, Rule, Target, Who};

/// What has no value. The first has the type of the expression in its place, whatever that is.
const ERRORS: [&str; 5] = ["[EXPRESSION][1]", "(1 / 0)", "(1 / 0 == 1)", "string(1 / 0)", "context.nothing.here"];

/// A condition, and the same with an error in one of its sub-expressions, for each of them.
#[derive(Clone, Debug)]
struct Condition {
    text: String,
    faulty: Vec<String>,
}

// === sub-expressions ===

/// Those of the vocabulary; an error of another type than the expression in its place does not compile.
static SIMPLE: LazyLock<Vec<Condition>> = LazyLock::new(|| CONDITIONS.map(simple).to_vec());

fn simple(text: &str) -> Condition {
    let faulty = sub_expressions(text).into_iter().flat_map(|(start, end)| {
        let error = move |error: &str| error.replace("EXPRESSION", &text[start..end]);
        ERRORS.map(|of| format!("{}{}{}", &text[..start], error(of), &text[end..]))
    });
    Condition { text: text.to_owned(), faulty: faulty.filter(|when| compiles(when)).collect() }
}

/// Start and end of each: brackets around it change nothing.
fn sub_expressions(text: &str) -> Vec<(usize, usize)> {
    let whole = Program::compile(text).unwrap();
    let is_one = |&(start, end): &(usize, usize)| {
        let part = &text[start..end];
        let bracketed = || Program::compile(&format!("{}({part}){}", &text[..start], &text[end..]));
        part.trim() == part
            && Program::compile(part).is_ok()
            && bracketed().is_ok_and(|program| program.expression() == whole.expression())
    };
    let ends = |start: usize| (start + 1..=text.len()).map(move |end| (start, end));
    (0..text.len()).flat_map(ends).filter(is_one).collect()
}

fn compiles(when: &str) -> bool {
    bundle(&serde_json::to_string(&document(everything(when))).unwrap(), 1).is_ok()
}

/// Simple ones, combined with what absorbs errors.
fn condition() -> impl Strategy<Value = Condition> {
    let one = || (0..CONDITIONS.len()).prop_map(|at| SIMPLE[at].clone());
    const SHAPES: [&str; 5] =
        ["(A) && (B)", "(A) || (B)", "(A) ? (B) : !(B)", "[true, false].exists(x, x && (A) || (B))", "!(A)"];
    let combined = (select(&SHAPES[..]), one(), one()).prop_map(|(shape, a, b)| {
        let fill = |a: &str, b: &str| shape.replace('A', "\0").replace('B', b).replace('\0', a);
        let in_a = a.faulty.iter().map(|faulty| fill(faulty, &b.text));
        let in_b = b.faulty.iter().filter(|_| shape.contains('B')).map(|faulty| fill(&a.text, faulty));
        let text = fill(&a.text, &b.text);
        let faulty = in_a.chain(in_b).chain([format!("[{text}][1]")]).collect();
        Condition { text, faulty }
    });
    prop_oneof![1 => one(), 3 => combined]
}

// === what a condition says ===

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Holds,
    DoesNot,
    Failed,
}

/// By the reference interpreter; the request is not malformed.
fn outcome(when: &str, request: &Request) -> Outcome {
    let decision = oracle::decide(&document(everything(when)), &[], request, 1);
    match (decision.reason, decision.errors.is_empty()) {
        (Reason::Rule, _) => Outcome::Holds,
        (_, true) => Outcome::DoesNot,
        (_, false) => Outcome::Failed,
    }
}

/// Rules that allow every request for which `when` holds.
fn everything(when: &str) -> Vec<Rule> {
    let who = Who { anyone: true, ..Who::default() };
    let any = || vec!["*".to_owned()];
    let rule = |target, resource| Rule {
        id: None,
        effect: "allow".to_owned(),
        who: who.clone(),
        target,
        resource,
        when: Some(when.to_owned()),
        min_level: None,
        topic: None,
    };
    let resource = ResourceTarget { types: any(), ids: Vec::new(), actions: any() };
    vec![rule(Some(Target::default()), None), rule(None, Some(resource))]
}

fn document(rules: Vec<Rule>) -> Document {
    Document { version: 1, rules, ..Document::default() }
}

// === what the rule does ===

/// What a rule did to a request, for each condition that it may have.
struct Trial {
    request: Request,
    outcomes: Vec<Outcome>,
    decision: Decision,
}

/// Puts the rule once for each condition into one document, and asks about each request that the rule is about.
fn trials(effect: &str, rule: &Rule, conditions: &[String], requests: &[Request]) -> Vec<Trial> {
    let rules = conditions.iter().enumerate().map(|(at, when)| Rule {
        id: Some(id(at)),
        effect: effect.to_owned(),
        when: Some(when.clone()),
        topic: (effect == "audit").then(|| id(at)),
        ..rule.clone()
    });
    let open = if effect == "audit" { everything("true") } else { Vec::new() };
    let document = document(rules.chain(open).collect());
    let text = serde_json::to_string(&document).unwrap();
    let given = Given { document: &document, text: &text, revocations: &[], revision: 1 };
    let requests: Vec<Request> = requests.iter().filter(|request| is_about(rule, request)).cloned().collect();
    let mut native = Native::default();
    native.load(given).unwrap();
    let decisions = native.decide(&requests).unwrap();
    let trial = |(request, decision): (Request, Decision)| {
        assert_eq!(decision, oracle::decide(&document, &[], &request, 1), "{request:?}\n{text}");
        let outcomes = conditions.iter().map(|when| outcome(when, &request)).collect();
        Trial { request, outcomes, decision }
    };
    requests.into_iter().zip(decisions).map(trial).collect()
}

fn id(at: usize) -> String {
    format!("c{at:04}")
}

/// Whether the rule decides when it has no condition.
fn is_about(rule: &Rule, request: &Request) -> bool {
    let unconditional = Rule { id: None, effect: "deny".to_owned(), when: None, topic: None, ..rule.clone() };
    oracle::decide(&document(vec![unconditional]), &[], request, 1).reason == Reason::Rule
}

impl Trial {
    /// Ids of the rules whose condition came out as one of these.
    fn ids(&self, of: &[Outcome]) -> Vec<String> {
        let outcomes = self.outcomes.iter().enumerate().filter(|(_, outcome)| of.contains(outcome));
        outcomes.map(|(at, _)| id(at)).collect()
    }
}

fn inputs() -> impl Strategy<Value = (Rule, Condition, Vec<Request>)> {
    // Every other rule is about all requests.
    let rule = (rule(), any::<prop::sample::Index>()).prop_map(|(rule, at)| match at.index(4) {
        0 | 1 => rule,
        at => everything("true").remove(at - 2),
    });
    (rule, condition(), vec(request(Wire::Any), 30))
}

#[test]
fn every_condition_has_sub_expressions_to_break() {
    let counts: Vec<usize> = SIMPLE.iter().map(|condition| condition.faulty.len()).collect();
    assert!(counts.iter().all(|count| *count >= 3) && counts.iter().sum::<usize>() > 300, "{counts:?}");
    let texts: BTreeSet<&String> = SIMPLE.iter().flat_map(|condition| &condition.faulty).collect();
    for expected in [
        "subject.level >= [2][1]",
        "[subject.level][1] >= 2",
        "(1 / 0) >= 2",
        "[subject.level >= 2][1]",
        r#"subject.otp || "admin" in [subject.roles][1]"#,
        r#"(1 / 0 == 1) || "admin" in subject.roles"#,
        "context.list.all(item, [item][1] > 0)",
        "1 / (size(subject.roles) - [1][1]) >= 0",
    ] {
        assert!(texts.contains(&expected.to_owned()), "{expected} is not in {texts:#?}");
    }
}

#[test]
fn an_error_in_any_part_of_a_deny_is_a_deny() {
    let (forced, absorbed) = (Cell::new(0), Cell::new(0));
    check(300, &inputs(), |(rule, condition, requests)| {
        // The first is the condition as it was.
        let conditions = [vec![condition.text], condition.faulty].concat();
        for trial in trials("deny", &rule, &conditions, &requests) {
            let Trial { request, outcomes, decision } = &trial;
            let denied_by = trial.ids(&[Outcome::Holds, Outcome::Failed]);
            prop_assert_eq!(&decision.errors, &trial.ids(&[Outcome::Failed]), "{:?}", request);
            prop_assert_eq!(&decision.rules, &denied_by, "{:?}", request);
            prop_assert!(!decision.is_allow());
            prop_assert_eq!(decision.reason == Reason::Rule, !denied_by.is_empty());
            let (original, faulty) = (outcomes[0], &outcomes[1..]);
            let failed = faulty.iter().filter(|outcome| **outcome == Outcome::Failed).count();
            match original {
                Outcome::Failed => prop_assert_eq!(failed, faulty.len(), "one error heals another: {:?}", conditions),
                _ => {
                    let is_same = |outcome: &Outcome| [original, Outcome::Failed].contains(outcome);
                    prop_assert!(faulty.iter().all(is_same), "an error turns {original:?} around: {conditions:?}");
                    forced.set(forced.get() + failed);
                    absorbed.set(absorbed.get() + faulty.len() - failed);
                }
            }
        }
        Ok(())
    });
    let (forced, absorbed) = (forced.get(), absorbed.get());
    assert!(forced > 10_000 && absorbed > 1_000, "{forced} errors came through, {absorbed} were absorbed");
}

#[test]
fn an_error_in_any_part_of_an_allow_never_allows() {
    let failures = Cell::new(0);
    check(50, &inputs(), |(rule, condition, requests)| {
        for trial in trials("allow", &rule, &condition.faulty, &requests) {
            let (allowed_by, failed) = (trial.ids(&[Outcome::Holds]), trial.ids(&[Outcome::Failed]));
            prop_assert_eq!(&trial.decision.errors, &failed, "{:?}", trial.request);
            prop_assert_eq!(&trial.decision.rules, &allowed_by, "{:?}", trial.request);
            prop_assert_eq!(trial.decision.is_allow(), !allowed_by.is_empty());
            failures.set(failures.get() + failed.len());
        }
        Ok(())
    });
    assert!(failures.get() > 3_000, "only {} conditions failed", failures.get());
}

#[test]
fn an_error_in_any_part_of_an_audit_is_audited() {
    let failures = Cell::new(0);
    check(50, &inputs(), |(rule, condition, requests)| {
        for trial in trials("audit", &rule, &condition.faulty, &requests) {
            let (audited_by, failed) = (trial.ids(&[Outcome::Holds, Outcome::Failed]), trial.ids(&[Outcome::Failed]));
            prop_assert!(trial.decision.is_allow(), "{:?}", trial.decision);
            let obligations: Vec<Obligation> = audited_by.into_iter().map(Obligation::Audit).collect();
            prop_assert_eq!(&trial.decision.obligations, &obligations, "{:?}", trial.request);
            prop_assert_eq!(&trial.decision.errors, &failed);
            failures.set(failures.get() + failed.len());
        }
        Ok(())
    });
    assert!(failures.get() > 3_000, "only {} conditions failed", failures.get());
}
