//! Memory that the host may write to, known by its address.
//!
//! In: addresses, which may be any number. Out: bytes, when a buffer starts there. A host has one or two buffers, so
//! looking through them all is the shortest way.

pub(crate) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The address of a new buffer, filled with zeros; `None` when there is no memory.
    pub(crate) fn add(&mut self, length: usize) -> Option<usize> {
        let mut buffer = Vec::new();
        // One byte at least: without memory of its own a buffer would have no address of its own.
        buffer.try_reserve_exact(length.max(1)).ok()?;
        buffer.resize(length, 0);
        let start = buffer.as_mut_ptr().expose_provenance();
        self.0.push(buffer);
        Some(start)
    }

    pub(crate) fn get(&self, start: usize) -> Option<&[u8]> {
        self.0.iter().find(|buffer| starts_at(buffer, start)).map(Vec::as_slice)
    }

    pub(crate) fn take(&mut self, start: usize) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|buffer| starts_at(buffer, start))?;
        Some(self.0.swap_remove(at))
    }
}

fn starts_at(buffer: &[u8], start: usize) -> bool {
    buffer.as_ptr().addr() == start
}
