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
}

impl Demo {
    pub(crate) fn run(self) -> Result<()> {
        let stage = Stage::build()?;
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
