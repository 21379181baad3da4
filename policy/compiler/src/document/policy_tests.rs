//! The `tests` of a document: a request and what of the decision is expected.

use std::collections::BTreeSet;

use portcullis_bundle::Reason;

use crate::decision::Obligation;
use crate::model::{Expect, PolicyTest};
use crate::names::did_you_mean;
use crate::reader::{Fields, Keys, Reader};
use crate::request::Request;
use crate::tree::{Node, Position, Value};

const TEST: Keys = Keys { of: "a test", known: &["name", "request", "expect"], later: &[] };
const EXPECT: Keys = Keys {
    of: "`expect`",
    known: &["decision", "reason", "status", "rules", "restriction", "obligations", "errors"],
    later: &[],
};
const OBLIGATION: Keys = Keys { of: "an obligation", known: &["audit"], later: &[] };
const DECISIONS: [(&str, &str); 2] = [("allow", "allow"), ("deny", "deny")];

pub(super) fn read(reader: &mut Reader<'_>, node: Option<Node<'_>>) -> Vec<PolicyTest> {
    let mut names = BTreeSet::new();
    let tests = reader.list(node, "tests");
    tests.filter_map(|node| test(reader, node, &mut names)).collect()
}

fn test<'n>(reader: &mut Reader<'_>, node: Node<'n>, names: &mut BTreeSet<&'n str>) -> Option<PolicyTest> {
    let fields = reader.fields(node, &TEST)?;
    let name = required(reader, &fields, "name").and_then(|node| {
        let name = reader.text(node, "a name")?;
        if !names.insert(name) {
            reader.error(node.at(), format!("test `{name}` is here for the second time"));
        }
        Some(name)
    });
    let request = required(reader, &fields, "request").and_then(|node| Request::read(reader, node));
    let expect = required(reader, &fields, "expect").and_then(|node| expect(reader, node));
    Some(PolicyTest { at: fields.at, name: name?.to_owned(), request: request?, expect: expect? })
}

fn required<'n>(reader: &mut Reader<'_>, fields: &Fields<'n>, key: &str) -> Option<Node<'n>> {
    let node = fields.get(key);
    if node.is_none() {
        reader.error(fields.at, format!("test has no `{key}`"));
    }
    node
}

fn expect(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Expect> {
    let fields = reader.fields(node, &EXPECT)?;
    let decision = match fields.get("decision") {
        Some(node) => reader.choice(node, "a decision", &DECISIONS, &[]),
        None => {
            reader.error(fields.at, "`expect` has no `decision`");
            None
        }
    };
    let texts = |reader: &mut Reader<'_>, key| {
        let texts = reader.texts(Some(fields.get(key)?), "ids");
        Some(texts.into_iter().map(|(_, text)| text.to_owned()).collect())
    };
    Some(Expect {
        reason: fields.get("reason").and_then(|node| reason(reader, node)),
        status: fields.get("status").and_then(|node| status(reader, node)),
        rules: texts(reader, "rules"),
        errors: texts(reader, "errors"),
        restriction: fields.iter().find(|(key, _)| key.text == "restriction").map(|(_, node)| match node.value() {
            Value::Null => None,
            _ => reader.text(node, "an id").map(str::to_owned),
        }),
        obligations: fields.get("obligations").map(|node| {
            let items = reader.list(Some(node), "obligations");
            items.filter_map(|item| obligation(reader, item)).collect()
        }),
        decision: decision?,
    })
}

fn reason(reader: &mut Reader<'_>, node: Node<'_>) -> Option<&'static str> {
    let text = reader.text(node, "a reason")?;
    if let Ok(reason) = text.parse::<Reason>() {
        return Some(reason.name());
    }
    let help = did_you_mean(text, Reason::ALL.iter().map(|reason| reason.name()));
    reader.error_with_help(node.at(), format!("`{text}` is not a reason"), help);
    None
}

fn status(reader: &mut Reader<'_>, node: Node<'_>) -> Option<u16> {
    if let Value::Scalar { text, plain: true } = node.value()
        && let Ok(status @ 100..=599) = text.parse()
    {
        return Some(status);
    }
    reader.expected(node, "an HTTP status");
    None
}

fn obligation(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Obligation> {
    if let Value::Map(_) = node.value() {
        let fields = reader.fields(node, &OBLIGATION)?;
        let topic = audit_topic(reader, &fields, node.at())?;
        return Some(Obligation::Audit(topic));
    }
    reader.choice(node, "an obligation", &[("denied", ())], &[]).map(|()| Obligation::Denied)
}

fn audit_topic(reader: &mut Reader<'_>, fields: &Fields<'_>, at: Position) -> Option<String> {
    let Some(topic) = fields.get("audit") else {
        reader.error(at, "an obligation is `denied` or `{audit: topic}`");
        return None;
    };
    reader.text(topic, "a topic").map(str::to_owned)
}
