//! Requests as lines of text, for a process that shall not spend its time on making them.

use anyhow::{Context, Result};

use super::{Ask, METHODS, ROLES};

pub fn write(asks: &[Ask]) -> String {
    let line = |ask: &Ask| {
        let Ask { method, path, subject, roles, allowed } = ask;
        format!("{method} {path} {subject} {} {allowed}\n", roles.join(","))
    };
    asks.iter().map(line).collect()
}

pub fn read(text: &str) -> Result<Vec<Ask>> {
    text.lines().map(|line| ask(line).with_context(|| format!("not a request: `{line}`"))).collect()
}

fn ask(line: &str) -> Option<Ask> {
    let mut words = line.split(' ');
    let known = |names: &[&'static str], name| names.iter().copied().find(|known| *known == name);
    Some(Ask {
        method: known(&METHODS, words.next()?)?,
        path: words.next()?.to_owned(),
        subject: words.next()?.to_owned(),
        roles: words.next()?.split(',').map(|role| known(&ROLES, role)).collect::<Option<_>>()?,
        allowed: words.next()?.parse().ok()?,
    })
}
