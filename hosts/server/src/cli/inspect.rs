//! `portcullis inspect`: what a bundle says about itself.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use portcullis_core::Policy;
use serde_json::{Value, json};

use crate::cli::Ending;
use crate::publish::Digest;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  portcullis inspect shop.bundle\n\nThe digest was checked; whether to trust the key is up to you."
)]
pub(super) struct Inspect {
    /// Bundle to show
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
}

impl Inspect {
    pub fn run(self) -> anyhow::Result<Ending> {
        let name = self.bundle.display();
        let bundle = fs::read(&self.bundle).with_context(|| format!("cannot read `{name}`"))?;
        let policy = Policy::open(bundle).with_context(|| format!("cannot use the bundle `{name}`"))?;
        match writeln!(io::stdout(), "{:#}", describe(&policy)) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
            _ => Ok(Ending::Done),
        }
    }
}

fn describe(policy: &Policy) -> Value {
    let summary = policy.summary();
    json!({
        "format": 1,
        "tenant": policy.tenant(),
        "revision": policy.revision(),
        "created": policy.created(),
        "expires": policy.expires(),
        "digest": Digest(policy.digest()).to_string(),
        "signed": policy.signer().is_some(),
        "key_id": policy.signer().map(|key| key.to_string()),
        "size_bytes": summary.size_bytes,
        "counts": {
            "rules": summary.rules,
            "path_nodes": summary.path_nodes,
            "path_entries": summary.path_entries,
            "guards": summary.guards,
            "routes": summary.routes,
            "principals": summary.principals,
            "host_lists": summary.host_lists,
            "levels": summary.levels,
            "restrictions": summary.restrictions,
            "revocations": summary.revocations,
        },
    })
}
