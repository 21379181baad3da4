//! Builds the wasm modules with a cargo of their own and makes components of the guests.
//!
//! In: the guest and filter crates of this workspace. Out: `<target>/wasm/*.wasm`, their paths as environment variables
//! of the library. The modules are the same whatever profile the host is built with.

mod budgets;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// What the modules are made of, from the workspace folder.
const SOURCES: [&str; 9] = [
    "Cargo.toml",
    "Cargo.lock",
    "wit",
    "policy/allocator",
    "policy/bundle",
    "policy/core",
    "policy/guest",
    "policy/module",
    "hosts/envoy",
];

fn main() -> Result<()> {
    // Asked now and not when this was compiled: a target folder may serve one checkout after the other.
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace =
        manifest.join("../..").canonicalize().with_context(|| format!("finding {}/../..", manifest.display()))?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // <target>/<profile>/build/<package>/out
    let target = out.ancestors().nth(4).context("OUT_DIR is not inside a target folder")?.to_owned();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    require_target()?;

    let folder = target.join("wasm");
    fs::create_dir_all(&folder)?;
    let guests = Guests { workspace: &workspace, target: &target.join("guests") };

    let mut packages = vec!["portcullis-guest", "portcullis-module"];
    if env::var_os("CARGO_FEATURE_FIXTURES").is_some() {
        println!("cargo::rerun-if-changed={}", workspace.join("tests/faulty-guest").display());
        packages.push("faulty-guest");
    }
    let modules = guests.build("guest", &packages)?;
    let policy = component(&modules.join("portcullis_guest.wasm"))?;
    publish("PORTCULLIS_POLICY", &folder.join("portcullis-policy.wasm"), &policy, budgets::POLICY)?;
    let module = fs::read(modules.join("portcullis_module.wasm"))?;
    publish("PORTCULLIS_MODULE", &folder.join("portcullis-policy.core.wasm"), &module, budgets::MODULE)?;
    if packages.contains(&"faulty-guest") {
        let faulty = component(&modules.join("faulty_guest.wasm"))?;
        publish("PORTCULLIS_FAULTY", &folder.join("faulty-guest.wasm"), &faulty, budgets::POLICY)?;
    }

    let modules = guests.build("filter", &["portcullis-envoy"])?;
    let filter = fs::read(modules.join("portcullis_envoy.wasm"))?;
    publish("PORTCULLIS_ENVOY", &folder.join("portcullis-envoy.wasm"), &filter, budgets::ENVOY)?;

    if env::var_os("CARGO_FEATURE_FIXTURES").is_some() {
        println!("cargo::rerun-if-changed={}", workspace.join("tests/empty-filter").display());
        let modules = guests.build("filter", &["empty-filter"])?;
        let empty = fs::read(modules.join("empty_filter.wasm"))?;
        publish("PORTCULLIS_EMPTY", &folder.join("empty-filter.wasm"), &empty, budgets::ENVOY)?;
    }

    if env::var_os("CARGO_FEATURE_COMPILER").is_some() {
        for source in ["policy/compiler", "policy/compiler-guest"] {
            println!("cargo::rerun-if-changed={}", workspace.join(source).display());
        }
        let modules = guests.build("guest", &["portcullis-compiler-guest"])?;
        let compiler = component(&modules.join("portcullis_compiler_guest.wasm"))?;
        publish("PORTCULLIS_COMPILER", &folder.join("portcullis-compiler.wasm"), &compiler, budgets::COMPILER)?;
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

/// Where the modules are built. Each build has a cargo of its own, so that no module gets features of another.
struct Guests<'a> {
    workspace: &'a Path,
    target: &'a Path,
}

impl Guests<'_> {
    /// Builds `packages` and answers with the folder of the modules.
    fn build(&self, profile: &str, packages: &[&str]) -> Result<PathBuf> {
        let mut cargo = Command::new(env::var("CARGO")?);
        cargo.current_dir(self.workspace).args(["build", "--locked", "--profile", profile, "--target", TARGET]);
        cargo.arg("--target-dir").arg(self.target);
        for package in packages {
            cargo.args(["--package", package]);
        }
        // What the outer cargo was told about the host does not hold for wasm.
        for variable in ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_ENCODED_RUSTFLAGS"] {
            cargo.env_remove(variable);
        }
        // Packages with a profile of their own lose its `strip`.
        cargo.env("RUSTFLAGS", "--cfg=sha2_backend_soft=\"compact\" -Cstrip=symbols");
        ensure!(cargo.status()?.success(), "cargo could not build {}", packages.join(", "));
        Ok(self.target.join(TARGET).join(profile))
    }
}

fn component(module: &Path) -> Result<Vec<u8>> {
    let module = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

/// Writes the file only when it changed, and tells the library where it is. A module past its budget fails the build.
fn publish(variable: &str, path: &Path, bytes: &[u8], budget: usize) -> Result<()> {
    ensure!(bytes.len() <= budget, "{} is {} bytes, its budget is {budget}", path.display(), bytes.len());
    if fs::read(path).ok().as_deref() != Some(bytes) {
        fs::write(path, bytes)?;
    }
    println!("cargo::rustc-env={variable}={}", path.display());
    Ok(())
}
