//! The allocator of the wasm guests: a free list for each power of two, in front of the standard one.
//!
//! A call takes and gives back a few small blocks, always of the same sizes; here each costs a handful of instructions.
//! What a list holds goes back to no other list: memory stays at the most that was ever in use of each size. A guest has
//! it by naming this crate.

use core::cell::UnsafeCell;
use core::ptr::null_mut;
use std::alloc::{GlobalAlloc, Layout, System};

/// Blocks of `SMALLEST << class` bytes.
const SMALLEST: usize = 16;
const CLASSES: usize = 12;
/// Bytes that are taken from the standard allocator at once, for blocks of one class; a larger block comes alone.
const CHUNK: usize = 4096;

struct Lists(UnsafeCell<[*mut u8; CLASSES]>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Lists {}

#[global_allocator]
static ALLOCATOR: Lists = Lists(UnsafeCell::new([null_mut(); CLASSES]));

/// The class of blocks for `layout`; `None` when the standard allocator serves it.
#[inline]
fn class(layout: Layout) -> Option<usize> {
    let blocks = layout.size().max(1).div_ceil(SMALLEST).next_power_of_two();
    let class = blocks.trailing_zeros() as usize;
    (class < CLASSES && layout.align() <= SMALLEST).then_some(class)
}

impl Lists {
    /// Cuts a chunk into blocks of `class`, of which the first is answered; null when there is no memory.
    #[cold]
    fn refill(&self, class: usize) -> *mut u8 {
        let size = SMALLEST << class;
        let Ok(chunk) = Layout::from_size_align(size.max(CHUNK), SMALLEST) else { return null_mut() };
        // SAFETY: the size is not zero.
        let first = unsafe { System.alloc(chunk) };
        if !first.is_null() {
            for at in (size..CHUNK).step_by(size) {
                // SAFETY: the block lies within the chunk, is nobody else's, and has room for a pointer.
                unsafe { self.put(class, first.add(at)) };
            }
        }
        first
    }

    /// Puts a block on its list.
    ///
    /// # Safety
    /// The block has the size of `class`, an alignment of `SMALLEST`, and is nobody's.
    #[inline]
    unsafe fn put(&self, class: usize, block: *mut u8) {
        // SAFETY: one thread, and no other reference to the lists is alive.
        let lists = unsafe { &mut *self.0.get() };
        if let Some(list) = lists.get_mut(class) {
            // SAFETY: the block is ours, and aligned for a pointer.
            unsafe { block.cast::<*mut u8>().write(*list) };
            *list = block;
        }
    }
}

// SAFETY: a block is on one list or in one caller's hands; its class follows from its layout alone.
unsafe impl GlobalAlloc for Lists {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            // SAFETY: the caller's promise about `layout` is passed on.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: one thread, and no other reference to the lists is alive.
        let lists = unsafe { &mut *self.0.get() };
        match lists.get_mut(class) {
            Some(list) if !list.is_null() => {
                let block = *list;
                // SAFETY: a block on a list starts with the next one.
                *list = unsafe { block.cast::<*mut u8>().read() };
                block
            }
            _ => self.refill(class),
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match class(layout) {
            // SAFETY: `alloc` took the block from this list.
            Some(class) => unsafe { self.put(class, block) },
            // SAFETY: the caller's promise is passed on.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(size, layout.align()) else { return null_mut() };
        match (class(layout), class(new)) {
            // SAFETY: the caller's promise is passed on.
            (None, None) => unsafe { System.realloc(block, layout, size) },
            (old, new) if old == new => block,
            _ => {
                // SAFETY: the old block is given back once, and what fits of it was copied to the new one.
                unsafe {
                    let to = self.alloc(new);
                    if !to.is_null() {
                        to.copy_from_nonoverlapping(block, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    to
                }
            }
        }
    }
}
