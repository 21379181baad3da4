//! The core module in wasmtime, by its exports alone, as a host without the component model would use it.

use anyhow::{Context, Result, anyhow, ensure};
use portcullis_artifacts::POLICY_MODULE;
use portcullis_runtime::{Decision, EncodedDecision, Request, encode};
use wasmtime::{
    Engine as Wasmtime, Instance, Memory, Store, StoreLimits, StoreLimitsBuilder, TypedFunc, WasmParams, WasmResults,
};

use super::{Engine, Given, bundle_of};

/// Most memory that the module may take.
const MEMORY_BYTES: usize = 64 << 20;

pub struct Module {
    store: Store<StoreLimits>,
    memory: Memory,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<u32, ()>,
    open: TypedFunc<(u32, u32), i32>,
    refusal: TypedFunc<(), u64>,
    close: TypedFunc<i32, ()>,
    decide: TypedFunc<(i32, u32, u32), u64>,
    policy: Option<i32>,
}

impl Module {
    pub fn start() -> Result<Self> {
        Self::instantiate().map_err(trap)
    }

    /// Without imports: a module that asks for any does not start.
    fn instantiate() -> wasmtime::Result<Self> {
        let engine = Wasmtime::default();
        let module = wasmtime::Module::new(&engine, POLICY_MODULE)?;
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).build());
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "memory");
        Ok(Self {
            memory: memory.ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))?,
            alloc: export(&instance, &mut store, "portcullis_alloc")?,
            free: export(&instance, &mut store, "portcullis_free")?,
            open: export(&instance, &mut store, "portcullis_open")?,
            refusal: export(&instance, &mut store, "portcullis_refusal")?,
            close: export(&instance, &mut store, "portcullis_close")?,
            decide: export(&instance, &mut store, "portcullis_decide")?,
            store,
            policy: None,
        })
    }

    pub fn alloc(&mut self, length: u32) -> Result<u32> {
        self.alloc.call(&mut self.store, length).map_err(trap)
    }

    /// The address of a new buffer that holds `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> Result<u32> {
        let start = self.alloc(u32::try_from(bytes.len())?)?;
        ensure!(start != 0, "no memory for {} bytes", bytes.len());
        self.memory.write(&mut self.store, start as usize, bytes)?;
        Ok(start)
    }

    pub fn free(&mut self, start: u32) -> Result<()> {
        self.free.call(&mut self.store, start).map_err(trap)
    }

    pub fn open(&mut self, start: u32, length: u32) -> Result<i32> {
        self.open.call(&mut self.store, (start, length)).map_err(trap)
    }

    pub fn refusal(&mut self) -> Result<String> {
        let place = self.refusal.call(&mut self.store, ()).map_err(trap)?;
        Ok(String::from_utf8(self.bytes(place)?)?)
    }

    pub fn close(&mut self, handle: i32) -> Result<()> {
        self.close.call(&mut self.store, handle).map_err(trap)
    }

    /// `None` when the module has no answer.
    pub fn decide(&mut self, handle: i32, start: u32, length: u32) -> Result<Option<Decision>> {
        let place = self.decide.call(&mut self.store, (handle, start, length)).map_err(trap)?;
        if place == 0 {
            return Ok(None);
        }
        let answer = self.bytes(place)?;
        let decision = EncodedDecision::read(&answer).context("not a decision")?;
        Ok(Some(Decision::from_encoded(&decision)))
    }

    fn bytes(&self, place: u64) -> Result<Vec<u8>> {
        let (start, length) = ((place >> 32) as usize, place as u32 as usize);
        let behind = self.memory.data(&self.store).get(start..).context("an address past the end")?;
        Ok(behind.get(..length).context("a length past the end")?.to_vec())
    }
}

impl Engine for Module {
    fn name(&self) -> &'static str {
        "core module"
    }

    fn load(&mut self, given: Given<'_>) -> Result<()> {
        let bundle = bundle_of(given)?;
        let start = self.put(&bundle)?;
        let handle = self.open(start, u32::try_from(bundle.len())?)?;
        ensure!(handle >= 0, "answers {handle} to a bundle: {}", self.refusal()?);
        if let Some(before) = self.policy.replace(handle) {
            self.close(before)?;
        }
        Ok(())
    }

    fn decide(&mut self, requests: &[Request]) -> Result<Vec<Decision>> {
        let policy = self.policy.context("nothing is loaded")?;
        let mut bytes = Vec::new();
        let decide = |request: &Request| {
            ensure!(encode(&request.into(), &mut bytes), "not encoded: {request:?}");
            let start = self.put(&bytes)?;
            let decision = self.decide(policy, start, u32::try_from(bytes.len())?)?;
            self.free(start)?;
            decision.context("no answer")
        };
        requests.iter().map(decide).collect()
    }
}

fn export<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut Store<StoreLimits>,
    name: &str,
) -> wasmtime::Result<TypedFunc<P, R>> {
    instance.get_typed_func(store, name)
}

fn trap(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}
