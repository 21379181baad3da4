//! What is compiled once per text, so that a million decisions end some day: regular expressions and conditions.
#![expect(clippy::panic, reason = "whoever writes a text that does not compile must notice")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use cel::Program;
use regex::bytes::{Regex, RegexBuilder};

thread_local! {
    static REGEXES: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
    static PROGRAMS: RefCell<HashMap<String, Rc<Program>>> = RefCell::default();
}

/// Classes are those of ASCII.
pub fn regex(pattern: &str) -> Rc<Regex> {
    let compile = || RegexBuilder::new(pattern).unicode(false).build();
    REGEXES.with_borrow_mut(|regexes| {
        let regex = regexes.entry(pattern.to_owned());
        regex.or_insert_with(|| Rc::new(compile().unwrap_or_else(|error| panic!("{pattern}: {error}")))).clone()
    })
}

pub fn program(text: &str) -> Rc<Program> {
    let compile = || Program::compile(text);
    PROGRAMS.with_borrow_mut(|programs| {
        let program = programs.entry(text.to_owned());
        program.or_insert_with(|| Rc::new(compile().unwrap_or_else(|error| panic!("{text}: {error}")))).clone()
    })
}
