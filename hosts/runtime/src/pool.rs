//! Instances that all hold the same bundle, lent to one caller each.
//!
//! An instance that trapped or ran out of time is dropped and another takes its place; the caller gets the deny.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::instance::{Instance, OpenFailure};
use crate::runtime::Runtime;

pub(crate) struct Pool {
    runtime: Runtime,
    bundle: Arc<[u8]>,
    pub(crate) revision: u64,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    #[expect(clippy::vec_box, reason = "lending one moves a pointer, not an instance")]
    idle: Vec<Box<Instance>>,
    /// Instances that exist, idle or lent.
    live: usize,
    /// Callers that wait for one; waking nobody costs a system call all the same.
    waiting: usize,
}

impl Pool {
    /// Opens the bundle in every instance, so that the first callers do not wait for that.
    pub(crate) fn open(runtime: &Runtime, bundle: Vec<u8>) -> Result<Self, OpenFailure> {
        let instances = runtime.shared.limits.instances.max(1);
        let mut idle =
            (0..instances).map(|_| Instance::open(runtime, &bundle).map(Box::new)).collect::<Result<Vec<_>, _>>()?;
        let revision = match idle.first_mut() {
            Some(instance) => instance.revision().map_err(OpenFailure::Failed)?,
            None => 0,
        };
        let live = idle.len();
        Ok(Self {
            runtime: runtime.clone(),
            bundle: bundle.into(),
            revision,
            state: Mutex::new(State { idle, live, waiting: 0 }),
            returned: Condvar::new(),
        })
    }

    /// The answer of an instance; `None` when there was none to ask or it failed.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&mut Instance) -> wasmtime::Result<T>) -> Option<T> {
        let mut instance = self.take()?;
        match ask(&mut instance) {
            Ok(answer) => {
                self.put(instance);
                Some(answer)
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    bundle.revision = self.revision,
                    "policy instance failed"
                );
                drop(instance);
                self.replace();
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic between two changes of the state is not possible, so it is whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Box<Instance>> {
        let mut state = self.lock();
        let patience = self.runtime.shared.limits.call_deadline;
        loop {
            if let Some(instance) = state.idle.pop() {
                return Some(instance);
            }
            if state.live < self.runtime.shared.limits.instances.max(1) {
                state.live += 1;
                drop(state);
                return self.open_one();
            }
            state.waiting += 1;
            let (next, waited) = self.returned.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.waiting -= 1;
            if waited.timed_out() && state.idle.is_empty() {
                return None;
            }
        }
    }

    fn put(&self, instance: Box<Instance>) {
        let mut state = self.lock();
        state.idle.push(instance);
        self.wake_one(state);
    }

    fn wake_one(&self, state: MutexGuard<'_, State>) {
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.returned.notify_one();
        }
    }

    /// Makes a new instance for one that is gone.
    fn replace(&self) {
        if let Some(instance) = self.open_one() {
            self.put(instance);
        }
    }

    /// An instance for a place that `live` already counts; gives the place back when there is none.
    fn open_one(&self) -> Option<Box<Instance>> {
        match Instance::open(&self.runtime, &self.bundle) {
            Ok(instance) => Some(Box::new(instance)),
            Err(failure) => {
                let error = match failure {
                    OpenFailure::Refused(why) => why,
                    OpenFailure::Failed(error) => format!("{error:#}"),
                };
                tracing::error!(error, bundle.revision = self.revision, "policy instance could not be replaced");
                let mut state = self.lock();
                state.live -= 1;
                self.wake_one(state);
                None
            }
        }
    }
}
