//! The life of the filter in one worker: configure, tick, answers from the server.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::config::Config;
use crate::feed::{Feed, Place, lease};
use crate::host::{CallId, Host, Level};
use crate::http::Edge;
use crate::tenant::Tenant;

/// How soon a worker sees what another fetched.
const TICK: Duration = Duration::from_millis(100);
/// The first tick comes sooner, because every request waits for a policy. Zero would stop the timer.
const AT_ONCE: Duration = Duration::from_millis(1);
/// Between two values of the gauges.
const GAUGES_EVERY: Duration = Duration::from_secs(1);

/// An edge that root and requests share.
pub type SharedEdge = Rc<RefCell<Edge>>;

#[derive(Default)]
pub struct Root {
    /// `None` until configured.
    edge: Option<SharedEdge>,
    /// Of the tenants in the order of the configuration.
    feeds: Vec<Feed>,
    /// A number that no other worker of this Envoy has, and a name that no other worker anywhere has.
    worker: Option<(u64, String)>,
    /// Whether the timer still has its first, short period.
    is_first_tick: bool,
    gauges_at: Duration,
}

impl Root {
    /// False refuses the configuration; Envoy then keeps the one it has.
    pub fn on_configure(&mut self, host: &impl Host, json: &[u8]) -> bool {
        match Config::parse(json) {
            Ok(config) => {
                // Nothing of the last configuration stays; what other workers share is taken at once.
                self.feeds = config.tenants.iter().map(|tenancy| Feed::new(&config, tenancy)).collect();
                let mut edge = Edge::new(config);
                self.each(host, &mut edge, |feed, place| feed.sync(place));
                self.edge = Some(Rc::new(RefCell::new(edge)));
                self.is_first_tick = true;
                tick_every(host, AT_ONCE);
                true
            }
            Err(error) => {
                host.log(Level::Error, &error.to_string());
                false
            }
        }
    }

    pub fn on_tick(&mut self, host: &impl Host) {
        if core::mem::take(&mut self.is_first_tick) {
            tick_every(host, TICK);
        }
        // Without a clock nothing is due, and every policy is too old.
        let Ok(now) = host.now() else { return };
        let Some((me, name)) = self.worker(host, now) else { return };
        let Some(edge) = self.edge.clone() else { return };
        let Ok(mut edge) = edge.try_borrow_mut() else { return };
        let has_gauges = now.abs_diff(self.gauges_at) >= GAUGES_EVERY;
        if has_gauges {
            self.gauges_at = now;
        }
        let mut index = 0_u32;
        self.each(host, &mut edge, |feed, place| {
            feed.tick(place, me, now);
            let Place { config, tenancy, tenant, .. } = place;
            if has_gauges && let Some(age) = tenant.age(config, now) {
                tenant.metrics.record_age(host, age);
            }
            // Records are numbered for each tenant.
            let name = [&name, ".", itoa::Buffer::new().format(index)].concat();
            index = index.saturating_add(1);
            tenant.logs.iter_mut().for_each(|logs| logs.tick(host, config, tenancy, &name, now));
        });
    }

    pub fn on_answer(&mut self, host: &impl Host, call: CallId, headers: usize, body_bytes: usize) {
        let Some(edge) = self.edge.clone() else { return };
        let Ok(mut edge) = edge.try_borrow_mut() else { return };
        let now = host.now().unwrap_or_default();
        let mut is_taken = false;
        self.each(host, &mut edge, |feed, place| {
            is_taken = is_taken || feed.answered(place, call, headers, body_bytes);
            if is_taken {
                return;
            }
            let Tenant { logs, metrics, .. } = &mut *place.tenant;
            is_taken = logs.iter_mut().any(|logs| logs.answered(host, metrics, call, headers, now));
        });
    }

    /// What requests decide with; `None` before the configuration.
    pub fn edge(&self) -> Option<SharedEdge> {
        self.edge.clone()
    }

    fn each<H: Host>(&mut self, host: &H, edge: &mut Edge, mut run: impl FnMut(&mut Feed, &mut Place<'_, H>)) {
        let Edge { config, tenants, .. } = edge;
        for ((feed, tenancy), tenant) in self.feeds.iter_mut().zip(&config.tenants).zip(tenants) {
            run(feed, &mut Place { host, config, tenancy, tenant });
        }
    }

    /// The number and the name of this worker. The name has the time in it, so that after a restart it is another.
    fn worker(&mut self, host: &impl Host, now: Duration) -> Option<(u64, String)> {
        if self.worker.is_none() {
            let number = lease::number(host).ok()?;
            self.worker = Some((number, format!("{number}-{:x}", now.as_nanos())));
        }
        self.worker.clone()
    }
}

fn tick_every(host: &impl Host, period: Duration) {
    if host.tick_every(period).is_err() {
        host.log(Level::Error, "the timer cannot be set, the policy will not be renewed");
    }
}
