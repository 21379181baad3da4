//! Model -> bundle bytes: names become numbers, paths one trie, whatever rules share is written once.

mod guards;
mod index;
mod names;
mod patterns;
mod restrictions;
mod routes;
mod schemas;
mod strings;
mod validations;

use std::collections::BTreeSet;

use portcullis_bundle::layout::{Class, Level, NONE, Range, Revocation, Rule, Text, facts, flags, seeds};
use portcullis_bundle::{Contents, Key, Meta, Placement, limits, start};
use zerocopy::little_endian::{U32, U64};

use crate::Options;
use crate::automata::{Automata, AutomatonError};
use crate::conditions::ConditionsError;
use crate::model::{Model, On, PathKind, Pattern, Target};
use guards::Guards;
use index::Index;
use names::Names;
use patterns::Patterns;
pub(crate) use strings::Strings;

#[derive(Debug, thiserror::Error)]
pub(crate) enum EmitError {
    #[error("{0} different HTTP methods, the limit is {limit}", limit = limits::METHODS)]
    TooManyMethods(usize),
    #[error(transparent)]
    TooLarge(#[from] Overflow),
    #[error("`{pattern}`: {error}")]
    Automaton { pattern: String, error: AutomatonError },
    #[error(transparent)]
    Conditions(#[from] ConditionsError),
    #[error("two names have the same hash")]
    Collision,
}

/// A section does not fit the offsets of the format.
#[derive(Debug, thiserror::Error)]
#[error("bundle would be larger than the limit of {limit} bytes", limit = limits::BUNDLE_BYTES)]
pub(crate) struct Overflow;

pub(crate) fn emit(model: &Model, options: &Options) -> Result<Vec<u8>, EmitError> {
    let mut strings = Strings::default();
    let mut contents = Contents::default();
    let mut names = Names::of(model)?;
    let mut guards = Guards::default();
    let mut index = Index::default();
    let mut patterns = Patterns::default();

    for (rule, number) in model.rules.iter().zip(0..) {
        let guard = guards.of_rule(&mut names, rule)?;
        match &rule.on {
            On::Http(target) => add_path(&mut index, &mut patterns, target, number, guard),
            On::Resource(resource) => index.add_resource(resource, number, guard),
        }
        contents.rules.push(Rule { guard: U32::new(guard) });
    }
    if model.rules.iter().any(|rule| rule.id.is_some()) {
        for rule in &model.rules {
            contents.rule_ids.push(strings.intern(rule.id.as_deref().unwrap_or_default().as_bytes())?);
        }
    }
    let lists = [(Class::Blocked, &model.blocked), (Class::Public, &model.public), (Class::Login, &model.login)];
    for (class, targets) in lists {
        for target in targets {
            let guard = guards.of_target(&names, class, target)?;
            add_path(&mut index, &mut patterns, target, NONE, guard);
        }
    }
    routes::patterns(model).for_each(|pattern| patterns.add(pattern));
    patterns.write(&mut contents)?;
    model.conditions.write(&mut strings, &mut contents)?;
    let route_hosts = routes::write(model, &patterns, &mut names, &mut strings, &mut contents)?;
    let mut automata = Automata::default();
    schemas::write(&model.schemas, &mut automata, &mut strings, &mut contents)?;
    validations::write(model, &names, &mut guards, &mut automata, &mut strings, &mut contents)?;
    guards.write(&mut strings, &mut contents)?;
    names.write_whos(&mut contents)?;
    restrictions::write(model, &mut strings, &mut contents)?;
    for (key, value) in &model.levels {
        let (key, value) = (strings.intern(key.as_bytes())?, strings.intern(value.as_bytes())?);
        contents.levels.push(Level { key, value });
    }
    for (subject, not_before) in &options.revocations {
        let subject = strings.intern(subject.as_bytes())?;
        contents.revocations.push(Revocation { subject, not_before: U64::new(*not_before) });
    }

    let mut table = index.write(&mut contents)?;
    names.write(&mut table);
    let states: BTreeSet<&str> = model.states.iter().map(String::as_str).collect();
    table.extend(
        states.into_iter().filter(|state| *state != "active").map(|state| TableEntry::name(seeds::STATE, state, 0)),
    );
    table.extend(route_hosts.into_iter().map(|(host, at)| TableEntry::name(seeds::ROUTE_HOST, host, at)));
    let roots = write_table(&table, &mut strings, &mut contents)?;
    contents.strings = strings.into_bytes();

    let meta = Meta {
        tenant: options.tenant.as_str(),
        revision: options.revision,
        created: options.created,
        expires: options.expires,
        flags: flags_of(model) | names.flags(),
        facts: facts_of(model),
        principals: names.principals(),
        roots,
        statuses: model.statuses,
    };
    Ok(contents.seal(&meta, options.sign.as_ref()).ok_or(Overflow)?)
}

fn add_path<'m>(index: &mut Index<'m>, patterns: &mut Patterns<'m>, target: &'m Target, rule: u32, guard: u32) {
    match &target.path {
        Some(Pattern { kind: PathKind::Regex, text }) => patterns.add_rule(text, rule, guard),
        path => index.add_path(path.as_ref(), rule, guard),
    }
}

fn flags_of(model: &Model) -> u32 {
    let otp = if model.api_key_requires_otp { flags::API_KEY_REQUIRES_OTP } else { 0 };
    let active = if model.states.iter().any(|state| state == "active") { flags::ACCEPTS_ACTIVE } else { 0 };
    otp | active
}

/// Facts that decisions may ask for.
fn facts_of(model: &Model) -> u32 {
    let of_rules = model.rules.iter().map(|rule| {
        let level = if rule.min_level > 0 { facts::LEVEL } else { 0 };
        level | if rule.condition.is_some() { facts::CONDITIONS } else { 0 }
    });
    of_rules.chain([restrictions::facts(model)]).fold(0, |all, one| all | one)
}

/// A cell in the making.
struct TableEntry<'m> {
    name: &'m str,
    hash: u64,
    /// Without its label.
    cell: portcullis_bundle::layout::Cell,
}

impl<'m> TableEntry<'m> {
    /// A name that stands for a number.
    fn name(seed: u32, name: &'m str, id: u32) -> Self {
        let mut cell = index::FREE;
        (cell.seed, cell.id) = (U32::new(seed), U32::new(id));
        Self { name, hash: Key::new(name.as_bytes()).hash(start(seed)), cell }
    }

    fn key(&self) -> Key {
        Key::new(self.name.as_bytes())
    }
}

/// Gives each name its cell; answers the cells of the two roots.
fn write_table(
    table: &[TableEntry<'_>],
    strings: &mut Strings,
    contents: &mut Contents,
) -> Result<[u32; 2], EmitError> {
    let hashes: Vec<u64> = table.iter().map(|entry| entry.hash).collect();
    let Placement { pilots, places, cells } = Placement::find(&hashes).ok_or(EmitError::Collision)?;
    contents.pilots = pilots;
    if cells >= seeds::NODES as usize {
        return Err(Overflow.into());
    }
    contents.cells = vec![index::FREE; cells];
    for (entry, &place) in table.iter().zip(&places) {
        let mut cell = entry.cell;
        let key = entry.key();
        let text = if key.is_long() { strings.intern(entry.name.as_bytes())? } else { Text::EMPTY };
        cell.label = key.label(text);
        let seed = cell.seed.get();
        if seeds::is_node(seed) && seed != seeds::ROOT {
            // The number of its parent, which comes first, becomes its place.
            let parent = places.get((seed & (seeds::NODES - 1)) as usize).copied().unwrap_or_default();
            cell.seed = U32::new(seed & !(seeds::NODES - 1) | parent);
            if seed & seeds::WILDCARD != 0
                && let Some(parent) = contents.cells.get_mut(parent as usize)
            {
                parent.id = U32::new(place);
            }
        }
        if let Some(to) = contents.cells.get_mut(place as usize) {
            *to = cell;
        }
    }
    // The index writes its roots first.
    let root = |at: usize| places.get(at).copied().unwrap_or_default();
    Ok([root(0), root(1)])
}

/// Adds records to a section and says where they went.
fn append<T>(section: &mut Vec<T>, records: impl IntoIterator<Item = T>) -> Result<Range, Overflow> {
    let start = section.len();
    section.extend(records);
    Ok(Range { start: number(start)?, count: number(section.len() - start)? })
}

fn number(number: usize) -> Result<U32, Overflow> {
    u32::try_from(number).map(U32::new).map_err(|_| Overflow)
}
