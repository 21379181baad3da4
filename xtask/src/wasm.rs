//! `cargo xtask wasm`: builds the wasm modules and prints their sizes. One that is over its budget does not build.

use std::fs;

use anyhow::{Context, Result};

use crate::progress::step;
use crate::{setup, workspace};

#[path = "../../policy/artifacts/budgets.rs"]
mod budgets;

const BUDGETS: [(&str, usize); 4] = [
    ("portcullis-policy.wasm", budgets::POLICY),
    ("portcullis-policy.core.wasm", budgets::MODULE),
    ("portcullis-envoy.wasm", budgets::ENVOY),
    ("portcullis-compiler.wasm", budgets::COMPILER),
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
    }
    Ok(())
}
