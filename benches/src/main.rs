//! `cargo xtask bench`: measures, prints tables, and writes them into the documents.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use portcullis_benches::engines;
use portcullis_benches::report::{self, Circumstances};
#[cfg(feature = "component")]
use portcullis_benches::suites::component;
#[cfg(feature = "server")]
use portcullis_benches::suites::polls;
#[cfg(feature = "validators")]
use portcullis_benches::suites::validate;
use portcullis_benches::suites::{Settings, compile, decide, instructions};
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
    /// How soon thousands of waiting edges are told by the server
    #[cfg(feature = "server")]
    Polls,
    /// Time of one validation of a document
    #[cfg(feature = "validators")]
    Validate,
}

/// What the benchmark starts itself, in a process of its own.
#[derive(Subcommand)]
enum Child {
    #[command(hide = true)]
    Count(instructions::Job),
    #[command(hide = true)]
    CompileOne(compile::Job),
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

fn run(cli: Cli) -> Result<()> {
    let Cli { names, rules, engines: chosen, rounds, write, date, child } = cli;
    match child {
        Some(Child::Count(job)) => return instructions::child(&job),
        Some(Child::CompileOne(job)) => return compile::child(&job),
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
    let suites = if names.is_empty() { Suite::value_variants() } else { &names };
    for suite in suites {
        let (name, table) = match suite {
            Suite::Decide => ("decide", decide::run(&settings)?),
            Suite::Instructions => ("instructions", instructions::run(&settings)?),
            Suite::Compile => ("compile", compile::run(&settings)?),
            #[cfg(feature = "component")]
            Suite::Component => ("component", component::run(&settings)?),
            #[cfg(feature = "component")]
            Suite::Conditions => ("conditions", component::conditions(&settings)?),
            #[cfg(feature = "server")]
            Suite::Polls => ("polls", polls::run(&std::env::current_exe()?.with_file_name("portcullis"))?),
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
