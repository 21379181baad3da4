//! Builds the wasm modules with a cargo of their own and makes components of the guests.
//!
//! In: the guest and filter crates of this workspace. Out: `<target>/wasm/*.wasm`, their paths as environment variables
//! of the library. The modules are the same whatever profile the host is built with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// What the modules are made of, from the workspace folder.
const SOURCES: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", "wit", "policy/bundle", "policy/core", "policy/guest", "hosts/envoy"];

fn main() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // <target>/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).context("OUT_DIR is not inside a target folder")?.to_owned();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    require_target()?;

    let folder = target.join("wasm");
    fs::create_dir_all(&folder)?;
    let mut packages = vec!["portcullis-guest", "portcullis-envoy"];
    if env::var_os("CARGO_FEATURE_FIXTURES").is_some() {
        println!("cargo::rerun-if-changed={}", workspace.join("tests/faulty-guest").display());
        packages.push("faulty-guest");
    }
    let modules = build(&workspace, &target.join("guests"), &packages)?;

    let policy = component(&modules.join("portcullis_guest.wasm"))?;
    publish("PORTCULLIS_POLICY", &folder.join("portcullis-policy.wasm"), &policy)?;
    let filter = fs::read(modules.join("portcullis_envoy.wasm"))?;
    publish("PORTCULLIS_ENVOY", &folder.join("portcullis-envoy.wasm"), &filter)?;
    if env::var_os("CARGO_FEATURE_FIXTURES").is_some() {
        let faulty = component(&modules.join("faulty_guest.wasm"))?;
        publish("PORTCULLIS_FAULTY", &folder.join("faulty-guest.wasm"), &faulty)?;
    }
    Ok(())
}

/// rustup installs no target by itself while cargo runs, so say what to do instead of failing inside the build.
fn require_target() -> Result<()> {
    let rustc = env::var("RUSTC")?;
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let libraries = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success() && Path::new(libraries.trim()).is_dir(),
        "the Rust target {TARGET} is missing: run `rustup target add {TARGET}`"
    );
    Ok(())
}

/// Builds `packages` for wasm and answers with the folder of the modules.
fn build(workspace: &Path, target: &Path, packages: &[&str]) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--locked", "--profile", "guest", "--target", TARGET]);
    cargo.arg("--target-dir").arg(target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    // What the outer cargo was told about the host does not hold for wasm.
    for variable in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        cargo.env_remove(variable);
    }
    ensure!(cargo.status()?.success(), "cargo could not build {}", packages.join(", "));
    Ok(target.join(TARGET).join("guest"))
}

fn component(module: &Path) -> Result<Vec<u8>> {
    let module = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

/// Writes the file only when it changed, and tells the library where it is.
fn publish(variable: &str, path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).ok().as_deref() != Some(bytes) {
        fs::write(path, bytes)?;
    }
    println!("cargo::rustc-env={variable}={}", path.display());
    Ok(())
}
