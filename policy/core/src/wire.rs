//! Requests and decisions as flat bytes, for hosts to which records with many texts cost more than the decision.
//!
//! In: bytes that a host encoded, little-endian. Out: a request that borrows them, or nothing when they are not one; and
//! the bytes of a decision. Both are a fixed head, the lengths of all texts, then the texts one behind the other.
//! Never allocates, but for the bytes of the answer.

mod decision;
mod request;

pub use decision::{EncodedDecision, encode_decision};
pub use request::{decode_request, encode_request};

use portcullis_bundle::Policy;
use zerocopy::FromBytes;
use zerocopy::little_endian::U32;

use crate::decide::{Scratch, decide, malformed};

/// Layout of both; a host and a component of other versions refuse each other.
pub const WIRE_VERSION: u8 = 1;

/// Length of a text that is absent.
const ABSENT: u32 = u32::MAX;

/// Appends the decision on the encoded `request`, encoded; what is no request is malformed.
pub fn decide_encoded(policy: &Policy, request: &[u8], scratch: &mut Scratch, answer: &mut Vec<u8>) {
    match decode_request(request) {
        Some(request) => encode_decision(&decide(policy, &request, scratch), answer),
        None => encode_decision(&malformed(policy), answer),
    }
}

/// The same for each of `requests`; in both directions each is a length and as many bytes.
pub fn decide_batch_encoded(policy: &Policy, requests: &[u8], scratch: &mut Scratch, answers: &mut Vec<u8>) {
    for request in frames(requests) {
        let start = frame(answers);
        decide_encoded(policy, request, scratch, answers);
        end_frame(answers, start);
    }
}

/// The frames of a batch; ends where the bytes are no frame.
pub fn frames(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (length, rest) = U32::read_from_prefix(bytes).ok()?;
        let (frame, rest) = rest.split_at_checked(length.get() as usize)?;
        bytes = rest;
        Some(frame)
    })
}

/// Starts a frame at the end of `bytes`; answers where its content starts.
pub fn frame(bytes: &mut Vec<u8>) -> usize {
    bytes.extend_from_slice(&[0; size_of::<U32>()]);
    bytes.len()
}

/// Ends the frame whose content starts at `start`.
pub fn end_frame(bytes: &mut [u8], start: usize) {
    let length = u32::try_from(bytes.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(place) = start.checked_sub(size_of::<U32>()).and_then(|at| bytes.get_mut(at..start)) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Texts by their lengths, front to back.
#[derive(Clone, Copy)]
struct Texts<'a> {
    lengths: &'a [U32],
    text: &'a str,
}

impl<'a> Texts<'a> {
    /// The next text; the outer option is for bytes that are too short.
    #[expect(clippy::option_option, reason = "absent and malformed are different answers")]
    #[inline]
    fn next(&mut self) -> Option<Option<&'a str>> {
        match self.lengths.split_first()? {
            (length, lengths) if length.get() == ABSENT => {
                self.lengths = lengths;
                Some(None)
            }
            _ => self.required().map(Some),
        }
    }

    /// The next text, which must be there.
    #[inline(always)]
    fn required(&mut self) -> Option<&'a str> {
        let (length, lengths) = self.lengths.split_first()?;
        // No text is as long as `ABSENT`.
        let (text, rest) = self.text.split_at_checked(length.get() as usize)?;
        (self.lengths, self.text) = (lengths, rest);
        Some(text)
    }
}

/// Writes lengths where they belong and texts behind them.
struct Writer<'b> {
    bytes: &'b mut Vec<u8>,
    /// Where the next length goes.
    lengths: usize,
}

impl<'b> Writer<'b> {
    /// Starts with `head` and room for `count` lengths.
    fn new(bytes: &'b mut Vec<u8>, head: &[u8], count: usize) -> Self {
        bytes.extend_from_slice(head);
        let lengths = bytes.len();
        // Few, and so many calls cheaper than one that fills.
        (0..count).for_each(|_| bytes.extend_from_slice(&[0; size_of::<U32>()]));
        Self { bytes, lengths }
    }

    fn write(&mut self, text: &str) {
        self.number(u32::try_from(text.len()).unwrap_or(ABSENT));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u32) {
        let next = self.lengths.saturating_add(size_of::<U32>());
        if let Some(place) = self.bytes.get_mut(self.lengths..next) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.lengths = next;
    }
}
