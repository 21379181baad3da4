//! Tree -> model: every key of a policy document, read and checked.

mod policy_tests;
mod resources;
mod restrictions;
mod routes;
mod rules;
mod targets;
mod validations;

use std::collections::{BTreeSet, HashSet};

use portcullis_bundle::Reason;

use crate::conditions::Conditions;
use crate::diagnostic::Diagnostic;
use crate::model::{Host, Model, Who};
use crate::names::did_you_mean;
use crate::reader::{Fields, Keys, Reader};
use crate::roles::Roles;
use crate::schema::{self, Schemas};
use crate::shared::Distinct;
use crate::tree::{Node, Position, Value};

const DOCUMENT: Keys = Keys {
    of: "a policy document",
    known: &[
        "version",
        "roles",
        "permission_groups",
        "rules",
        "routes",
        "public",
        "blocked",
        "login",
        "restrictions",
        "levels",
        "subject",
        "statuses",
        "tests",
        "schemas",
        "validations",
    ],
    later: &[],
};
const SUBJECT: Keys = Keys { of: "`subject`", known: &["states", "api_key_requires_otp"], later: &[] };

const LEVEL: Keys = Keys { of: "a level", known: &["key", "value"], later: &[] };

const DEFAULT_STATES: [&str; 2] = ["active", "pending"];

/// What rules, targets and routes have in common.
#[derive(Default)]
struct Parts<'n> {
    whos: Distinct<'n, Who>,
    hosts: Distinct<'n, Vec<Host>>,
    methods: Distinct<'n, BTreeSet<String>>,
}

/// Reads a document; what is wrong with it is added to `diagnostics`.
pub(crate) fn read(root: Node<'_>, diagnostics: &mut Vec<Diagnostic>) -> Model {
    let reader = &mut Reader::new(diagnostics);
    let mut model = Model {
        rules: Vec::new(),
        routes: Vec::new(),
        public: Vec::new(),
        blocked: Vec::new(),
        login: Vec::new(),
        levels: Vec::new(),
        restrictions: Vec::new(),
        conditions: Conditions::default(),
        states: DEFAULT_STATES.map(str::to_owned).to_vec(),
        api_key_requires_otp: true,
        statuses: Reason::ALL.map(Reason::default_status),
        tests: Vec::new(),
        schemas: Schemas::default(),
        validations: Vec::new(),
    };
    let Some(document) = reader.fields(root, &DOCUMENT) else { return model };
    version(reader, &document);
    let roles = Roles::read(reader, document.get("roles"), document.get("permission_groups"));
    let parts = &mut Parts::default();
    model.rules = rules::read(reader, &roles, &mut model.conditions, parts, document.get("rules"));
    model.public = targets::read_list(reader, parts, document.get("public"));
    model.blocked = targets::read_list(reader, parts, document.get("blocked"));
    model.login = targets::read_list(reader, parts, document.get("login"));
    model.routes = routes::read(reader, &roles, parts, document.get("routes"));
    model.levels = levels(reader, document.get("levels"));
    subject(reader, document.get("subject"), &mut model);
    let overrides = statuses(reader, document.get("statuses"));
    for (status, given) in model.statuses.iter_mut().zip(overrides) {
        *status = given.unwrap_or(*status);
    }
    model.restrictions = restrictions::read(reader, document.get("restrictions"), &overrides);
    model.tests = policy_tests::read(reader, document.get("tests"));
    model.schemas = schema::read(reader, document.get("schemas"));
    model.validations = validations::read(reader, parts, &model.schemas, document.get("validations"));
    model
}

fn version(reader: &mut Reader<'_>, document: &Fields<'_>) {
    match document.get("version").map(|node| (node.at(), node.value())) {
        None => reader.warning(document.at, "`version` is missing, 1 is assumed"),
        Some((_, Value::Scalar { text: "1", plain: true })) => {}
        Some((at, _)) => reader.error(at, "`version` must be 1"),
    }
}

fn levels(reader: &mut Reader<'_>, node: Option<Node<'_>>) -> Vec<(String, String)> {
    let mut levels = Vec::new();
    for node in reader.list(node, "levels") {
        let Some(fields) = reader.fields(node, &LEVEL) else { continue };
        let [key, value] = ["key", "value"].map(|key| match fields.get(key) {
            Some(node) => reader.text(node, key).map(str::to_owned),
            None => {
                reader.error(fields.at, format!("level has no `{key}`"));
                None
            }
        });
        levels.extend(key.zip(value));
    }
    levels
}

fn subject(reader: &mut Reader<'_>, node: Option<Node<'_>>, model: &mut Model) {
    let Some(fields) = node.and_then(|node| reader.fields(node, &SUBJECT)) else { return };
    if let Some(states) = fields.get("states") {
        model.states = reader.texts(Some(states), "states").into_iter().map(|(_, state)| state.to_owned()).collect();
        if model.states.is_empty() {
            reader
                .error(states.at(), "`states` is empty: every subject would be refused; leave it out for the default");
        }
    }
    if let Some(flag) = fields.get("api_key_requires_otp").and_then(|node| reader.flag(node)) {
        model.api_key_requires_otp = flag;
    }
}

/// The statuses that the document gives, by reason.
fn statuses(reader: &mut Reader<'_>, node: Option<Node<'_>>) -> [Option<u16>; Reason::COUNT] {
    let mut statuses = [None; Reason::COUNT];
    let Some(fields) = node.and_then(|node| reader.map(node, "HTTP statuses by reason")) else { return statuses };
    for (key, node) in fields.iter() {
        match key.text.parse::<Reason>() {
            Err(_) => {
                let names = Reason::ALL.iter().map(|reason| reason.name());
                let help = did_you_mean(key.text, names);
                reader.error_with_help(key.at, format!("`{}` is not a reason", key.text), help);
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
    seen: HashSet<String>,
}

impl Ids {
    /// The id given for an item at `place` ("rules", 7), if one is.
    fn next(
        &mut self,
        reader: &mut Reader<'_>,
        place: (&str, usize),
        at: Position,
        given: Option<Node<'_>>,
    ) -> Option<String> {
        let given = given.and_then(|node| Some((node.at(), reader.text(node, "an id")?)));
        let second = match given {
            Some((at, id)) => (!self.seen.insert(id.to_owned())).then(|| (at, id.to_owned())),
            // An id by position can only meet one that was given.
            None if self.seen.is_empty() => None,
            None => Some((at, Self::by_position(place))).filter(|(_, id)| self.seen.contains(id)),
        };
        if let Some((at, id)) = second {
            reader.error(at, format!("id `{id}` is here for the second time"));
        }
        given.map(|(_, id)| id.to_owned())
    }

    fn by_position((list, index): (&str, usize)) -> String {
        format!("{list}[{index}]")
    }
}
