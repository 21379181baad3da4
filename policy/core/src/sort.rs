//! Heapsort: never quadratic and, unlike the sort of the standard library, a few hundred bytes for each type.
//!
//! In: a slice and an order. Out: the slice in that order. Equal items keep no order of their own.

/// Sorts `items`, of which `is_less` is a strict weak order.
pub(crate) fn sort_by<T>(items: &mut [T], is_less: impl Fn(&T, &T) -> bool) {
    for root in (0..items.len() / 2).rev() {
        sift(items, root, &is_less);
    }
    let mut heap = items;
    while let Some(last) = heap.len().checked_sub(1) {
        heap.swap(0, last);
        let Some((_, rest)) = heap.split_last_mut() else { break };
        heap = rest;
        sift(heap, 0, &is_less);
    }
}

pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::lt);
}

/// Moves the item at `parent` down until neither child is greater.
fn sift<T>(heap: &mut [T], mut parent: usize, is_less: impl Fn(&T, &T) -> bool) {
    loop {
        let left = parent.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let Some(mut greatest) = heap.get(left) else { break };
        let mut child = left;
        if let Some(other) = heap.get(right).filter(|other| is_less(greatest, other)) {
            (greatest, child) = (other, right);
        }
        match heap.get(parent) {
            Some(item) if is_less(item, greatest) => heap.swap(parent, child),
            _ => break,
        }
        parent = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_of_few_items_is_sorted() {
        for length in 0..=7_u32 {
            for mut number in 0..4_u32.pow(length) {
                let mut items: Vec<u32> = Vec::new();
                for _ in 0..length {
                    items.push(number % 4);
                    number /= 4;
                }
                let mut expected = items.clone();
                expected.sort_unstable();
                sort(&mut items);
                assert_eq!(items, expected);
            }
        }
    }

    #[test]
    fn long_lists_in_any_order_are_sorted() {
        let (up, down) = (0..1_000_u64, (0..1_000).rev());
        let mixed = (0..1_000).map(|at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40);
        for mut items in [up.collect::<Vec<_>>(), down.collect(), mixed.collect()] {
            sort_by(&mut items, |one, other| one > other);
            assert!(items.is_sorted_by(|one, other| one >= other));
        }
    }
}
