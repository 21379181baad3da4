//! Every limit of `portcullis_bundle::limits` (design/decision.md section 6), at the bound and one past it. Those of the
//! text and the evaluation of a condition stand beside the code: policy/compiler/src/cel/tests/limits.rs.

mod automata;
mod bundles;
mod documents;
mod requests;
mod schemas;
