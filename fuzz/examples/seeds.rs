//! Writes what the fuzz targets start from: the policies and requests of the case files, the golden bundle, the examples.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portcullis_core::{Target, wire};
use portcullis_fuzz::{Checked, Question};
use portcullis_tests::{cases, engines};

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let seeds = Seeds(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"));
    for file in &cases::all()? {
        let name = file.path.file_stem().and_then(|name| name.to_str()).context("a name")?;
        seeds.policy(name, &file.text)?;
        let bundle = engines::bundle(&file.text, cases::REVISION)?;
        for (at, case) in file.cases.iter().enumerate() {
            seeds.request(&format!("{name}-{at}"), &(&case.request).into(), &bundle)?;
        }
    }
    for policy in
        ["tests/golden/bundle-v1/policy.yaml", "examples/shop/policy.yaml", "hosts/server/src/management.yaml"]
    {
        seeds.policy(&policy.replace(['/', '.'], "-"), &fs::read_to_string(root.join(policy))?)?;
    }
    let golden = root.join("tests/golden/bundle-v1");
    let bundle = fs::read(golden.join("policy.bundle"))?;
    for (at, line) in fs::read_to_string(golden.join("documents.txt"))?.lines().enumerate() {
        let (_, document) = line.split_once(' ').context("a document")?;
        seeds.document(&at.to_string(), document.as_bytes(), &bundle)?;
    }
    seeds.write("open", "golden", &bundle)
}

/// The folder with one folder for each target.
struct Seeds(PathBuf);

impl Seeds {
    fn policy(&self, name: &str, text: &str) -> Result<()> {
        self.write("compile", name, text.as_bytes())?;
        self.write("open", name, &engines::bundle(text, 1)?)
    }

    fn request(&self, name: &str, request: &portcullis_core::Request<'_>, bundle: &[u8]) -> Result<()> {
        if let Target::Http { path, .. } = request.target {
            self.write("canonicalize", name, path.as_bytes())?;
        }
        let mut encoded = Vec::new();
        match wire::encode_request(request, &mut encoded).then(|| Question::input(&encoded, bundle)).flatten() {
            Some(input) => self.write("decide", name, &input),
            // Longer than any request that is decided on.
            None => Ok(()),
        }
    }

    fn document(&self, name: &str, document: &[u8], bundle: &[u8]) -> Result<()> {
        self.write("json", name, document)?;
        self.write("validate", name, &Checked::input(document, bundle).context("a short document")?)
    }

    fn write(&self, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes).with_context(|| folder.join(name).display().to_string())
    }
}
