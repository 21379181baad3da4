//! The engine, the compiled component, and the bounds under which instances run.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine, EngineWeak};

use crate::convert::wit::PolicyPre;
use crate::instance::Memory;

/// Time between two increments of the engine's epoch: the grain of deadlines.
const TICK: Duration = Duration::from_millis(10);

/// Bounds for each instance of the component.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instances per policy; more callers at once wait for one. Default: the number of cores.
    pub instances: usize,
    /// Linear memory of one instance, in bytes. A bundle takes its size once, plus its size again while it is opened.
    pub memory_bytes: usize,
    /// Longest time for one call, rounded up to 10 ms. Generous: a decision takes microseconds, so this only ends what
    /// would not end by itself, also on a machine that is very busy.
    pub call_deadline: Duration,
    /// Longest time to open a bundle.
    pub open_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: 1 << 30,
            call_deadline: Duration::from_secs(5),
            open_deadline: Duration::from_secs(30),
        }
    }
}

/// The component could not be made ready; nothing of it is running.
#[derive(Debug, thiserror::Error)]
#[error("policy component: {0:#}")]
pub struct RuntimeError(wasmtime::Error);

/// The compiled component; clones share it.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) component: PolicyPre<Memory>,
    pub(crate) limits: Limits,
}

impl Runtime {
    /// The policy component of this build.
    pub fn new(limits: Limits) -> Result<Self, RuntimeError> {
        Self::with_component(portcullis_artifacts::POLICY_COMPONENT, limits)
    }

    /// Another component of world `portcullis:policy/policy`.
    pub fn with_component(component: &[u8], limits: Limits) -> Result<Self, RuntimeError> {
        let prepare = || {
            let engine = Engine::new(&config())?;
            let component = Component::from_binary(&engine, component)?;
            // An empty linker: a component that imports anything does not pass.
            let component: InstancePre<Memory> = Linker::new(&engine).instantiate_pre(&component)?;
            let component = PolicyPre::new(component)?;
            start_clock(engine.weak())?;
            Ok(Self { shared: Arc::new(Shared { engine, component, limits }) })
        };
        prepare().map_err(RuntimeError)
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Calls are synchronous; tracking of concurrent ones costs 400 ns each (design/performance.md).
    config.concurrency_support(false);
    config
}

/// Number of epochs that surely takes `time`.
pub(crate) fn epochs(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX).saturating_add(1)
}

/// Counts epochs for as long as the engine lives.
fn start_clock(engine: EngineWeak) -> std::io::Result<()> {
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("portcullis-epoch".into()).spawn(tick).map(drop)
}
