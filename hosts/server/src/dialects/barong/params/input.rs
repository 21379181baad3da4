//! Parameters one by one, in the order in which the dialect declares them; what is wrong with any of them is one 422.

use portcullis_directory::UserId;
use serde_json::Value;

use super::Params;
use crate::dialects::barong::errors::{Code, Refusal};

/// The parameters of an operation. Whoever took all of them asks `finish`, which refuses when one was wrong; what was taken
/// of a wrong one is empty and must not be used before.
pub struct Input {
    params: Params,
    prefix: &'static str,
    codes: Vec<Code>,
}

/// Where the code of a rule stands beside that of a blank.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    RuleFirst,
    BlankFirst,
}

impl Input {
    /// `prefix` is how codes of missing and of empty parameters begin.
    pub fn new(params: Params, prefix: &'static str) -> Self {
        Self { params, prefix, codes: Vec::new() }
    }

    /// A text that must be there and not be blank.
    pub fn required(&mut self, name: &str) -> String {
        self.required_that(name, Order::RuleFirst, |_| true, "")
    }

    /// As `required`, and passes `test`; a missing one does not.
    pub fn required_that(
        &mut self,
        name: &str,
        order: Order,
        test: impl Fn(&str) -> bool,
        code: &'static str,
    ) -> String {
        let Some(text) = self.given(name) else {
            self.refuse(format!("{}.missing_{name}", self.prefix));
            self.blank_and_rule(name, order, !code.is_empty(), code);
            return String::new();
        };
        self.filled_and(name, text, order, test, code).unwrap_or_default()
    }

    /// A text that must be there and may be blank.
    pub fn present(&mut self, name: &str) -> String {
        let text = self.given(name);
        if text.is_none() {
            self.refuse(format!("{}.missing_{name}", self.prefix));
        }
        text.unwrap_or_default()
    }

    /// A text that is not blank if it is there.
    pub fn filled(&mut self, name: &str) -> Option<String> {
        self.filled_that(name, Order::RuleFirst, |_| true, "")
    }

    pub fn filled_that(
        &mut self,
        name: &str,
        order: Order,
        test: impl Fn(&str) -> bool,
        code: &'static str,
    ) -> Option<String> {
        let text = self.given(name)?;
        self.filled_and(name, text, order, test, code)
    }

    /// Any text, or none.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given(name)
    }

    pub fn text_that(&mut self, name: &str, test: impl Fn(&str) -> bool, code: &'static str) -> Option<String> {
        let text = self.given(name)?;
        self.check(test(&text), code);
        Some(text)
    }

    /// A whole number, if it is there.
    pub fn integer(&mut self, name: &str, code: &'static str) -> Option<i64> {
        let text = self.given(name).filter(|text| !text.is_empty())?;
        let number = text.trim().parse().ok();
        self.check(number.is_some(), code);
        number
    }

    pub fn filled_integer(&mut self, name: &str, code: &'static str) -> Option<i64> {
        let text = self.given(name)?;
        self.whole(name, &text, code)
    }

    pub fn required_integer(&mut self, name: &str) -> i64 {
        match self.given(name) {
            Some(text) => self.whole(name, &text, "invalid").unwrap_or_default(),
            None => {
                self.refuse(format!("{}.missing_{name}", self.prefix));
                self.refuse(format!("{}.empty_{name}", self.prefix));
                0
            }
        }
    }

    /// Any of the words that the dialect has for yes and no.
    pub fn boolean(&mut self, name: &str, code: &'static str) -> Option<bool> {
        let text = self.given(name)?;
        let answer = match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "t" | "y" | "yes" => Some(true),
            "false" | "0" | "off" | "f" | "n" | "no" => Some(false),
            _ => None,
        };
        self.check(answer.is_some(), code);
        answer
    }

    pub fn filled_boolean(&mut self, name: &str) -> Option<bool> {
        if self.params.values.get(name).is_some_and(|value| is_blank(&text_of(value))) {
            self.params.remove(name);
            self.refuse(format!("{}.empty_{name}", self.prefix));
            return None;
        }
        self.boolean(name, "invalid")
    }

    pub fn has(&self, name: &str) -> bool {
        self.params.values.contains_key(name)
    }

    pub fn check(&mut self, is_legal: bool, code: &'static str) {
        if !is_legal {
            self.refuse(code);
        }
    }

    pub fn refuse(&mut self, code: impl Into<Code>) {
        self.codes.push(code.into());
    }

    /// Refuses when anything was wrong; else the query, for links.
    pub fn finish(self) -> Result<Vec<(String, String)>, Refusal> {
        match self.codes.is_empty() {
            true => Ok(self.params.query),
            false => Err(Refusal::Invalid(self.codes)),
        }
    }

    fn filled_and(
        &mut self,
        name: &str,
        text: String,
        order: Order,
        test: impl Fn(&str) -> bool,
        code: &'static str,
    ) -> Option<String> {
        if is_blank(&text) {
            self.blank_and_rule(name, order, !test(&text), code);
            return None;
        }
        self.check(test(&text), code);
        Some(text)
    }

    fn blank_and_rule(&mut self, name: &str, order: Order, is_broken: bool, code: &'static str) {
        let blank = format!("{}.empty_{name}", self.prefix);
        if is_broken && order == Order::RuleFirst {
            self.refuse(code);
        }
        self.refuse(blank);
        if is_broken && order == Order::BlankFirst {
            self.refuse(code);
        }
    }

    fn whole(&mut self, name: &str, text: &str, code: &'static str) -> Option<i64> {
        if is_blank(text) {
            self.refuse(format!("{}.empty_{name}", self.prefix));
            return None;
        }
        let number = text.trim().parse().ok();
        self.check(number.is_some(), code);
        number
    }

    /// The text of a value.
    fn given(&mut self, name: &str) -> Option<String> {
        self.params.remove(name).map(|value| text_of(&value))
    }
}

/// The id in a parameter; what can be no id is nobody's.
pub fn user_id(text: &str) -> Option<UserId> {
    UserId::parse(text).ok()
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Null is blank. No value is a list or an object.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
