//! Requests and decisions as flat bytes, for hosts that ask often: one list of bytes goes into the component and one
//! comes out, so that a call costs a fraction of one with records.

use portcullis_core as core_api;
use portcullis_core::wire::{self, EncodedDecision};

use crate::decision::{Decision, Obligation};

/// Encoded requests, one behind the other, for one call. The buffer can be used again.
#[derive(Clone, Debug, Default)]
pub struct EncodedRequests {
    bytes: Vec<u8>,
    count: usize,
}

impl EncodedRequests {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// Adds a request; false when it has more names than any request may have, and was left out.
    pub fn push(&mut self, request: &core_api::Request<'_>) -> bool {
        let start = wire::frame(&mut self.bytes);
        if !wire::encode_request(request, &mut self.bytes) {
            self.bytes.truncate(start - size_of::<u32>());
            return false;
        }
        wire::end_frame(&mut self.bytes, start);
        self.count += 1;
        true
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes one request over `bytes`; false when it has more names than any request may have.
pub fn encode(request: &core_api::Request<'_>, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    wire::encode_request(request, bytes)
}

/// Decisions as they came out of the component.
#[derive(Clone, Debug)]
pub struct EncodedDecisions {
    bytes: Vec<u8>,
}

impl EncodedDecisions {
    /// The decisions in `bytes`, if there are `count` of them and all can be read.
    pub fn new(bytes: Vec<u8>, count: usize) -> Option<Self> {
        let mut frames = wire::frames(&bytes);
        let readable = frames.by_ref().take(count).filter(|frame| EncodedDecision::read(frame).is_some()).count();
        let is_whole = readable == count && frames.next().is_none();
        drop(frames);
        is_whole.then_some(Self { bytes })
    }

    /// In the order of the requests.
    pub fn iter(&self) -> impl Iterator<Item = EncodedDecision<'_>> {
        wire::frames(&self.bytes).filter_map(EncodedDecision::read)
    }
}

impl Decision {
    /// The decision in the bytes that a component answered; `policy_unavailable` when they are none.
    pub fn from_encoded(encoded: &EncodedDecision<'_>) -> Self {
        let Some((restriction, rules, audits, errors)) = encoded.texts() else { return Self::unavailable() };
        let mut obligations: Vec<Obligation> =
            audits.into_iter().map(|topic| Obligation::Audit(topic.to_owned())).collect();
        obligations.extend(encoded.has_denied().then_some(Obligation::Denied));
        Self {
            effect: encoded.effect,
            status: encoded.status(),
            reason: encoded.reason,
            rules: rules.iter().map(ToString::to_string).collect(),
            restriction: restriction.map(str::to_owned),
            obligations,
            errors: errors.iter().map(ToString::to_string).collect(),
            revision: encoded.revision(),
        }
    }
}
