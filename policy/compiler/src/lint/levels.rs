//! Levels that nobody reaches.

use crate::diagnostic::Diagnostic;
use crate::model::Model;

pub(super) fn find(model: &Model, findings: &mut Vec<Diagnostic>) {
    let levels = model.levels.len();
    for (index, rule) in model.rules.iter().enumerate() {
        if usize::from(rule.min_level) <= levels {
            continue;
        }
        let (name, level) = (rule.name(index), rule.min_level);
        let message = format!("rule `{name}` never applies: it asks for level {level}, the document has {levels}");
        let help = "the highest level is the number of `levels`";
        findings.push(Diagnostic::warning(rule.at, message).with_help(Some(help)).named("unreachable-level"));
    }
}
