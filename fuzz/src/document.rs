//! A document and a bundle in one input: two bytes that say how long the document is, the document, the bundle.

/// An input of the target `validate`.
pub struct Checked<'a> {
    pub document: &'a [u8],
    pub bundle: &'a [u8],
}

impl<'a> Checked<'a> {
    pub fn new(input: &'a [u8]) -> Option<Self> {
        let (length, rest) = input.split_first_chunk()?;
        let (document, bundle) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        Some(Self { document, bundle })
    }

    /// The input that is this; `None` when the document is too long.
    pub fn input(document: &[u8], bundle: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(document.len()).ok()?;
        Some([&length.to_le_bytes(), document, bundle].concat())
    }
}
