//! `cargo xtask demo`: real requests through a real Envoy, each compared with the decision of the server.

mod change;
mod shop;
mod stage;
mod table;

use anyhow::{Result, ensure};
use clap::Args;

use stage::Stage;

#[derive(Args)]
pub(crate) struct Demo {
    /// Keep everything running after the table, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Use the release artifacts that are there
    #[arg(long)]
    no_build: bool,
}

impl Demo {
    /// With the artifacts of a build just before: built alone, the server would have other features of its dependencies
    /// and be built once more.
    pub(crate) const AFTER_BUILD: Self = Self { stay: false, no_build: true };

    pub(crate) fn run(self) -> Result<()> {
        let stage = Stage::build(self.no_build)?;
        println!();
        let disagreements = table::show(&stage)?;
        println!();
        shop::show_refusals_of_envoy(&stage)?;
        println!();
        change::show(&stage)?;
        println!();
        show_counters(&stage)?;
        println!();
        ensure!(disagreements == 0, "edge and server disagree on {disagreements} requests");
        println!("edge and server agree on every request");
        if self.stay {
            stage.stay()?;
        }
        Ok(())
    }
}

fn show_counters(stage: &Stage) -> Result<()> {
    println!("From /stats/prometheus of Envoy:");
    for line in stage.envoy.filter_metrics()? {
        println!("  {line}");
    }
    Ok(())
}
