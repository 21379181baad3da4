//! The strings section; equal texts share a place.

use std::collections::HashMap;

use portcullis_bundle::layout::Text;

use super::{Overflow, number};

#[derive(Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    places: HashMap<Box<[u8]>, Text>,
}

impl Strings {
    pub(crate) fn intern(&mut self, text: &[u8]) -> Result<Text, Overflow> {
        if text.is_empty() {
            return Ok(Text::EMPTY);
        }
        if let Some(place) = self.places.get(text) {
            return Ok(*place);
        }
        let place = Text { offset: number(self.bytes.len())?, bytes: number(text.len())? };
        self.bytes.extend_from_slice(text);
        self.places.insert(text.into(), place);
        Ok(place)
    }

    pub(super) fn get(&self, place: Text) -> Option<&[u8]> {
        self.bytes.get(place.offset.get() as usize..)?.get(..place.bytes.get() as usize)
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
