//! Everything that runs during the demo: server, upstream, Envoy. All of it ends with the demo, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use portcullis_rig::{Envoy, EnvoySetup, Server, Upstream, process, token};

use crate::demo::shop::{self, HOST};
use crate::progress::step;
use crate::{setup, workspace};

const WORKERS: u32 = 2;
/// As a shell says it of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Whether there is nothing left to do but wait for Ctrl-C.
static STAYING: AtomicBool = AtomicBool::new(false);

pub(crate) struct Stage {
    // In the order in which they end.
    pub(crate) envoy: Envoy,
    pub(crate) server: Server,
    pub(crate) upstream: Upstream,
    folder: Folder,
}

impl Stage {
    /// `is_built`: the release artifacts are there.
    pub(crate) fn build(is_built: bool) -> Result<Self> {
        let target = workspace::target()?;
        let folder = Folder::create(target.join(format!("demo-{}", std::process::id())))?;
        end_on_signals(&folder.path)?;

        setup::wasm_target()?;
        let binary = setup::envoy(&target)?;
        if !is_built {
            let arguments = ["build", "--release", "--locked", "--package", "portcullis-server"];
            step("release build", |step| workspace::run_cargo(&arguments, &folder.path, step))?;
        }
        let filter = target.join("wasm/portcullis-envoy.wasm");
        fs::metadata(&filter).with_context(|| filter.display().to_string())?;

        let upstream = step("upstream", |_| Upstream::start())?;
        let server = step("server", |_| Server::start(&target.join("release/portcullis"), &folder.path))?;
        let token = step("policy", |_| {
            server.put_policy(&shop::policy()?)?;
            server.create_edge("edge-1")
        })?;
        let setup = EnvoySetup {
            workers: WORKERS,
            rewrite_paths: true,
            hardened: true,
            ..EnvoySetup::new(&filter, upstream.address(), server.address(), &token, server.bundle_key())
        };
        let envoy = step("Envoy with the filter", |_| {
            let envoy = Envoy::start(&binary, &setup, &folder.path)?;
            envoy.wait_for_policy()?;
            Ok(envoy)
        })?;
        Ok(Self { envoy, server, upstream, folder })
    }

    /// Says how to play with it, and waits for a signal.
    pub(crate) fn stay(&self) -> Result<()> {
        let (listener, server) = (self.envoy.listener(), self.server.address());
        let manager = token::mint(shop::MANAGER.claims());
        println!();
        println!("Envoy      http://{listener}");
        println!("  admin    http://{}", self.envoy.admin());
        println!("server     http://{server}");
        println!("upstream   http://{}", self.upstream.address());
        println!("bootstrap  {}", self.envoy.bootstrap().display());
        println!("logs       {}", self.folder.path.display());
        println!();
        println!("curl -i -H 'host: {HOST}' http://{listener}/catalog/shoes");
        println!("curl -i -H 'host: {HOST}' http://{listener}/orders/17");
        println!("curl -i -H 'host: {HOST}' -H 'authorization: Bearer {manager}' http://{listener}/admin/users");
        println!("curl -s -H 'authorization: Bearer {}' http://{server}/policy/document", self.server.admin_token());
        println!();
        println!("Ctrl-C ends it all.");
        STAYING.store(true, Ordering::Relaxed);
        loop {
            thread::park();
        }
    }
}

/// A signal ends the children, whatever the demo does at that moment; no handle is dropped then.
fn end_on_signals(folder: &Path) -> Result<()> {
    let folder = folder.to_owned();
    ctrlc::set_handler(move || {
        process::kill_all();
        let _ = fs::remove_dir_all(&folder);
        std::process::exit(if STAYING.load(Ordering::Relaxed) { 0 } else { INTERRUPTED });
    })?;
    Ok(())
}

/// Data and logs of one demo, removed with it.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn create(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
