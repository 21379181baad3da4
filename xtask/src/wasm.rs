//! `cargo xtask wasm`: builds the wasm modules and prints their sizes.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::progress::step;
use crate::{setup, workspace};

/// What each module may weigh, in bytes.
const BUDGETS: [(&str, u64); 4] = [
    ("portcullis-policy.wasm", 400 * 1024),
    ("portcullis-policy.core.wasm", 400 * 1024),
    ("portcullis-envoy.wasm", 450 * 1024),
    ("portcullis-compiler.wasm", 4096 * 1024),
];

pub(crate) fn wasm() -> Result<()> {
    setup::wasm_target()?;
    let target = workspace::target()?;
    step("wasm modules", |step| {
        let arguments =
            ["build", "--release", "--locked", "--package", "portcullis-artifacts", "--features", "compiler"];
        workspace::run_cargo(&arguments, &target.join("xtask"), step)
    })?;
    for (name, budget) in BUDGETS {
        let path = target.join("wasm").join(name);
        let bytes = fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        println!("{name}: {bytes} bytes of at most {budget}");
        ensure!(bytes < budget, "{name} is over its budget");
    }
    Ok(())
}
