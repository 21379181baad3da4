//! `cargo xtask bench`: measures, prints tables, and writes them into the documents.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use portcullis_benches::engines;
use portcullis_benches::report::{self, Circumstances};
#[cfg(feature = "component")]
use portcullis_benches::suites::component;
#[cfg(feature = "edge")]
use portcullis_benches::suites::edge;
#[cfg(feature = "validators")]
use portcullis_benches::suites::validate;
use portcullis_benches::suites::{Settings, compile, decide, instructions};
#[cfg(feature = "server")]
use portcullis_benches::suites::{allow, nodes, polls};
use portcullis_benches::workload::SIZES;

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Measures the policy core and what it is compared with")]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Cli {
    /// What to measure; everything when absent
    names: Vec<Suite>,
    /// Numbers of rules
    #[arg(long, value_delimiter = ',', default_values_t = SIZES)]
    rules: Vec<usize>,
    /// Engines by name; all when absent
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// How often each engine has its turn
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// The three about the filter in a real Envoy
    #[cfg(feature = "edge")]
    #[arg(long, conflicts_with = "names")]
    edge: bool,
    /// Put the tables into docs/PERFORMANCE.md
    #[arg(long)]
    write: bool,
    /// Day of the run in the tables; today when absent
    #[arg(long)]
    date: Option<String>,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Suite {
    /// Time of one native decision
    Decide,
    /// Instructions of one native decision; needs valgrind
    Instructions,
    /// From document to open policy
    Compile,
    /// Time of one decision through wasmtime
    #[cfg(feature = "component")]
    Component,
    /// The same for a rule with a condition
    #[cfg(feature = "component")]
    Conditions,
    /// Processor time of Envoy per request, with the filter and with what else could stand there
    #[cfg(feature = "edge")]
    EdgeCost,
    /// Memory of Envoy with the filter
    #[cfg(feature = "edge")]
    EdgeMemory,
    /// How soon a change takes effect on every worker of an Envoy
    #[cfg(feature = "edge")]
    EdgeChange,
    /// How soon thousands of waiting edges are told by the server
    #[cfg(feature = "server")]
    Polls,
    /// `/v1/allow` under load, beside a bare handler, and while users are changed
    #[cfg(feature = "server")]
    Allow,
    /// How soon what one server wrote decides on another
    #[cfg(feature = "server")]
    Nodes,
    /// Time of one validation of a document
    #[cfg(feature = "validators")]
    Validate,
}

impl Cli {
    fn suites(&self) -> Vec<Suite> {
        #[cfg(feature = "edge")]
        if self.edge {
            return vec![Suite::EdgeCost, Suite::EdgeMemory, Suite::EdgeChange];
        }
        if self.names.is_empty() { Suite::value_variants().to_vec() } else { self.names.clone() }
    }
}

/// What the benchmark starts itself, in a process of its own.
#[derive(Subcommand)]
enum Child {
    #[command(hide = true)]
    Count(instructions::Job),
    #[command(hide = true)]
    CompileOne(compile::Job),
    #[cfg(feature = "server")]
    #[command(hide = true)]
    Bare(allow::Job),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Where the programs of others are unpacked, in the target folder above `server`.
#[cfg(feature = "server")]
fn tools(server: &std::path::Path) -> std::path::PathBuf {
    server.ancestors().nth(2).map(std::path::Path::to_owned).unwrap_or_default().join("tools")
}

fn run(cli: Cli) -> Result<()> {
    let suites = cli.suites();
    let Cli { rules, engines: chosen, rounds, write, date, child, .. } = cli;
    match child {
        Some(Child::Count(job)) => return instructions::child(&job),
        Some(Child::CompileOne(job)) => return compile::child(&job),
        #[cfg(feature = "server")]
        Some(Child::Bare(job)) => return allow::child(&job),
        None => {}
    }
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--write").collect::<Vec<_>>();
    let circumstances =
        Circumstances::of(format!("cargo xtask bench {}", arguments.join(" ")).trim().to_owned(), date)?;
    let known = engines::names();
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no engine `{unknown}`, this build has {}", known.join(", "));
    }
    let settings = Settings { rules, engines: chosen, rounds };
    // Beside the binary of the benchmarks lies the server's.
    #[cfg(any(feature = "edge", feature = "server"))]
    let server = std::env::current_exe()?.with_file_name("portcullis");
    for suite in suites {
        let (name, table) = match suite {
            Suite::Decide => ("decide", decide::run(&settings)?),
            Suite::Instructions => ("instructions", instructions::run(&settings)?),
            Suite::Compile => ("compile", compile::run(&settings)?),
            #[cfg(feature = "component")]
            Suite::Component => ("component", component::run(&settings)?),
            #[cfg(feature = "component")]
            Suite::Conditions => ("conditions", component::conditions(&settings)?),
            #[cfg(feature = "edge")]
            Suite::EdgeCost => ("edge-cost", edge::cost(&edge::Programs::find(server.clone())?, settings.rounds)?),
            #[cfg(feature = "edge")]
            Suite::EdgeMemory => ("edge-memory", edge::memory(&edge::Programs::find(server.clone())?)?),
            #[cfg(feature = "edge")]
            Suite::EdgeChange => ("edge-change", edge::change(&edge::Programs::find(server.clone())?)?),
            #[cfg(feature = "server")]
            Suite::Polls => ("polls", polls::run(&server)?),
            #[cfg(feature = "server")]
            Suite::Allow => ("allow", allow::run(&server, &tools(&server), settings.rounds)?),
            #[cfg(feature = "server")]
            Suite::Nodes => ("nodes", nodes::run(&server, &tools(&server))?),
            #[cfg(feature = "validators")]
            Suite::Validate => ("validate", validate::run(settings.rounds)?),
        };
        let section = report::section(name, &table, &circumstances)?;
        println!("{section}\n");
        if write {
            eprintln!("{name}: written to {}", report::write(name, &section)?.display());
        }
    }
    Ok(())
}
