//! What the filter costs inside a real Envoy: processor time, memory, and how soon a change takes effect.

mod change;
mod cost;
mod fronts;
mod memory;
mod process;

pub use change::run as change;
pub use cost::run as cost;
pub use memory::run as memory;

use std::path::{Path, PathBuf};

use anyhow::Result;
use portcullis_rig::{Envoy, EnvoyBinary};

/// What runs beside the benchmark.
pub struct Programs {
    /// The binary `portcullis`.
    pub server: PathBuf,
    envoy: EnvoyBinary,
}

impl Programs {
    /// `server` is the binary; Envoy lies in the target folder above it, or is installed there.
    pub fn find(server: PathBuf) -> Result<Self> {
        let target = server.ancestors().nth(2).map(Path::to_owned).unwrap_or_default();
        Ok(Self { server, envoy: EnvoyBinary::find_or_install(&target.join("tools"))? })
    }
}

/// An Envoy with its folder.
struct Stand {
    envoy: Envoy,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn start(programs: &Programs, setup: &portcullis_rig::EnvoySetup) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let envoy = Envoy::start(&programs.envoy, setup, folder.path())?;
        Ok(Self { envoy, _folder: folder })
    }
}
