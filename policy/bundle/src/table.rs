//! The one hash table of a bundle: (seed, name) -> cell, by a perfect hash. One look costs one cell, found or not.
//!
//! In: the cells of a bundle, or all keys of one in the making. Out: the cell of a name, or a place for each key.
//! A bucket of keys has a pilot, a number that sends each of its keys to a cell of its own (hash and displace,
//! Belazzougui, Botelho, Dietzfelbinger: doi 10.1007/978-3-642-04128-0_61). Part of the bundle format.

use zerocopy::little_endian::U16;

use crate::label::Key;
use crate::layout::Cell;

/// The cell of a name under `seed`, by its `hash`, and its place. The bytes of the name are asked for when it is long.
#[inline]
pub(crate) fn find<'p, 'n>(
    cells: &'p [Cell],
    pilots: &[U16],
    strings: &[u8],
    seed: u32,
    key: Key,
    hash: u64,
    name: impl FnOnce() -> &'n [u8],
) -> Option<(usize, &'p Cell)> {
    let pilot = pilots.get(bucket(hash, pilots.len()))?.get();
    let at = place(hash, pilot, cells.len());
    let cell = cells.get(at)?;
    (cell.seed.get() == seed && key.is(&cell.label, strings, name)).then_some((at, cell))
}

#[inline]
fn bucket(hash: u64, buckets: usize) -> usize {
    reduce(hash >> 32, buckets)
}

#[inline]
fn place(hash: u64, pilot: u16, cells: usize) -> usize {
    let mixed = (hash ^ u64::from(pilot).wrapping_mul(0xE703_7ED1_A0B4_28DB)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    reduce(mixed >> 32, cells)
}

/// `number`, below 2^32, scaled to `0..count`.
#[inline]
fn reduce(number: u64, count: usize) -> usize {
    (number.wrapping_mul(count as u64) >> 32) as usize
}

/// Where each key lies.
pub struct Placement {
    /// By bucket.
    pub pilots: Vec<U16>,
    /// By key, in the order given.
    pub places: Vec<u32>,
    /// Length of the table.
    pub cells: usize,
}

/// Keys of a bucket on average.
const BUCKET_KEYS: usize = 4;
/// Tables are tried from this many 64ths larger than their keys on.
const FIRST_SPARE: usize = 1;

impl Placement {
    /// A place for each of the `hashes` (`Key::hash`); `None` when two are equal.
    pub fn find(hashes: &[u64]) -> Option<Self> {
        (FIRST_SPARE..=64).find_map(|spare| Self::with_spare(hashes, spare))
    }

    fn with_spare(hashes: &[u64], spare: usize) -> Option<Self> {
        let cells = hashes.len().saturating_add((hashes.len() >> 6).saturating_mul(spare)).saturating_add(1);
        let count = (hashes.len() / BUCKET_KEYS).saturating_add(1);
        // By their hashes is by their buckets.
        let mut keys: Vec<(u64, u32)> = hashes.iter().copied().zip(0..).collect();
        keys.sort_unstable();
        let mut buckets: Vec<&[(u64, u32)]> =
            keys.chunk_by(|(a, _), (b, _)| bucket(*a, count) == bucket(*b, count)).collect();
        // The fullest first, while there is room; the sort is stable, so that the same keys give the same table.
        buckets.sort_by_key(|keys| core::cmp::Reverse(keys.len()));
        let mut pilots = vec![U16::ZERO; count];
        let mut places = vec![0; hashes.len()];
        let mut used = vec![false; cells];
        let mut taken = Vec::new();
        for keys in buckets {
            let &(first, _) = keys.first()?;
            let pilot = (0..=u16::MAX).find(|&pilot| {
                taken.clear();
                let fits = keys.iter().all(|&(hash, _)| claim(&mut used, &mut taken, place(hash, pilot, cells)));
                if !fits {
                    release(&mut used, &taken);
                }
                fits
            })?;
            *pilots.get_mut(bucket(first, count))? = U16::new(pilot);
            for (&(_, key), &at) in keys.iter().zip(&taken) {
                *places.get_mut(key as usize)? = at as u32;
            }
        }
        Some(Self { pilots, places, cells })
    }
}

fn claim(used: &mut [bool], taken: &mut Vec<usize>, at: usize) -> bool {
    match used.get_mut(at) {
        Some(used) if !*used => {
            *used = true;
            taken.push(at);
            true
        }
        _ => false,
    }
}

fn release(used: &mut [bool], taken: &[usize]) {
    for &at in taken {
        if let Some(used) = used.get_mut(at) {
            *used = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Placement};
    use crate::label::start;

    #[test]
    fn every_key_has_a_cell_of_its_own_and_the_table_is_dense() {
        for count in [0, 1, 2, 3, 10, 1_000, 50_000] {
            let names: Vec<String> = (0..count).map(|number| format!("name-{number}")).collect();
            let hashes: Vec<u64> = names.iter().map(|name| Key::new(name.as_bytes()).hash(start(3))).collect();
            let placement = Placement::find(&hashes).unwrap();
            let mut places = placement.places.clone();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), count);
            assert!(places.last().is_none_or(|&last| (last as usize) < placement.cells));
            assert!(placement.cells <= count + count / 16 + 1, "{count} keys in {} cells", placement.cells);
        }
    }

    #[test]
    fn equal_hashes_have_no_place() {
        assert!(Placement::find(&[5, 5]).is_none());
    }
}
