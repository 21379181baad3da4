//! VMs that die inside a real Envoy, while requests come and while the server is away: never a wrong allow, and the
//! policy comes back from what the workers share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use portcullis_rig::process::poll;
use portcullis_rig::{Answer, Request};

use super::TIMEOUT;
use super::failures::{Edge, OPEN, Published, probe};
use crate::traps;

/// An Envoy whose filter traps on very many headers; revision 1 is in force.
fn start() -> Edge {
    let edge = Edge::start(Answer::Bundle(Published::new(OPEN, 1).bundle()), |setup| {
        setup.filter = traps::filter_in(setup.filter.parent().unwrap()).unwrap();
    });
    edge.wait_for(1);
    edge
}

/// A request that the policy allows, and at which the VM dies.
fn fatal() -> Request {
    (0..traps::HEADERS).fold(probe(), |request, number| request.header(&format!("x-{number}"), "1"))
}

/// Asks without pause while `run` runs, and answers with how often: what is allowed is 200 or, in a VM that died, 503;
/// what is not is never 200.
fn watched(edge: &Edge, run: impl FnOnce()) -> u64 {
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut client = edge.envoy.client();
                while !stop.load(Ordering::Relaxed) {
                    let allowed = client.send(&probe()).unwrap();
                    assert!(matches!(allowed.status, 200 | 503), "{}", allowed.status);
                    let refused = client.send(&Request::get("/other")).unwrap();
                    assert!(matches!(refused.status, 401 | 503), "{}", refused.status);
                    sent.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        run();
        stop.store(true, Ordering::Relaxed);
    });
    sent.into_inner()
}

#[test]
fn a_trap_in_envoy_refuses_its_request_and_the_filter_is_back_with_its_policy() {
    let edge = start();
    edge.origin.answer(Answer::Silence);
    let sent = watched(&edge, || {
        for _ in 0..20 {
            let response = edge.envoy.send(&fatal()).unwrap();
            assert_eq!(response.status, 503, "{}", response.text());
            edge.wait_for(1);
        }
    });
    assert!(sent > 100, "{sent}");
    let passed = edge.upstream.requests();
    assert!(passed < sent, "{passed} of {sent} passed");
    assert!(edge.envoy.log().contains("unreachable"), "no trap was logged");
    // Whoever leads now goes on fetching.
    edge.origin.answer(Answer::Bundle(Published::new(OPEN, 2).bundle()));
    edge.wait_for(2);
}

#[test]
fn another_vm_of_envoy_fetches_when_the_leading_one_dies() {
    let edge = start();
    for revision in 2..=4 {
        let sent = watched(&edge, || {
            edge.origin.answer(Answer::Headers(traps::HEADERS));
            poll("the leader to get its last answer", TIMEOUT, || Ok((edge.origin.requests() > 0).then_some(())))
                .unwrap();
            edge.origin.answer(Answer::Bundle(Published::new(OPEN, revision).bundle()));
            edge.wait_for(revision);
        });
        assert!(sent > 0);
    }
    let deaths = edge.envoy.log().matches("unreachable").count();
    assert!(deaths >= 3, "{deaths} VMs died");
}
