//! Opened bundles, known by their handles.
//!
//! In: bundles, encoded requests, handles, which may be any number. Out: handles, encoded decisions. A handle is never
//! given twice: a host that asks under an old one gets no answer, rather than another policy's.

use portcullis_core::wire::decide_encoded;
use portcullis_core::{Policy, Scratch};

pub(crate) struct Policies {
    /// By handle; closed ones leave their place.
    policies: Vec<Option<Box<OpenPolicy>>>,
    refusal: String,
}

/// One opened bundle and the buffers its decisions reuse.
struct OpenPolicy {
    policy: Policy,
    scratch: Scratch,
    answer: Vec<u8>,
}

impl Policies {
    pub(crate) const fn new() -> Self {
        Self { policies: Vec::new(), refusal: String::new() }
    }

    /// The handle of the policy in `bundle`; `None` when it is refused.
    pub(crate) fn open(&mut self, bundle: Vec<u8>) -> Option<i32> {
        let policy = Policy::open(bundle).map_err(|error| self.refusal = error.to_string()).ok()?;
        let handle = i32::try_from(self.policies.len()).ok()?;
        self.policies.push(Some(Box::new(OpenPolicy { policy, scratch: Scratch::default(), answer: Vec::new() })));
        Some(handle)
    }

    /// Why the last refused bundle was refused.
    pub(crate) fn refusal(&self) -> &str {
        &self.refusal
    }

    pub(crate) fn close(&mut self, handle: i32) {
        let place = usize::try_from(handle).ok().and_then(|handle| self.policies.get_mut(handle));
        drop(place.and_then(Option::take));
    }

    /// The decision on an encoded request; `None` without the policy.
    pub(crate) fn decide(&mut self, handle: i32, request: &[u8]) -> Option<&[u8]> {
        let OpenPolicy { policy, scratch, answer } =
            self.policies.get_mut(usize::try_from(handle).ok()?)?.as_deref_mut()?;
        answer.clear();
        decide_encoded(policy, request, scratch, answer);
        Some(answer)
    }
}
