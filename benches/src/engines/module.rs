//! Portcullis as the core module in wasmtime: one encoded request a call, encoding included.
//!
//! Under the same guard as the component: a call that does not end is interrupted.

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_artifacts::POLICY_MODULE;
use portcullis_core::wire::{EncodedDecision, encode_request};
use portcullis_core::{Effect, Request};
use wasmtime::{Config, Engine, Instance, Memory, Store, TypedFunc};

use crate::measure::Subject;
use crate::workload::Question;

/// More than any request of the workloads needs.
const BUFFER_BYTES: u32 = 4096;
/// Epochs that a call may take; nobody counts them here.
const DEADLINE: u64 = 100;

pub struct Module {
    store: Store<()>,
    memory: Memory,
    decide: TypedFunc<(i32, u32, u32), u64>,
    policy: i32,
    /// Address of the buffer that requests are written to.
    buffer: u32,
    bytes: Vec<u8>,
}

impl Module {
    pub fn open(bundle: &[u8]) -> Result<Self> {
        Self::instantiate(bundle).map_err(|error| anyhow!("{error:?}"))
    }

    fn instantiate(bundle: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::new(Config::new().epoch_interruption(true).concurrency_support(false))?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(DEADLINE);
        let instance = Instance::new(&mut store, &wasmtime::Module::new(&engine, POLICY_MODULE)?, &[])?;
        let memory = instance.get_memory(&mut store, "memory");
        let memory = memory.ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))?;
        let alloc = instance.get_typed_func::<u32, u32>(&mut store, "portcullis_alloc")?;
        let open = instance.get_typed_func::<(u32, u32), i32>(&mut store, "portcullis_open")?;
        let decide = instance.get_typed_func(&mut store, "portcullis_decide")?;

        let length = u32::try_from(bundle.len())?;
        let start = alloc.call(&mut store, length)?;
        memory.write(&mut store, start as usize, bundle)?;
        let policy = open.call(&mut store, (start, length))?;
        wasmtime::ensure!(policy >= 0, "the module refuses the bundle: {policy}");
        let buffer = alloc.call(&mut store, BUFFER_BYTES)?;
        Ok(Self { store, memory, decide, policy, buffer, bytes: Vec::new() })
    }

    fn allows(&mut self, request: &Request<'_>) -> Result<bool> {
        self.bytes.clear();
        ensure!(encode_request(request, &mut self.bytes), "too many names");
        let length = u32::try_from(self.bytes.len())?;
        ensure!(length <= BUFFER_BYTES, "the request takes {length} bytes");
        self.memory.write(&mut self.store, self.buffer as usize, &self.bytes)?;
        self.store.set_epoch_deadline(DEADLINE);
        let place = self.decide.call(&mut self.store, (self.policy, self.buffer, length));
        let place = place.map_err(|error| anyhow!("{error:?}"))?;
        let (start, length) = ((place >> u32::BITS) as usize, place as u32 as usize);
        let answer = self.memory.data(&self.store).get(start..).and_then(|behind| behind.get(..length));
        let decision = answer.and_then(EncodedDecision::read).context("no decision")?;
        Ok(decision.effect == Effect::Allow)
    }
}

impl<Q: Question> Subject<Q> for Module {
    /// What has no answer is not allowed, so that comparing notices.
    fn decide(&mut self, asks: &[Q], at: usize) -> usize {
        usize::from(self.allows(&asks[at].request()).unwrap_or(false))
    }
}
