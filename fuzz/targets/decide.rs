//! A bundle that opens and any request: always a decision, the same in each way to ask for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_core::{Policy, Request, Scratch, Stage, StageOutcome, decide, explain, wire};
use portcullis_fuzz::{Question, renewed};
use portcullis_runtime::{Decision, EncodedDecision};

fuzz_target!(|input: &[u8]| {
    let Some(question) = Question::new(input) else { return };
    let Some(bundle) = renewed(question.bundle) else { return };
    let Ok(policy) = Policy::open(bundle) else { return };
    question.ask(|request| check(&policy, request));
});

fn check(policy: &Policy, request: &Request<'_>) {
    let mut scratch = Scratch::default();
    let decision = Decision::from(decide(policy, request, &mut scratch));
    assert_eq!(decision, decide(policy, request, &mut scratch).into(), "asked twice");

    let explanation = explain(policy, request, &mut scratch);
    let deciding = Stage::of(decision.reason, decision.effect);
    let decided = explanation.stages.iter().filter(|(_, outcome)| *outcome == StageOutcome::Decided);
    assert!(decided.map(|(stage, _)| Some(*stage)).eq(deciding.map(Some)), "{decision:?}: {:?}", explanation.stages);
    assert!(!decision.is_allow() || explanation.nearest.is_empty());
    assert_eq!(decision, explanation.decision.into(), "explained");

    let (mut encoded, mut answer) = (Vec::new(), Vec::new());
    if wire::encode_request(request, &mut encoded) {
        wire::decide_encoded(policy, &encoded, &mut scratch, &mut answer);
        let answer = EncodedDecision::read(&answer).expect("the answer can be read");
        assert_eq!(decision, Decision::from_encoded(&answer), "encoded");
    }
}
