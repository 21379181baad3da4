//! Remembers what was found out about secrets, under keys that spread, for a bounded number of them.
//!
//! A table of fixed size: a key has its place, two share one, and who was not asked for gives way to a third.

use sha2::{Digest, Sha256};

pub type Key = [u8; 32];

/// The key of a secret that has these parts.
pub fn key(parts: &[&[u8]]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        // With the length before it, no part can pass for the end of another.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

pub struct Cache<V> {
    /// Both of a place, the one that was asked for last in front; empty before the first.
    places: Vec<[Option<(Key, V)>; 2]>,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<V: Clone> Cache<V> {
    const PLACES: u16 = 1024;

    pub fn get(&mut self, key: &Key) -> Option<V> {
        let [first, second] = self.place(key)?;
        if is_of(second, key) {
            core::mem::swap(first, second);
        }
        first.as_ref().filter(|(known, _)| known == key).map(|(_, value)| value.clone())
    }

    pub fn insert(&mut self, key: Key, value: V) {
        if self.places.is_empty() {
            self.places.resize_with(usize::from(Self::PLACES), || [None, None]);
        }
        if let Some([first, second]) = self.place(&key) {
            if !is_of(first, &key) {
                core::mem::swap(first, second);
            }
            *first = Some((key, value));
        }
    }

    pub fn remove(&mut self, key: &Key) {
        for entry in self.place(key).into_iter().flatten() {
            if is_of(entry, key) {
                *entry = None;
            }
        }
    }

    fn place(&mut self, key: &Key) -> Option<&mut [Option<(Key, V)>; 2]> {
        // Some keys are texts of 64 characters, so the bits of many are mixed: 2^64 divided by the golden ratio.
        let mixed = u64::from_le_bytes(*key.first_chunk()?).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.places.get_mut(usize::from((mixed >> 48) as u16 % Self::PLACES))
    }
}

fn is_of<V>(entry: &Option<(Key, V)>, key: &Key) -> bool {
    entry.as_ref().is_some_and(|(known, _)| known == key)
}

#[cfg(test)]
mod tests {
    use super::{Cache, key};

    #[test]
    fn what_is_used_stays_and_the_size_is_bounded() {
        let mut cache = Cache::default();
        let number = |number: u32| key(&[&number.to_le_bytes()]);
        assert_eq!(cache.get(&number(0)), None);
        cache.insert(number(0), 0);
        for other in 1..10_000 {
            cache.insert(number(other), other);
            assert_eq!((cache.get(&number(other)), cache.get(&number(0))), (Some(other), Some(0)));
        }
        assert_eq!(cache.places.len(), 1024);
        cache.insert(number(0), 7);
        assert_eq!(cache.get(&number(0)), Some(7));
        cache.remove(&number(0));
        assert_eq!(cache.get(&number(0)), None);
    }

    #[test]
    fn parts_are_not_joined() {
        assert_ne!(key(&[b"a", b"bc"]), key(&[b"ab", b"c"]));
    }
}
