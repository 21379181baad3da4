//! The life of the filter in one worker: configure, tick, answers from the server.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::config::Config;
use crate::fetch::Fetcher;
use crate::host::{CallId, Host, Level};
use crate::http::Edge;

/// The proxy's timer has this resolution; zero would stop it.
const AT_ONCE: Duration = Duration::from_millis(1);

/// An edge that root and requests share.
pub type SharedEdge = Rc<RefCell<Edge>>;

#[derive(Default)]
pub struct Root {
    /// `None` until configured.
    edge: Option<SharedEdge>,
    fetcher: Fetcher,
}

impl Root {
    /// False refuses the configuration; Envoy then keeps the one it has.
    pub fn on_configure(&mut self, host: &impl Host, json: &[u8]) -> bool {
        match Config::parse(json) {
            Ok(config) => {
                // Nothing of the last configuration stays: its entity tag would ask for news of a policy that is gone.
                self.edge = Some(Rc::new(RefCell::new(Edge::new(config))));
                self.fetcher = Fetcher::default();
                tick_after(host, Some(AT_ONCE));
                true
            }
            Err(error) => {
                host.log(Level::Error, &error.to_string());
                false
            }
        }
    }

    pub fn on_tick(&mut self, host: &impl Host) {
        tick_after(host, None);
        self.call(host);
    }

    pub fn on_answer(&mut self, host: &impl Host, call: CallId, headers: usize, body_bytes: usize) {
        let Some(mut edge) = self.edge.as_ref().and_then(|edge| edge.try_borrow_mut().ok()) else {
            return;
        };
        let answered = self.fetcher.answered(host, &mut edge, call, headers, body_bytes);
        drop(edge);
        let Some(delay) = answered else { return };
        if delay < AT_ONCE {
            self.call(host);
        } else {
            tick_after(host, Some(delay));
        }
    }

    /// What requests decide with; `None` before the configuration.
    pub fn edge(&self) -> Option<SharedEdge> {
        self.edge.clone()
    }

    fn call(&mut self, host: &impl Host) {
        let Some(mut edge) = self.edge.as_ref().and_then(|edge| edge.try_borrow_mut().ok()) else {
            return;
        };
        if let Some(delay) = self.fetcher.call(host, &mut edge) {
            tick_after(host, Some(delay.max(AT_ONCE)));
        }
    }
}

fn tick_after(host: &impl Host, delay: Option<Duration>) {
    if host.tick_after(delay).is_err() {
        host.log(Level::Error, "the timer cannot be set, the policy will not be renewed");
    }
}
