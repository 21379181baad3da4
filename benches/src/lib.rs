//! Benchmarks: a workload, engines that decide it, and ways to measure them. `cargo xtask bench` runs them.

pub mod engines;
pub mod measure;
pub mod random;
pub mod report;
pub mod suites;
pub mod workload;
