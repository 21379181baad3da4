//! What the system knows about another process.

use std::fs;

use anyhow::{Context, Result};

/// Nanoseconds that the threads of the process have run, user and system together: the first field of
/// `/proc/PID/task/*/schedstat` (Documentation/scheduler/sched-stats.rst), which is what `utime` and `stime` are
/// rounded from. Threads that ended do not count.
pub fn ran_ns(pid: u32) -> Result<f64> {
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += text.split(' ').next().context("an empty schedstat")?.parse::<f64>()?;
    }
    Ok(sum)
}

/// Resident memory in MiB.
pub fn resident_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
