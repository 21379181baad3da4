//! Resource targets: actions on things that are not HTTP.

use std::collections::BTreeSet;

use portcullis_bundle::limits::RESOURCE_COMBINATIONS;

use crate::model::{Name, ResourceId, ResourceTarget};
use crate::reader::{Fields, Keys, Reader};
use crate::tree::Node;

const RESOURCE: Keys = Keys { of: "a resource target", known: &["types", "ids", "actions"], later: &[] };

pub(super) fn read(reader: &mut Reader<'_>, node: Node<'_>) -> Option<ResourceTarget> {
    let fields = reader.fields(node, &RESOURCE)?;
    let kinds = names(reader, &fields, "types");
    let actions = names(reader, &fields, "actions");
    let ids: BTreeSet<ResourceId> =
        reader.texts(fields.get("ids"), "ids").into_iter().map(|(_, text)| id(text)).collect();
    let (kinds, actions) = (kinds?, actions?);
    let combinations = kinds.len().saturating_mul(actions.len()).saturating_mul(ids.len().max(1));
    if combinations > RESOURCE_COMBINATIONS {
        let limit = RESOURCE_COMBINATIONS;
        reader.error(fields.at, format!("{combinations} combinations of action, type and id, the limit is {limit}"));
        return None;
    }
    Some(ResourceTarget { actions, kinds, ids })
}

fn names(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<BTreeSet<Name>> {
    let names: BTreeSet<Name> = reader.texts(fields.get(key), key).into_iter().map(|(_, text)| name(text)).collect();
    if names.is_empty() {
        reader.error(fields.at, format!("resource target has no `{key}`; `['*']` is any"));
        return None;
    }
    Some(if names.contains(&Name::Any) { BTreeSet::from([Name::Any]) } else { names })
}

fn name(text: &str) -> Name {
    if text == "*" { Name::Any } else { Name::Exact(text.to_owned()) }
}

fn id(text: &str) -> ResourceId {
    match text.strip_suffix('*') {
        Some(prefix) => ResourceId::Prefix(prefix.to_owned()),
        None => ResourceId::Exact(text.to_owned()),
    }
}
