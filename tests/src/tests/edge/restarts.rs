//! A real Envoy that is drained, restarted hot, or killed, while requests come: never a wrong allow.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use portcullis_rig::process::poll;
use portcullis_rig::{Answer, Envoy, EnvoyBinary, EnvoySetup, Request, http};
use tempfile::TempDir;

use super::TIMEOUT;
use super::failures::{Edge, OPEN, Published, probe};

fn start() -> (Edge, EnvoySetup) {
    // The one that is free now is free in a moment, unless somebody is very fast.
    let listen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut setup = None;
    let edge = Edge::start(Answer::Bundle(Published::new(OPEN, 1).bundle()), |of_edge| {
        of_edge.listen = Some(listen);
        setup = Some(of_edge.clone());
    });
    edge.wait_for(1);
    (edge, setup.unwrap())
}

fn binary() -> EnvoyBinary {
    EnvoyBinary::find_or_install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools")).unwrap()
}

/// Opens a connection for each request while `run` runs. One that finds nobody is no answer; what is answered is right
/// or 503.
fn watched(listener: SocketAddr, run: impl FnOnce()) -> (u32, u32) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut answered, mut unanswered) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                for (request, right) in [(probe(), 200), (Request::get("/other"), 401)] {
                    match http::send(listener, &request) {
                        Ok(response) => {
                            assert!([right, 503].contains(&response.status), "{request:?}: {}", response.status);
                            answered += 1;
                        }
                        Err(_closed) => unanswered += 1,
                    }
                }
            }
            (answered, unanswered)
        });
        run();
        stop.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    })
}

#[test]
fn an_envoy_that_takes_over_by_hot_restart_decides_by_the_policy_before_it_lets_anything_through() {
    let (mut edge, setup) = start();
    let listener = edge.envoy.listener();
    let folder = TempDir::new().unwrap();
    edge.origin.answer(Answer::Bundle(Published::new(OPEN, 2).bundle()));
    let (answered, unanswered) = watched(listener, || {
        let next = edge.envoy.hot_restart(&binary(), &setup, folder.path()).unwrap();
        assert_eq!(next.listener(), listener);
        edge.envoy.wait().unwrap();
        edge.envoy = next;
        edge.wait_for(2);
    });
    assert!(answered > 50, "{answered}");
    assert_eq!(unanswered, 0, "connections of {answered} that nobody took");
    assert_eq!(edge.envoy.send(&Request::get("/other")).unwrap().status, 401);
}

#[test]
fn an_envoy_that_is_drained_decides_until_its_last_connection() {
    let (edge, _) = start();
    let mut kept = edge.envoy.client();
    assert_eq!(kept.send(&probe()).unwrap().status, 200);
    edge.envoy.command("/drain_listeners?graceful").unwrap();
    let mut seen = Vec::new();
    poll("the connection to be closed", TIMEOUT, || {
        let refused = kept.send(&Request::get("/other"))?;
        seen.push(refused.status);
        Ok((refused.header("connection") == Some("close")).then_some(()))
    })
    .unwrap();
    assert!(seen.iter().all(|status| *status == 401), "{seen:?}");
    let (_, unanswered) = watched(edge.envoy.listener(), || {
        poll("the listener to be closed", TIMEOUT, || Ok(edge.envoy.send(&probe()).is_err().then_some(()))).unwrap();
    });
    assert!(unanswered < 1_000);
}

#[test]
fn an_envoy_that_was_killed_starts_closed() {
    let (edge, setup) = start();
    let Edge { envoy, origin, upstream, folder } = edge;
    origin.answer(Answer::Silence);
    drop(envoy);
    let folder_of_next = TempDir::new().unwrap();
    let envoy = Envoy::start(&binary(), &setup, folder_of_next.path()).unwrap();
    let passed = upstream.requests();
    for target in ["/public", "/other"] {
        assert_eq!(envoy.send(&Request::get(target)).unwrap().status, 503, "{target}");
    }
    assert_eq!(upstream.requests(), passed);
    origin.answer(Answer::Bundle(Published::new(OPEN, 2).bundle()));
    let edge = Edge { envoy, origin, upstream, folder };
    edge.wait_for(2);
}
