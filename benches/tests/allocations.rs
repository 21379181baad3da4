//! A decision takes no memory: once the buffers have grown, nothing is allocated.
//!
//! A test binary of its own, because it counts the allocations of the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_benches::engines::{Engine, Ours};
use portcullis_benches::workload::{Question, Workload, asks};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: the system's allocator does everything; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_decision_allocates_nothing() {
    let workload = Workload::new(1_000);
    let asks = asks(&workload, 2_000);
    let mut ours = Ours::compile(&workload).unwrap();
    let mut allocations_of_all = || {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for ask in &asks {
            assert_eq!(black_box(ours.decide(&ask.request())), ask.allowed);
        }
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let warm_up = allocations_of_all();
    assert!(warm_up < 100, "{warm_up} allocations to warm up");
    assert_eq!(allocations_of_all(), 0);
}
