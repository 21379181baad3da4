//! A request that was let in and whose body is not checked yet.
//!
//! In: the pieces of the body as the proxy collects them. Out: `Flow::Continue` once all of it was checked. Never: a piece
//! that goes on before that. Trailers end a body too: the proxy then never says so with the body itself.

use std::rc::Rc;

use portcullis_core::{Policy, ValidateScratch};

use super::{Asked, Body, Edge, Flow, Stream, on_request_unconfigured, send};
use crate::body::{Check, Problem};
use crate::extract::{Facts, Received};
use crate::host::{Host, HostError, Level};
use crate::tenant::Tenant;

pub(super) struct Held {
    check: Check,
    /// Index in the tenants of the configuration.
    tenant: usize,
    /// Whether the request says how long its body is.
    has_length: bool,
}

/// Some of the body came, so many bytes in all until now.
pub fn on_body(host: &impl Host, edge: &mut Edge, stream: &mut Stream, size_bytes: usize, has_ended: bool) -> Flow {
    (stream.body.size_bytes, stream.body.has_ended) = (size_bytes, has_ended);
    on_more(host, edge, stream)
}

pub fn on_trailers(host: &impl Host, edge: &mut Edge, stream: &mut Stream) -> Flow {
    stream.body.has_ended = true;
    on_more(host, edge, stream)
}

fn on_more(host: &impl Host, edge: &mut Edge, stream: &mut Stream) -> Flow {
    let Some(held) = stream.held.take() else { return Flow::Hold };
    let Edge { tenants, bodies, .. } = edge;
    match tenants.get_mut(held.tenant) {
        Some(tenant) => Holder { host, tenant, bodies }.step(held, stream),
        None => on_request_unconfigured(host),
    }
}

impl<H: Host> Asked<'_, H> {
    /// The last step: what the policy asks of the body.
    pub(super) fn check_body(
        &mut self,
        policy: &Rc<Policy>,
        received: &Received,
        facts: &Facts<'_>,
        stream: &mut Stream,
    ) -> Flow {
        let Body { has_ended, is_shown, .. } = stream.body;
        let check = Check::of(policy, received, facts, self.settings, self.config, has_ended);
        let mut holder = Holder { host: self.host, tenant: self.tenant, bodies: self.bodies };
        match check {
            Ok(None) => Flow::Continue,
            Ok(Some(_)) if !(has_ended || is_shown) => {
                let text = "a body must be checked, which needs `allow_on_headers_stop_iteration: true` in the plugin and in its configuration";
                self.host.log(Level::Error, text);
                holder.refuse(&Problem::UNAVAILABLE)
            }
            Ok(Some(check)) => {
                let has_length = received.header("content-length").is_some();
                holder.step(Held { check, tenant: self.settings.tenant, has_length }, stream)
            }
            Err(problem) => holder.refuse(&problem),
        }
    }
}

struct Holder<'a, H> {
    host: &'a H,
    tenant: &'a mut Tenant,
    bodies: &'a mut ValidateScratch,
}

impl<H: Host> Holder<'_, H> {
    fn step(&mut self, held: Held, stream: &mut Stream) -> Flow {
        let size_bytes = stream.body.size_bytes;
        if let Err(problem) = held.check.admit(size_bytes) {
            return self.refuse(&problem);
        }
        if !stream.body.has_ended {
            stream.held = Some(held);
            return Flow::Hold;
        }
        match self.finish(&held, size_bytes) {
            Ok(()) => {
                self.tenant.metrics.count_validation(self.host, ".kind.valid");
                Flow::Continue
            }
            Err(problem) => self.refuse(&problem),
        }
    }

    fn finish(&mut self, held: &Held, size_bytes: usize) -> Result<(), Problem> {
        let unavailable = |HostError| Problem::UNAVAILABLE;
        let body =
            if size_bytes == 0 { Vec::new() } else { self.host.request_body(size_bytes).map_err(unavailable)? };
        if body.len() != size_bytes {
            return Err(Problem::UNAVAILABLE);
        }
        let Some(changed) = held.check.run(&body, self.bodies)? else { return Ok(()) };
        if held.has_length {
            let length = itoa::Buffer::new().format(changed.len()).to_owned();
            self.host.set_request_header("content-length", &length).map_err(unavailable)?;
        }
        self.host.replace_request_body(size_bytes, changed.as_bytes()).map_err(unavailable)
    }

    fn refuse(&mut self, problem: &Problem) -> Flow {
        self.tenant.metrics.count_validation(self.host, problem.kind);
        let mut headers = vec![("content-type", "application/problem+json")];
        if problem.status == 503 {
            headers.push(("retry-after", "1"));
        }
        send(self.host, problem.status, &headers, &problem.to_json())
    }
}

#[cfg(test)]
mod tests;
