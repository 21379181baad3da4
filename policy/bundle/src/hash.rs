//! The hash of the two open-addressing tables: edges of the path trie and names of principals.
//!
//! Part of the bundle format: a change here is a new format. Tables are filled by the compiler only,
//! so a request cannot lengthen a probe sequence; it can only look along one.

/// Slot hash of `label` under `seed`: the parent node of an edge, or the kind of a name.
#[inline]
pub fn hash(seed: u32, label: &[u8]) -> u32 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = u64::from(seed).wrapping_mul(MULTIPLIER) ^ (label.len() as u64);
    let (words, rest) = label.as_chunks::<8>();
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    state = mix(state ^ u64::from_le_bytes(last));
    (state >> 32) as u32 ^ state as u32
}

#[inline]
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (word ^ (word >> 29)).wrapping_mul(0xA076_1D64_78BD_642F)
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn is_part_of_the_format() {
        assert_eq!(
            [hash(0, b""), hash(1, b""), hash(0, b"users"), hash(7, b"administrators")],
            [0, 675_804_364, 17_511_638, 3_060_272_142]
        );
    }

    #[test]
    fn spreads_short_labels_under_neighbouring_seeds() {
        let mut slots = [0_u32; 1 << 10];
        for seed in 0..64 {
            for label in 0_u32..8 {
                slots[hash(seed, label.to_string().as_bytes()) as usize % slots.len()] += 1;
            }
        }
        assert!(slots.iter().all(|&used| used < 8), "half-full table with a chain of {:?}", slots.iter().max());
    }
}
