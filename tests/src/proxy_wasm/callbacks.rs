//! The life of one filter in one worker, as the proxy drives it.

use std::time::Duration;

use wasmtime::error::Context;
use wasmtime::{Config, Engine, Instance, Linker, Module, Result, Store, TypedFunc, WasmParams, WasmResults, ensure};

use super::abi::CONTINUE;
use super::hostcalls;
use super::state::{Answer, Call, Exchange, Request, State};

/// The filter's own context, the parent of those of requests.
pub(super) const ROOT: u32 = 1;
/// Most instructions of one callback.
const FUEL: u64 = 1_000_000_000;

/// A proxy with one worker and one filter in it.
pub struct Proxy {
    store: Store<State>,
    callbacks: Callbacks,
    last_context: u32,
}

struct Callbacks {
    create: TypedFunc<(u32, u32), ()>,
    configure: TypedFunc<(u32, u32), u32>,
    tick: TypedFunc<u32, ()>,
    request_headers: TypedFunc<(u32, u32, u32), u32>,
    call_response: TypedFunc<(u32, u32, u32, u32, u32), ()>,
    delete: TypedFunc<u32, ()>,
}

impl Proxy {
    /// Starts the module; `now` is the time until a request says another.
    pub fn start(module: &[u8], now: Duration) -> Result<Self> {
        let engine = Engine::new(Config::new().consume_fuel(true))?;
        let module = Module::new(&engine, module)?;
        let mut linker = Linker::new(&engine);
        hostcalls::link(&mut linker)?;
        linker.define_unknown_imports_as_traps(&module)?;
        let mut store = Store::new(&engine, State { now, ..State::default() });
        store.set_fuel(FUEL)?;
        let instance = linker.instantiate(&mut store, &module)?;
        let callbacks = Callbacks {
            create: callback(&instance, &mut store, "proxy_on_context_create")?,
            configure: callback(&instance, &mut store, "proxy_on_configure")?,
            tick: callback(&instance, &mut store, "proxy_on_tick")?,
            request_headers: callback(&instance, &mut store, "proxy_on_request_headers")?,
            call_response: callback(&instance, &mut store, "proxy_on_http_call_response")?,
            delete: callback(&instance, &mut store, "proxy_on_delete")?,
        };
        let start: TypedFunc<(u32, u32), u32> = callback(&instance, &mut store, "proxy_on_vm_start")?;
        let mut proxy = Self { store, callbacks, last_context: ROOT };
        proxy.call(|callbacks| callbacks.create.clone(), (ROOT, 0))?;
        ensure!(proxy.call(|_| start, (ROOT, 0))? != 0, "the filter does not start");
        Ok(proxy)
    }

    /// False when the filter refuses the configuration.
    pub fn configure(&mut self, configuration: &str) -> Result<bool> {
        self.begin().configuration = configuration.as_bytes().to_vec();
        let bytes = u32::try_from(configuration.len())?;
        Ok(self.call(|callbacks| callbacks.configure.clone(), (ROOT, bytes))? != 0)
    }

    /// The timer fires, if the filter set it.
    pub fn tick_at(&mut self, now: Duration) -> Result<()> {
        self.begin().now = now;
        ensure!(self.begin().tick_period > 0, "the filter waits for no tick");
        self.call(|callbacks| callbacks.tick.clone(), ROOT)
    }

    /// The call in flight that was made last.
    pub fn call_in_flight(&self) -> Option<&Call> {
        self.store.data().calls.last_key_value().map(|(_, call)| call)
    }

    /// Answers that call.
    pub fn answer(&mut self, answer: Answer) -> Result<()> {
        let (token, _) = self.begin().calls.pop_last().context("no call is in flight")?;
        let (headers, body) = (u32::try_from(answer.headers.len())?, u32::try_from(answer.body.len())?);
        self.state().answer = Some(answer);
        self.call(|callbacks| callbacks.call_response.clone(), (ROOT, token, headers, body, 0))?;
        self.state().answer = None;
        Ok(())
    }

    /// A request without a body, from its headers to its end.
    pub fn request(&mut self, request: Request) -> Result<Exchange> {
        let Request { headers, properties, now } = request;
        self.last_context += 1;
        let (context, count) = (self.last_context, u32::try_from(headers.len())?);
        self.begin().now = now;
        self.state().exchange = Some(Exchange::new(headers, properties));
        self.call(|callbacks| callbacks.create.clone(), (context, ROOT))?;
        let action = self.call(|callbacks| callbacks.request_headers.clone(), (context, count, 1))?;
        self.call(|callbacks| callbacks.delete.clone(), context)?;
        let exchange = self.state().exchange.take().context("the request is gone")?;
        Ok(Exchange { passed: action == CONTINUE, ..exchange })
    }

    /// The value of a metric; `None` when the filter did not define it.
    pub fn metric(&self, name: &str) -> Option<u64> {
        self.store.data().metrics.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// What the filter said since the last event began.
    pub fn log(&self) -> &[String] {
        &self.store.data().log
    }

    fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// The same for something new, so that the log is of this alone.
    fn begin(&mut self) -> &mut State {
        self.state().log.clear();
        self.state()
    }

    /// One callback; the error of a trap says what the filter logged before.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        callback: impl FnOnce(&Callbacks) -> TypedFunc<P, R>,
        arguments: P,
    ) -> Result<R> {
        self.store.set_fuel(FUEL)?;
        let result = callback(&self.callbacks).call(&mut self.store, arguments);
        result.with_context(|| format!("the filter trapped; it said {:?}", self.log()))
    }
}

fn callback<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut Store<State>,
    name: &str,
) -> Result<TypedFunc<P, R>> {
    instance.get_typed_func(store, name)
}
