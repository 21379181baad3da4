//! The shape of what is built: imports, sizes, dependency edges, paths that the documents name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use portcullis_artifacts::{COMPILER_COMPONENT, POLICY_COMPONENT, POLICY_MODULE};
use wit_component::DecodedWasm;

#[test]
fn the_components_import_nothing_and_export_their_interfaces() {
    for (component, interfaces) in [
        (POLICY_COMPONENT, &["portcullis:policy/authorizer@0.1.0", "portcullis:policy/validator@0.1.0"][..]),
        (COMPILER_COMPONENT, &["portcullis:policy/authoring@0.1.0"]),
    ] {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
            panic!("the artifact is not a component");
        };
        let world = &resolve.worlds[world];
        let names = |items: Vec<_>| items.into_iter().map(|key| resolve.name_world_key(key)).collect::<Vec<_>>();
        assert_eq!(names(world.imports.keys().collect()), Vec::<String>::new());
        assert_eq!(names(world.exports.keys().collect()), interfaces);
    }
}

#[test]
fn the_core_module_imports_nothing_and_exports_its_memory_and_six_functions() {
    let module = wasmtime::Module::new(&wasmtime::Engine::default(), POLICY_MODULE).unwrap();
    assert_eq!(module.imports().count(), 0);
    let exports: BTreeSet<&str> = module.exports().map(|export| export.name()).collect();
    let functions = ["alloc", "close", "decide", "free", "open", "refusal"].map(|name| format!("portcullis_{name}"));
    // What the linker adds: where the program's data end and its heap begins.
    let linked = ["__data_end", "__heap_base", "memory"];
    assert_eq!(exports, functions.iter().map(String::as_str).chain(linked).collect());
}

/// Who may use whom inside the workspace, tests and builds left out; anything else points up.
const EDGES: [(&str, &[&str]); 18] = [
    ("portcullis-allocator", &[]),
    ("portcullis-bundle", &[]),
    ("portcullis-core", &["portcullis-bundle"]),
    ("portcullis-compiler", &["portcullis-bundle", "portcullis-core"]),
    ("portcullis-guest", &["portcullis-allocator", "portcullis-core"]),
    ("portcullis-module", &["portcullis-allocator", "portcullis-core"]),
    ("portcullis-compiler-guest", &["portcullis-compiler", "portcullis-core"]),
    ("portcullis-envoy", &["portcullis-core"]),
    ("portcullis-artifacts", &[]),
    ("portcullis-runtime", &["portcullis-artifacts", "portcullis-core"]),
    ("portcullis-directory", &[]),
    ("portcullis-identity", &["portcullis-directory"]),
    (
        "portcullis-server",
        &[
            "portcullis-bundle",
            "portcullis-compiler",
            "portcullis-core",
            "portcullis-directory",
            "portcullis-identity",
            "portcullis-runtime",
        ],
    ),
    ("faulty-guest", &[]),
    ("empty-filter", &[]),
    ("portcullis-rig", &[]),
    (
        "portcullis-benches",
        &["portcullis-artifacts", "portcullis-compiler", "portcullis-core", "portcullis-rig", "portcullis-runtime"],
    ),
    ("xtask", &["portcullis-rig"]),
];

#[test]
fn dependencies_point_down() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let members: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = EDGES.into();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if name == "portcullis-tests" {
            continue;
        }
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the list of edges"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let counts = dependency["kind"].is_null() && members.contains(to);
            assert!(!counts || allowed.contains(&to), "{name} must not depend on {to}");
        }
    }
}

#[test]
fn every_path_in_the_architecture_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |quote: &&str| {
        quote.contains('/') && !quote.starts_with(['/', '.', '<']) && !quote.contains([' ', ':', '*', '{', '|'])
    };
    let paths: Vec<&str> = quoted.filter(is_path).collect();
    assert!(paths.len() >= 10, "only {paths:?} found");
    for path in paths {
        assert!(root.join(path).exists(), "docs/ARCHITECTURE.md names {path}, which does not exist");
    }
}

/// Rows of the table of weaknesses, by letter.
const WEAKNESSES: [(char, usize); 4] = [('P', 15), ('H', 10), ('T', 9), ('E', 16)];

#[test]
fn every_weakness_has_a_row_whose_cases_name_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/WEAKNESSES.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    let rows: BTreeMap<&str, Vec<&str>> = rows
        .map(|row| row.split(" | ").map(str::trim).collect::<Vec<_>>())
        .map(|row| (row[0], row[1..].to_vec()))
        .collect();
    for id in WEAKNESSES.iter().flat_map(|&(letter, count)| (1..=count).map(move |number| format!("{letter}{number}")))
    {
        let [_, cases, also] = rows[id.as_str()][..] else { panic!("the row of {id} has other columns") };
        for (cell, must_name) in [(cases, true), (also, false)] {
            for path in cell.split('`').skip(1).step_by(2).filter(|quote| quote.contains('/')) {
                let file = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
                let mut words = file.split(|char: char| !char.is_ascii_alphanumeric());
                assert!(!must_name || words.any(|word| word == id), "{path} does not name {id}");
            }
        }
    }
}
