//! Texts and numbers in the memory of the guest.

use wasmtime::error::Context;
use wasmtime::{Caller, Memory, Result};

use super::state::State;

pub(super) struct Guest<'a> {
    caller: Caller<'a, State>,
    memory: Memory,
}

impl<'a> Guest<'a> {
    pub(super) fn new(mut caller: Caller<'a, State>) -> Result<Self> {
        let memory = caller.get_export("memory").and_then(|export| export.into_memory());
        Ok(Self { memory: memory.context("the guest exports no memory")?, caller })
    }

    pub(super) fn state(&mut self) -> &mut State {
        self.caller.data_mut()
    }

    pub(super) fn bytes(&self, at: u32, size: u32) -> Result<Vec<u8>> {
        let behind = self.memory.data(&self.caller).get(at as usize..).context("a pointer past the end")?;
        Ok(behind.get(..size as usize).context("a size past the end")?.to_vec())
    }

    pub(super) fn text(&self, at: u32, size: u32) -> Result<String> {
        Ok(String::from_utf8(self.bytes(at, size)?)?)
    }

    pub(super) fn set_u32(&mut self, at: u32, number: u32) -> Result<()> {
        Ok(self.memory.write(&mut self.caller, at as usize, &number.to_le_bytes())?)
    }

    pub(super) fn set_u64(&mut self, at: u32, number: u64) -> Result<()> {
        Ok(self.memory.write(&mut self.caller, at as usize, &number.to_le_bytes())?)
    }

    /// Hands over `bytes` in memory that the guest allocates, and then owns; nothing is a null pointer.
    pub(super) fn give(&mut self, bytes: &[u8], return_at: u32, return_size: u32) -> Result<()> {
        let size = u32::try_from(bytes.len())?;
        let at = if size == 0 { 0 } else { self.allocate(size)? };
        self.memory.write(&mut self.caller, at as usize, bytes)?;
        self.set_u32(return_at, at)?;
        self.set_u32(return_size, size)
    }

    fn allocate(&mut self, size: u32) -> Result<u32> {
        let malloc = self.caller.get_export("proxy_on_memory_allocate").and_then(|export| export.into_func());
        let malloc = malloc.context("the guest exports no allocator")?.typed::<u32, u32>(&self.caller)?;
        malloc.call(&mut self.caller, size)
    }
}
