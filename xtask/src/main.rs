//! Tasks of this repository: `cargo xtask --help`.

mod bench;
mod demo;
mod fuzz;
mod progress;
mod schemathesis;
mod setup;
mod test;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Tasks of this repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the other tasks need: the wasm target of Rust, Envoy
    Setup,
    /// Real requests through a real Envoy, compared with the server's decisions
    Demo(demo::Demo),
    /// Every test, with a real Envoy, and the demo
    Test(test::Test),
    /// Requests made of the OpenAPI documents, against the server of the last release build
    Schemathesis(schemathesis::Schemathesis),
    /// Build the wasm modules and print their sizes
    Wasm,
    /// Measure the policy core and what it is compared with
    Bench(bench::Bench),
    /// Random inputs for the bundle reader, the core and the compiler, for some time
    Fuzz(fuzz::Fuzz),
}

fn main() -> ExitCode {
    let Cli { task } = Cli::parse();
    match run(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup => setup::setup(),
        Task::Demo(demo) => demo.run(),
        Task::Test(test) => test.run(),
        Task::Schemathesis(schemathesis) => schemathesis.run(),
        Task::Wasm => wasm::wasm(),
        Task::Bench(bench) => bench.run(),
        Task::Fuzz(fuzz) => fuzz.run(),
    }
}
