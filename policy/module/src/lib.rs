//! The policy as a core module, for hosts without the component model: plain exports, bytes in linear memory.
//!
//! In: a bundle, then requests in the form of `portcullis_core::wire`, each in a buffer that the host asked for.
//! Out: decisions in the same form. A host denies when a call traps or answers 0. Never: an import, a decision of its
//! own, a pointer followed that is not the start of a buffer, so that no number from the host makes anything undefined.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod buffers;
mod policies;

use core::cell::RefCell;

use portcullis_allocator as _;

use buffers::Buffers;
use policies::Policies;

/// What `portcullis_open` answers instead of a handle.
const NO_BUFFER: i32 = -1;
const REFUSED: i32 = -2;

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers::new()) };
    static POLICIES: RefCell<Policies> = const { RefCell::new(Policies::new()) };
}

// SAFETY of the attribute, here and below: nothing else in the module has a name that starts with `portcullis_`.

/// A buffer of `length` bytes for the host to write to; 0 when there is no memory.
#[unsafe(no_mangle)]
extern "C" fn portcullis_alloc(length: usize) -> usize {
    BUFFERS.with_borrow_mut(|buffers| buffers.add(length)).unwrap_or(0)
}

/// Gives the buffer back; nothing happens when there is none at `start`.
#[unsafe(no_mangle)]
extern "C" fn portcullis_free(start: usize) {
    BUFFERS.with_borrow_mut(|buffers| drop(buffers.take(start)));
}

/// A handle of the policy in the first `length` bytes of the buffer, from 0 on and never given twice, or what went
/// wrong, negative. Takes the buffer in either case.
#[unsafe(no_mangle)]
extern "C" fn portcullis_open(start: usize, length: usize) -> i32 {
    let Some(mut bundle) = BUFFERS.with_borrow_mut(|buffers| buffers.take(start)) else { return NO_BUFFER };
    if length > bundle.len() {
        return NO_BUFFER;
    }
    bundle.truncate(length);
    POLICIES.with_borrow_mut(|policies| policies.open(bundle)).unwrap_or(REFUSED)
}

/// Where the text lies that says why the last refused bundle was refused, until the next is opened.
#[unsafe(no_mangle)]
extern "C" fn portcullis_refusal() -> u64 {
    POLICIES.with_borrow(|policies| place(policies.refusal().as_bytes()))
}

/// Gives the policy back; nothing happens when there is none.
#[unsafe(no_mangle)]
extern "C" fn portcullis_close(handle: i32) {
    POLICIES.with_borrow_mut(|policies| policies.close(handle));
}

/// Where the decision lies on the request in the first `length` bytes of the buffer, until the next call with the same
/// handle; 0 without such a policy or such a buffer.
#[unsafe(no_mangle)]
extern "C" fn portcullis_decide(handle: i32, start: usize, length: usize) -> u64 {
    let decide = |request: &[u8]| POLICIES.with_borrow_mut(|policies| policies.decide(handle, request).map(place));
    BUFFERS.with_borrow(|buffers| buffers.get(start)?.get(..length).and_then(decide)).unwrap_or(0)
}

/// Address and length of `bytes`, the address in the upper half.
fn place(bytes: &[u8]) -> u64 {
    let [start, length] = [bytes.as_ptr().expose_provenance(), bytes.len()].map(|number| number as u64);
    start << u32::BITS | length
}
