//! Names of the subject -> numbers that rules compare.
//!
//! In: the verified subject. Out: the principals among its roles, permission groups and its own id that some rule
//! names, and their mask. Names the policy does not know leave no trace.

use portcullis_bundle::layout::{PrincipalKind, flags, who_flags};
use portcullis_bundle::{Policy, Records};

use crate::request::Subject;

/// Who is asking, in the policy's numbers.
pub(crate) struct Principals<'a> {
    authenticated: bool,
    mask: u64,
    /// Empty when the mask is exact.
    numbers: &'a [u32],
    /// The mask alone decides: each principal of the policy has a bit of its own.
    mask_is_exact: bool,
}

impl<'a> Principals<'a> {
    #[inline]
    pub(crate) fn resolve(
        policy: &Policy,
        records: &Records<'_>,
        subject: Option<&Subject<'_>>,
        numbers: &'a mut Vec<u32>,
    ) -> Self {
        numbers.clear();
        let mask_is_exact = policy.principals() <= u64::BITS;
        let Some(subject) = subject else { return Self { authenticated: false, mask: 0, numbers, mask_is_exact } };
        let mut mask = 0;
        let mut add = |kind, name: &str| {
            if let Some(number) = records.principal(kind, name.as_bytes()) {
                mask |= 1 << (number % u64::BITS);
                if !mask_is_exact {
                    numbers.push(number);
                }
            }
        };
        subject.roles.for_each(|name| add(PrincipalKind::Role, name));
        if policy.has_flag(flags::NAMES_GROUPS) {
            subject.permission_groups.for_each(|name| add(PrincipalKind::PermissionGroup, name));
        }
        if policy.has_flag(flags::NAMES_SUBJECTS) {
            add(PrincipalKind::Subject, subject.id);
        }
        Self { authenticated: true, mask, numbers, mask_is_exact }
    }

    /// Whether `who`, of which mask and flags are at hand, is this subject.
    #[inline]
    pub(crate) fn are(&self, policy: &Policy, who: impl FnOnce() -> Option<u32>, mask: u64, flags: u8) -> Option<bool> {
        if flags & who_flags::ANYONE != 0 || (self.authenticated && flags & who_flags::AUTHENTICATED != 0) {
            return Some(true);
        }
        if mask & self.mask == 0 || self.mask_is_exact {
            return Some(mask & self.mask != 0);
        }
        let members = policy.members(policy.who(who()?)?.members)?;
        Some(self.numbers.iter().any(|number| members.binary_search_by_key(number, |member| member.get()).is_ok()))
    }

    /// The same for a `who` by its number.
    pub(crate) fn are_who(&self, policy: &Policy, who: u32) -> Option<bool> {
        let record = policy.who(who)?;
        self.are(policy, || Some(who), record.mask.get(), record.flags)
    }
}
