//! Whose tokens are void: subject -> not before. Read in place, because every worker copies them and few are asked for.
//!
//! In: what the leader gathered from the server, as flat bytes. Out: the time for a subject. Bytes that are no such list
//! are refused as a whole.

use std::collections::BTreeMap;

/// Revision and number of entries.
const HEAD_BYTES: usize = 12;
/// Offset and length of the subject, not before.
const ENTRY_BYTES: usize = 16;

/// Revision (8 bytes), number of entries (4), the entries in order of their subjects, the subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    bytes: Vec<u8>,
}

struct Entry<'a> {
    subject: &'a [u8],
    not_before: u64,
}

impl Revocations {
    pub fn encode(revision: u64, entries: &BTreeMap<String, u64>) -> Option<Self> {
        let mut offset = HEAD_BYTES.checked_add(entries.len().checked_mul(ENTRY_BYTES)?)?;
        let mut bytes = Vec::with_capacity(offset);
        bytes.extend_from_slice(&revision.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(entries.len()).ok()?.to_le_bytes());
        for (subject, not_before) in entries {
            bytes.extend_from_slice(&u32::try_from(offset).ok()?.to_le_bytes());
            bytes.extend_from_slice(&u32::try_from(subject.len()).ok()?.to_le_bytes());
            bytes.extend_from_slice(&not_before.to_le_bytes());
            offset = offset.checked_add(subject.len())?;
        }
        entries.keys().for_each(|subject| bytes.extend_from_slice(subject.as_bytes()));
        Some(Self { bytes })
    }

    /// What `encode` made; `None` for anything else.
    pub fn open(bytes: Vec<u8>) -> Option<Self> {
        let opened = Self { bytes };
        let mut before: Option<&[u8]> = None;
        for index in 0..opened.count()? {
            let Entry { subject, .. } = opened.entry(index)?;
            if before.is_some_and(|before| before >= subject) {
                return None;
            }
            before = Some(subject);
        }
        Some(opened)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of the last change that is in here.
    pub fn revision(&self) -> u64 {
        self.bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Everything again, for changes to come.
    pub fn entries(&self) -> BTreeMap<String, u64> {
        let mut entries = BTreeMap::new();
        for Entry { subject, not_before } in (0..self.count().unwrap_or(0)).filter_map(|index| self.entry(index)) {
            entries.insert(String::from_utf8_lossy(subject).into_owned(), not_before);
        }
        entries
    }

    /// Tokens of `subject` issued before this are void; unix seconds.
    pub fn not_before(&self, subject: &str) -> Option<u64> {
        let (mut low, mut high) = (0, self.count()?);
        while low < high {
            let middle = low.midpoint(high);
            let entry = self.entry(middle)?;
            match entry.subject.cmp(subject.as_bytes()) {
                core::cmp::Ordering::Less => low = middle.checked_add(1)?,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(entry.not_before),
            }
        }
        None
    }

    fn count(&self) -> Option<u32> {
        let (_, rest) = self.bytes.split_first_chunk::<8>()?;
        rest.first_chunk().map(|count| u32::from_le_bytes(*count))
    }

    fn entry(&self, index: u32) -> Option<Entry<'_>> {
        let at = HEAD_BYTES.checked_add((index as usize).checked_mul(ENTRY_BYTES)?)?;
        let (offset, rest) = self.bytes.get(at..)?.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let offset = u32::from_le_bytes(*offset) as usize;
        let end = offset.checked_add(u32::from_le_bytes(*length) as usize)?;
        let not_before = u64::from_le_bytes(*rest.first_chunk()?);
        Some(Entry { subject: self.bytes.get(offset..end)?, not_before })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Revocations;

    fn entries() -> BTreeMap<String, u64> {
        ["", "a", "ab", "b", "u7", "\u{e9}"].into_iter().map(str::to_owned).zip(1..).collect()
    }

    #[test]
    fn finds_each_subject_and_no_other() {
        let revocations = Revocations::open(Revocations::encode(9, &entries()).unwrap().bytes).unwrap();
        for (subject, not_before) in entries() {
            assert_eq!(revocations.not_before(&subject), Some(not_before), "{subject}");
        }
        for other in ["A", "aa", "u", "u70", "z"] {
            assert_eq!(revocations.not_before(other), None, "{other}");
        }
        assert_eq!((revocations.revision(), revocations.entries()), (9, entries()));
    }

    #[test]
    fn none_at_all_is_a_list_too() {
        let none = Revocations::open(Revocations::encode(0, &BTreeMap::new()).unwrap().bytes).unwrap();
        assert_eq!((none.not_before("u1"), none.revision()), (None, 0));
        assert_eq!(Revocations::open(Vec::new()), None);
    }

    #[test]
    fn bytes_that_are_cut_or_in_disorder_are_refused() {
        let bytes = Revocations::encode(9, &entries()).unwrap().bytes;
        for length in 0..bytes.len() {
            assert_eq!(Revocations::open(bytes[..length].to_vec()), None, "{length}");
        }
        let mut disordered = bytes;
        let (first, second) = disordered[12..44].split_at_mut(16);
        first.swap_with_slice(second);
        assert_eq!(Revocations::open(disordered), None);
    }
}
