//! A run of equal-sized records in the bytes of a bundle.

use core::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::layout::{Range, Span};

/// Where the records of one kind lie; the bytes are passed in by the owner.
pub struct Section<T> {
    start: usize,
    count: usize,
    records: PhantomData<fn() -> T>,
}

impl<T: FromBytes + Immutable + KnownLayout + Unaligned> Section<T> {
    /// The section at `span`, if it lies inside `bytes` and holds whole records.
    pub fn new(bytes: &[u8], span: Span) -> Option<Self> {
        let start = span.offset.get() as usize;
        let size = span.bytes.get() as usize;
        bytes.get(start..start.checked_add(size)?)?;
        let count = size.checked_div(size_of::<T>())?;
        (count.checked_mul(size_of::<T>())? == size).then_some(Self { start, count, records: PhantomData })
    }

    pub fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn get<'a>(&self, bytes: &'a [u8], index: u32) -> Option<&'a T> {
        let index = index as usize;
        if index >= self.count {
            return None;
        }
        let offset = self.start.wrapping_add(index.wrapping_mul(size_of::<T>()));
        Some(T::ref_from_prefix(bytes.get(offset..)?).ok()?.0)
    }

    #[inline]
    pub fn range<'a>(&self, bytes: &'a [u8], range: Range) -> Option<&'a [T]> {
        let (start, count) = (range.start.get() as usize, range.count.get() as usize);
        if start.checked_add(count)? > self.count {
            return None;
        }
        let from = self.start.wrapping_add(start.wrapping_mul(size_of::<T>()));
        let to = from.wrapping_add(count.wrapping_mul(size_of::<T>()));
        <[T]>::ref_from_bytes(bytes.get(from..to)?).ok()
    }

    pub fn all<'a>(&self, bytes: &'a [u8]) -> &'a [T] {
        let to = self.start.wrapping_add(self.count.wrapping_mul(size_of::<T>()));
        bytes.get(self.start..to).and_then(|bytes| <[T]>::ref_from_bytes(bytes).ok()).unwrap_or(&[])
    }
}
