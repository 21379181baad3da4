//! Headers, in the bytes in which the proxy gave them.
//!
//! A request has dozens, of which a handful matters: they are found where they lie and none is copied.

use std::ops::Range;

/// In the order received; names in lower case, each of them a text.
#[derive(Debug, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Debug)]
pub struct Place {
    pub name: Range<usize>,
    pub value: Range<usize>,
}

impl Headers {
    /// Every place lies within `bytes`.
    pub fn new(bytes: Vec<u8>, places: Vec<Place>) -> Self {
        Self { bytes, places }
    }

    /// Names and values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|Place { name, value }| (self.at(name), self.at(value)))
    }

    /// The values of all headers of that name.
    pub fn all<'a>(&'a self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.iter().filter(move |(header, _)| *header == name.as_bytes()).map(|(_, value)| value)
    }

    /// The value of the first header of that name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.all(name).next()
    }

    fn at(&self, place: &Range<usize>) -> &[u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }
}
