//! Numbers of settings, from a file or from the environment.

use serde::{Deserialize, Serialize};

/// A number, or the text of one, which is all that the environment has.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(try_from = "NumberOrText", into = "u64")]
pub struct Number(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

impl TryFrom<NumberOrText> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(value: NumberOrText) -> Result<Self, Self::Error> {
        match value {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self),
        }
    }
}

impl From<Number> for u64 {
    fn from(Number(number): Number) -> Self {
        number
    }
}
