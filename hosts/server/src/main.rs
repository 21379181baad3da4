use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use portcullis_server::cli::Cli;

/// A request takes some hundred small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
