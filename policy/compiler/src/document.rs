//! Tree -> model: every key of a policy document, read and checked.

mod restrictions;
mod rules;
mod targets;

use std::collections::BTreeSet;

use portcullis_bundle::Reason;

use crate::diagnostic::Diagnostic;
use crate::model::Model;
use crate::reader::{Fields, Keys, Reader};
use crate::roles::Roles;
use crate::tree::{Node, Position, Value};

const DOCUMENT: Keys = Keys {
    of: "a policy document",
    known: &[
        "version",
        "roles",
        "permission_groups",
        "rules",
        "public",
        "blocked",
        "restrictions",
        "subject",
        "statuses",
    ],
    later: &["routes", "login", "levels", "schemas", "validations", "tests"],
};
const SUBJECT: Keys = Keys { of: "`subject`", known: &["states", "api_key_requires_otp"], later: &[] };

const DEFAULT_STATES: [&str; 2] = ["active", "pending"];

/// Reads a document; what is wrong with it is added to `diagnostics`.
pub(crate) fn read(root: &Node<'_>, diagnostics: &mut Vec<Diagnostic>) -> Model {
    let reader = &mut Reader::new(diagnostics);
    let mut model = Model {
        rules: Vec::new(),
        public: Vec::new(),
        blocked: Vec::new(),
        restrictions: Vec::new(),
        states: DEFAULT_STATES.map(str::to_owned).to_vec(),
        api_key_requires_otp: true,
        statuses: Reason::ALL.map(Reason::default_status),
    };
    let Some(document) = reader.fields(root, &DOCUMENT) else { return model };
    version(reader, &document);
    let roles = Roles::read(reader, document.get("roles"), document.get("permission_groups"));
    model.rules = rules::read(reader, &roles, document.get("rules"));
    model.public = targets::read_list(reader, document.get("public"));
    model.blocked = targets::read_list(reader, document.get("blocked"));
    subject(reader, document.get("subject"), &mut model);
    let overrides = statuses(reader, document.get("statuses"));
    for (status, given) in model.statuses.iter_mut().zip(overrides) {
        *status = given.unwrap_or(*status);
    }
    model.restrictions = restrictions::read(reader, document.get("restrictions"), &overrides);
    model
}

fn version(reader: &mut Reader<'_>, document: &Fields<'_, '_>) {
    match document.get("version").map(|node| (node.at, &node.value)) {
        None => reader.warning(document.at, "`version` is missing, 1 is assumed"),
        Some((_, Value::Scalar { text, plain: true })) if text == "1" => {}
        Some((at, _)) => reader.error(at, "`version` must be 1"),
    }
}

fn subject(reader: &mut Reader<'_>, node: Option<&Node<'_>>, model: &mut Model) {
    let Some(fields) = node.and_then(|node| reader.fields(node, &SUBJECT)) else { return };
    if let Some(states) = fields.get("states") {
        model.states = reader.texts(Some(states), "states").into_iter().map(|(_, state)| state.to_owned()).collect();
        if model.states.is_empty() {
            reader.error(states.at, "`states` is empty: every subject would be refused; leave it out for the default");
        }
    }
    if let Some(flag) = fields.get("api_key_requires_otp").and_then(|node| reader.flag(node)) {
        model.api_key_requires_otp = flag;
    }
}

/// The statuses that the document gives, by reason.
fn statuses(reader: &mut Reader<'_>, node: Option<&Node<'_>>) -> [Option<u16>; Reason::COUNT] {
    let mut statuses = [None; Reason::COUNT];
    let Some(fields) = node.and_then(|node| reader.map(node, "HTTP statuses by reason")) else { return statuses };
    for (key, node) in fields.iter() {
        match key.text.parse::<Reason>() {
            Err(_) => {
                let names = Reason::ALL.iter().map(|reason| reason.name());
                let hint = crate::names::nearest(&key.text, names)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                reader.error(key.at, format!("`{}` is not a reason{hint}", key.text));
            }
            Ok(reason) if !reason.has_policy_status() => {
                reader.error(key.at, format!("a policy cannot change the status of `{}`", reason.name()));
            }
            Ok(reason) => {
                if let Some(slot) = statuses.get_mut(reason as usize) {
                    *slot = reader.status(node);
                }
            }
        }
    }
    statuses
}

/// Ids in one list: given by the author or by position, never twice.
#[derive(Default)]
struct Ids {
    seen: BTreeSet<String>,
}

impl Ids {
    fn next(
        &mut self,
        reader: &mut Reader<'_>,
        list: &str,
        index: usize,
        at: Position,
        given: Option<&Node<'_>>,
    ) -> String {
        let text = given.and_then(|node| reader.text(node, "an id"));
        let id = text.map_or_else(|| format!("{list}[{index}]"), str::to_owned);
        if !self.seen.insert(id.clone()) {
            reader.error(given.map_or(at, |node| node.at), format!("id `{id}` is here for the second time"));
        }
        id
    }
}
