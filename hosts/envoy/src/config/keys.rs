//! Takes a JSON object of the configuration apart, key by key. What nobody asked for is an error.

use super::ConfigError;
use crate::json::{Entry, Json, Value};

pub(crate) struct Keys<'a> {
    /// Where the object stands, for errors: empty, or like `issuers[0].`.
    place: String,
    entries: &'a [Entry<'a>],
    asked: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    pub(crate) fn of(place: String, json: &'a Json<'a>) -> Result<Self, ConfigError> {
        match &json.value {
            Value::Object(entries) => Ok(Self { place, entries, asked: Vec::new() }),
            _ => Err(ConfigError::Value { key: place.trim_end_matches('.').to_owned(), expected: "an object" }),
        }
    }

    /// `null` is absent.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'a Json<'a>> {
        self.asked.push(key);
        let (_, json) = self.entries.iter().find(|(name, _)| name == key)?;
        (json.value != Value::Null).then_some(json)
    }

    /// The value of the key, if it is what `read` takes.
    pub(crate) fn read<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(json) => read(json).map(Some).ok_or_else(|| self.error(key, expected)),
        }
    }

    pub(crate) fn required<T>(&self, key: &'static str, value: Option<T>) -> Result<T, ConfigError> {
        value.ok_or_else(|| ConfigError::Missing { key: self.name(key) })
    }

    /// Printable ASCII without spaces: it may become a header value or part of a property path.
    pub(crate) fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.read(key, "a text of printable ASCII without spaces", |json| {
            let text = json.text()?;
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
            is_plain.then(|| text.to_owned())
        })
    }

    pub(crate) fn required_text(&mut self, key: &'static str) -> Result<String, ConfigError> {
        let text = self.text(key)?;
        self.required(key, text)
    }

    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        Ok(self.read(key, "true or false", Json::flag)?.unwrap_or(default))
    }

    /// The name of a header, in lower case, as the proxy has it.
    pub(crate) fn header(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.read(key, "the name of a header: letters, digits, `-` and `_`", |json| {
            let name = json.text()?;
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            (is_name && !name.is_empty()).then(|| name.to_ascii_lowercase())
        })
    }

    /// An integer in `range`.
    pub(crate) fn integer(
        &mut self,
        key: &'static str,
        range: core::ops::RangeInclusive<u64>,
        expected: &'static str,
    ) -> Result<Option<u64>, ConfigError> {
        self.read(key, expected, |json| json.integer().filter(|value| range.contains(value)))
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        let texts = |json: &'a Json<'a>| json.list()?.iter().map(|item| Some(item.text()?.to_owned())).collect();
        Ok(self.read(key, "a list of texts", texts)?.unwrap_or_default())
    }

    /// The object under a key.
    pub(crate) fn object(&mut self, key: &'static str) -> Result<Option<Keys<'a>>, ConfigError> {
        let place = [&self.name(key), "."].concat();
        self.get(key).map(|json| Keys::of(place, json)).transpose()
    }

    /// The objects of the list under a key; no key is no objects.
    pub(crate) fn objects(&mut self, key: &'static str) -> Result<Vec<Keys<'a>>, ConfigError> {
        let items = self.read(key, "a list of objects", Json::list)?.unwrap_or_default();
        let place = |index: usize| [&self.name(key), "[", itoa::Buffer::new().format(index), "]."].concat();
        items.iter().enumerate().map(|(index, item)| Keys::of(place(index), item)).collect()
    }

    pub(crate) fn error(&self, key: &str, expected: &'static str) -> ConfigError {
        ConfigError::Value { key: self.name(key), expected }
    }

    /// Every key must have been asked for.
    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        match self.entries.iter().find(|(name, _)| !self.asked.iter().any(|asked| name == asked)) {
            Some((name, _)) => Err(ConfigError::Unknown { key: self.name(name) }),
            None => Ok(()),
        }
    }

    fn name(&self, key: &str) -> String {
        [&self.place, key].concat()
    }
}
