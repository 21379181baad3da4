//! Writes JSON objects, entry after entry.

/// An object or list under construction.
pub(crate) struct Writer {
    out: String,
    /// Whether something stands before the next item.
    has_items: bool,
}

impl Writer {
    pub(crate) fn object() -> Self {
        Self { out: "{".to_owned(), has_items: false }
    }

    /// Writes the key; the caller writes the value behind it.
    fn key(&mut self, key: &str) -> &mut String {
        if self.has_items {
            self.out.push(',');
        }
        self.has_items = true;
        push_text(&mut self.out, key);
        self.out.push(':');
        &mut self.out
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        push_text(self.key(key), text);
    }

    /// `null` for no text.
    pub(crate) fn text_or_null(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    pub(crate) fn number(&mut self, key: &str, number: u64) {
        self.raw(key, itoa::Buffer::new().format(number));
    }

    pub(crate) fn texts(&mut self, key: &str, texts: impl Iterator<Item = String>) {
        self.items(key, texts, |out, text| push_text(out, &text));
    }

    /// A list of whatever `push` writes.
    pub(crate) fn items<T>(&mut self, key: &str, items: impl Iterator<Item = T>, push: impl Fn(&mut String, T)) {
        let out = self.key(key);
        out.push('[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                out.push(',');
            }
            push(out, item);
        }
        out.push(']');
    }

    /// `json` is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}

/// `text` in quotes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\0'..='\u{1f}' => {
                let digit = |nibble| char::from_digit(nibble, 16).unwrap_or('0');
                out.push_str("\\u00");
                out.push(digit(char as u32 >> 4));
                out.push(digit(char as u32 & 0xF));
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Writer;

    #[test]
    fn what_it_writes_is_json() {
        let mut writer = Writer::object();
        writer.text("a", "q\" b\\ n\n z\0 \u{1f} \u{e9}");
        writer.text_or_null("b", None);
        writer.number("c", u64::MAX);
        writer.texts("d", ["x", "y\""].map(str::to_owned).into_iter());
        writer.texts("e", std::iter::empty());
        let read: Value = serde_json::from_str(&writer.finish()).unwrap();
        assert_eq!(
            read,
            json!({"a": "q\" b\\ n\n z\0 \u{1f} \u{e9}", "b": null, "c": u64::MAX, "d": ["x", "y\""], "e": []})
        );
        assert_eq!(Writer::object().finish(), "{}");
    }
}
