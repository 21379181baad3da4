//! `tests/cases/*.toml`: behaviour that an operator cares about, for every engine.
//!
//! A file holds one policy, as people write it, and cases: a request and the decision on it. The policy may be what an
//! importer makes of another system's configuration; a case then says where we answer otherwise, and why.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use portcullis_compiler::import;
use portcullis_runtime::{Decision, Effect, Reason, Request, Target};
use serde::Deserialize;
use serde_json::json;

use crate::engines::Given;
use crate::engines::json;
use crate::oracle::{Document, Revocation};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    policy: Option<String>,
    /// What `source` is a configuration of.
    import: Option<Importer>,
    source: Option<String>,
    /// Ids of subjects, and the unix second before which their tokens do not count.
    #[serde(default)]
    revocations: Vec<Revocation>,
    case: Vec<WireCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Importer {
    Barong,
    Padlock,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCase {
    note: String,
    /// Why the original of an imported policy answers otherwise.
    differs: Option<String>,
    request: serde_json::Value,
    decision: String,
    reason: String,
    status: u16,
    #[serde(default)]
    rules: Vec<String>,
    restriction: Option<String>,
    #[serde(default)]
    obligations: Vec<serde_json::Value>,
    #[serde(default)]
    errors: Vec<String>,
}

pub struct File {
    pub path: PathBuf,
    pub text: String,
    pub document: Document,
    pub revocations: Vec<Revocation>,
    pub cases: Vec<Case>,
}

pub struct Case {
    pub note: String,
    pub request: Request,
    pub expected: Decision,
}

/// Revision of every policy of a case file.
pub const REVISION: u64 = 7;

pub fn all() -> Result<Vec<File>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(|path| read(&path).with_context(|| path.display().to_string())).collect()
}

fn read(path: &Path) -> Result<File> {
    let WireFile { policy, import, source, revocations, case } = toml::from_str(&std::fs::read_to_string(path)?)?;
    let policy = match (policy, import, source) {
        (Some(policy), None, None) => policy,
        (None, Some(importer), Some(source)) => imported(&importer, &source)?,
        _ => bail!("a case file has either `policy` or both `import` and `source`"),
    };
    let document = serde_saphyr::from_str(&policy)?;
    let cases = case.into_iter().map(|case| {
        let note = case.note.clone();
        Case::try_from(case).context(note)
    });
    Ok(File { path: path.to_owned(), document, revocations, cases: cases.collect::<Result<_>>()?, text: policy })
}

impl File {
    pub fn given(&self) -> Given<'_> {
        Given { document: &self.document, text: &self.text, revocations: &self.revocations, revision: REVISION }
    }

    /// The cases that a proxy can ask the filter about. A proxy has a clock: nobody tells it that there is no time.
    pub fn for_filter(&self) -> Vec<&Case> {
        let reads_clock =
            self.document.rules.iter().filter_map(|rule| rule.when.as_ref()).any(|when| when.contains("now"));
        let has_time = |case: &&Case| case.request.now.is_some() || !reads_clock;
        self.cases.iter().filter(|case| case.is_for_filter()).filter(has_time).collect()
    }
}

fn imported(importer: &Importer, source: &str) -> Result<String> {
    let imported = match importer {
        Importer::Barong => import::barong(source),
        Importer::Padlock => import::padlock(source),
    };
    match imported {
        Ok(imported) => Ok(imported.document),
        Err(errors) => bail!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

impl TryFrom<WireCase> for Case {
    type Error = anyhow::Error;

    fn try_from(wire: WireCase) -> Result<Self> {
        ensure!(wire.differs.as_ref().is_none_or(|why| !why.is_empty()), "`differs` says why");
        let WireCase { note, differs: _, request, decision, reason, status, rules, restriction, obligations, errors } =
            wire;
        let expected = json!({
            "decision": decision, "status": status, "reason": reason, "rules": rules, "restriction": restriction,
            "obligations": obligations, "errors": errors, "revision": REVISION,
        });
        // A text is JSON as it stands, for what TOML would change.
        let request = request.as_str().map_or_else(|| request.to_string(), str::to_owned);
        Ok(Self { note, request: Request::from_json(&request)?, expected: json::decision(&expected)? })
    }
}

impl Case {
    /// Whether a proxy can ask the filter about the request.
    fn is_for_filter(&self) -> bool {
        let Target::Http { path, .. } = &self.request.target else { return false };
        let is_somebody = self.request.subject.is_some() || self.request.credential.name() == "none";
        let properties = self.request.subject.as_ref().and_then(|subject| subject.properties.as_ref());
        // The filter refuses a path that is not ASCII, the core spells it out.
        is_somebody && self.request.context.is_none() && properties.is_none() && path.is_ascii()
    }

    /// Whether the path is the one that is decided on.
    pub fn is_canonical(&self) -> bool {
        let Target::Http { path, .. } = &self.request.target else { return false };
        let path = path.split('?').next().unwrap_or_default();
        let mut canonical = Vec::new();
        portcullis_core::canonicalize(path, &mut canonical).is_ok() && canonical == path.as_bytes()
    }

    /// Whether the request can moreover be sent over HTTP/1.1 as it is, so that Envoy hands it to the filter.
    pub fn is_sendable(&self) -> bool {
        let Target::Http { host: Some(host), path } = &self.request.target else { return false };
        let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_method = matches!(&*self.request.action, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS");
        // Envoy has a clock of its own.
        let is_timeless = self.request.now.is_none();
        self.is_for_filter()
            && is_method
            && is_timeless
            && self.request.source_ip.is_some()
            && path.starts_with('/')
            && !path.contains('#')
            && is_visible(host)
            && is_visible(path)
    }
}

/// A difference as a case file, ready to be committed once the expectation is right.
pub fn to_file(given: Given<'_>, request: &Request, expected: &Decision) -> String {
    let policy = serde_json::to_string_pretty(given.document).unwrap_or_default();
    let Decision { effect, status, reason, rules, restriction, obligations, errors, revision: _ } = expected;
    let effect = if *effect == Effect::Allow { "allow" } else { "deny" };
    let revocations = json!(given.revocations);
    let mut text = format!("policy = '''\n{policy}\n'''\nrevocations = {revocations}\n\n[[case]]\nnote = \"\"\n");
    text += &format!("request = '''{}'''\n", json::request(request));
    text += &format!("decision = \"{effect}\"\nreason = \"{}\"\nstatus = {status}\n", Reason::name(*reason));
    text += &format!("rules = {}\n", json!(rules));
    if let Some(id) = restriction {
        text += &format!("restriction = {}\n", json!(id));
    }
    text += &format!("obligations = {}\n", inline(&json!(obligations)));
    text + &format!("errors = {}\n", json!(errors))
}

/// JSON as a TOML value on one line; null members are left out.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> = members.map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
