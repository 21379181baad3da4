//! The real thing: server, upstream, and an Envoy with the filter between them.

use std::path::Path;

use anyhow::Result;
use portcullis_artifacts::ENVOY_FILTER_PATH;
use portcullis_rig::{Envoy, EnvoyBinary, EnvoySetup, Server, Upstream};
use tempfile::TempDir;

use crate::engines::portcullis;

pub struct Stage {
    // In this order: Envoy ends before those it talks to.
    pub envoy: Envoy,
    pub server: Server,
    pub upstream: Upstream,
    _folder: TempDir,
}

impl Stage {
    /// A server without a policy; `change` says how Envoy differs from the plainest one.
    pub fn start(change: impl FnOnce(&mut EnvoySetup)) -> Result<Self> {
        let folder = TempDir::new()?;
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
        let server = Server::start(&portcullis()?, folder.path())?;
        let upstream = Upstream::start()?;
        let token = server.create_edge("edge-1")?;
        let filter = Path::new(ENVOY_FILTER_PATH);
        let mut setup = EnvoySetup::new(filter, upstream.address(), server.address(), &token, server.bundle_key());
        change(&mut setup);
        let envoy = Envoy::start(&EnvoyBinary::find_or_install(&tools)?, &setup, folder.path())?;
        Ok(Self { envoy, server, upstream, _folder: folder })
    }
}
