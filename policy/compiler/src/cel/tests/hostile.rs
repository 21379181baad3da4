//! What nobody meant: texts are compiled or refused, and programs that no compiler wrote are evaluated to an outcome
//! when their bundle opens, whatever their instructions are.

use portcullis_bundle::bytecode::Op;
use proptest::prelude::*;

use super::{http, outcome, policy_of};
use crate::cel::{Data, Instruction, Program};
use crate::conditions::Conditions;
use portcullis_core::{Outcome, condition_outcome};

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![
        6 => Just(Data::None),
        1 => any::<u64>().prop_map(Data::Number),
        1 => (0..40_u64).prop_map(Data::Number),
        2 => "[a-z]{0,12}".prop_map(Data::Text),
        1 => any::<Vec<u8>>().prop_map(Data::Bytes),
    ]
}

/// An instruction at place `at`, its operands mostly before it.
fn instruction(at: u32) -> impl Strategy<Value = Instruction> {
    let op = prop::sample::select((0..=u8::MAX).filter_map(Op::from_byte).collect::<Vec<_>>());
    let operand = prop_oneof![20 => (0..at.max(1)).prop_map(Some), 1 => Just(Some(at)), 2 => Just(None)];
    let operands = prop::collection::vec(operand, 0..4);
    (op, 0..34_u8, operands, data()).prop_map(|(op, x, operands, data)| Instruction { op, x, operands, data })
}

/// Pieces of expressions in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "1",
        "0x",
        "9u",
        "1.5e",
        ".",
        "'",
        "\"\"\"",
        "\\",
        "\\u00",
        "r'",
        "b'",
        "é",
        "a",
        "subject",
        ".roles",
        "context",
        "has(",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "?",
        "&&",
        "||",
        "==",
        "in ",
        "!",
        "-",
        " ",
        "\n",
        "//",
        ".all(x, ",
        ".matches(",
        "int(",
        "'a'",
        "true",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_compiled_or_refused(text in prop_oneof![soup(), any::<String>()]) {
        prop_assert_ne!(outcome(&text, &http()), "malformed");
    }

    #[test]
    fn every_program_that_opens_has_an_outcome(
        instructions in (1..40_u32).prop_flat_map(|count| (0..count).map(instruction).collect::<Vec<_>>()),
    ) {
        if let Ok(policy) = policy_of(Conditions::of(vec![Program { instructions }])) {
            prop_assert!(condition_outcome(&policy, 0, &http()).is_some());
        }
    }
}

fn leaf(op: Op) -> Instruction {
    Instruction { op, x: 0, operands: Vec::new(), data: Data::None }
}

fn with(op: Op, operands: &[u32]) -> Instruction {
    Instruction { operands: operands.iter().copied().map(Some).collect(), ..leaf(op) }
}

/// The outcome of a program of instructions, or why its bundle does not open.
fn run(instructions: Vec<Instruction>) -> Result<Outcome, String> {
    let policy = policy_of(Conditions::of(vec![Program { instructions }]))?;
    Ok(condition_outcome(&policy, 0, &http()).expect("a request"))
}

const MALFORMED: &str = "bundle is malformed in `conditions`";

#[test]
fn operands_lie_before_their_user() {
    assert_eq!(run(vec![with(Op::Not, &[0])]), Err(MALFORMED.to_owned()));
    assert_eq!(run(vec![with(Op::Not, &[1]), leaf(Op::Null)]), Err(MALFORMED.to_owned()));
    assert_eq!(run(vec![leaf(Op::Null), with(Op::List, &[0, 1])]), Err(MALFORMED.to_owned()));
    assert_eq!(run(vec![leaf(Op::Null), with(Op::And, &[0])]), Err(MALFORMED.to_owned()));
    assert_eq!(run(vec![leaf(Op::Null), with(Op::Map, &[0])]), Err(MALFORMED.to_owned()));
    assert_eq!(run(vec![]), Err(MALFORMED.to_owned()));
}

#[test]
fn numbers_beside_operands_are_in_range() {
    for op in [Op::Type, Op::Fact, Op::HasFact, Op::Variable] {
        assert_eq!(run(vec![Instruction { x: 32, ..leaf(op) }]), Err(MALFORMED.to_owned()), "{op:?}");
    }
    for op in [Op::Convert, Op::TimePart] {
        let user = Instruction { x: 14, ..with(op, &[0]) };
        assert_eq!(run(vec![leaf(Op::Null), user]), Err(MALFORMED.to_owned()), "{op:?}");
    }
    let text = Instruction { data: Data::Number(u64::MAX), ..leaf(Op::String) };
    assert_eq!(run(vec![text]), Err(MALFORMED.to_owned()));
    let user = Instruction { data: Data::Number(7 << 32), ..with(Op::Matches, &[]) };
    assert_eq!(run(vec![leaf(Op::Null), user]), Err(MALFORMED.to_owned()));
    let garbage = Instruction { data: Data::Automaton(vec![0; 64]), ..with(Op::Matches, &[0]) };
    assert_eq!(run(vec![leaf(Op::Null), garbage]), Err("bundle is malformed in `automata`".to_owned()));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: u32| {
        let truth = Instruction { data: Data::Number(1), ..leaf(Op::Bool) };
        let nots = (0..depth - 1).map(|below| with(Op::Not, &[below]));
        core::iter::once(truth).chain(nots).collect::<Vec<_>>()
    };
    assert_eq!(run(nested(32)), Ok(Outcome::False));
    assert_eq!(run(nested(33)), Err(MALFORMED.to_owned()));
}

#[test]
fn shared_operands_do_not_multiply_the_work() {
    let truth = Instruction { data: Data::Number(1), ..leaf(Op::Bool) };
    let doubled = (0..31).map(|below| with(Op::And, &[below, below]));
    assert_eq!(run(core::iter::once(truth).chain(doubled).collect()), Ok(Outcome::Failed));
}

#[test]
fn values_of_the_wrong_type_fail() {
    assert_eq!(run(vec![leaf(Op::Null)]), Ok(Outcome::Failed));
    assert_eq!(run(vec![leaf(Op::Null), with(Op::Not, &[0])]), Ok(Outcome::Failed));
    assert_eq!(run(vec![leaf(Op::Variable)]), Ok(Outcome::Failed));
    assert_eq!(run(vec![leaf(Op::Null), leaf(Op::Null), with(Op::ContainsIp, &[0, 1])]), Ok(Outcome::Failed));
}
