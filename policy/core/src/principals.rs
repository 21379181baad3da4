//! Names of the subject -> numbers that rules compare.
//!
//! In: the verified subject. Out: the principals among its roles, permission groups and its own id that some rule
//! names, and their mask. Names the policy does not know leave no trace.

use portcullis_bundle::Policy;
use portcullis_bundle::layout::{Entry, PrincipalKind, Who, who_flags};

use crate::request::Subject;

/// Who is asking, in the policy's numbers.
pub(crate) struct Principals<'a> {
    authenticated: bool,
    mask: u64,
    numbers: &'a [u32],
    /// The mask alone decides: each principal of the policy has a bit of its own.
    mask_is_exact: bool,
}

impl<'a> Principals<'a> {
    pub(crate) fn resolve(policy: &Policy, subject: Option<&Subject<'_>>, numbers: &'a mut Vec<u32>) -> Self {
        numbers.clear();
        if let Some(subject) = subject {
            let roles = subject.roles.iter().map(|name| (PrincipalKind::Role, *name));
            let groups = subject.permission_groups.iter().map(|name| (PrincipalKind::PermissionGroup, *name));
            let itself = core::iter::once((PrincipalKind::Subject, subject.id));
            let names = roles.chain(groups).chain(itself);
            numbers.extend(names.filter_map(|(kind, name)| policy.principal(kind, name.as_bytes())));
        }
        let mask = numbers.iter().fold(0, |mask, number| mask | 1 << (number % u64::BITS));
        Self { authenticated: subject.is_some(), mask, numbers, mask_is_exact: policy.principals() <= u64::BITS }
    }

    /// Whether the entry's rule is for this subject.
    #[inline]
    pub(crate) fn hold(&self, policy: &Policy, entry: &Entry) -> Option<bool> {
        self.test(entry.flags, entry.mask.get(), || policy.who(entry.who.get()), policy)
    }

    /// The same for a rule's `who`.
    pub(crate) fn hold_who(&self, policy: &Policy, who: &Who) -> Option<bool> {
        self.test(who.flags, who.mask.get(), || Some(who), policy)
    }

    #[inline]
    fn test<'p>(
        &self,
        flags: u8,
        mask: u64,
        who: impl FnOnce() -> Option<&'p Who>,
        policy: &'p Policy,
    ) -> Option<bool> {
        if flags & who_flags::ANYONE != 0 || (self.authenticated && flags & who_flags::AUTHENTICATED != 0) {
            return Some(true);
        }
        if mask & self.mask == 0 || self.mask_is_exact {
            return Some(mask & self.mask != 0);
        }
        let members = policy.members(who()?.members)?;
        Some(self.numbers.iter().any(|number| members.binary_search_by_key(number, |member| member.get()).is_ok()))
    }
}
