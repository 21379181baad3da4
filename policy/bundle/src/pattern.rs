//! Small automata of patterns: one table, a few instructions for each byte of a text.
//!
//! In: bytes of the blobs section and a text. Out: whether the pattern finds a match in the text. First come 256
//! bytes, the column of each byte of a text; then the rows, one for each state, whose last column is that of the end of
//! the text. What is in a cell is the next row, `FOUND` or `FAILED`. The first row is where a text starts.

/// The columns of all bytes.
pub const COLUMNS: usize = 256;
/// Whatever follows, the pattern has found a match.
pub const FOUND: u8 = 254;
/// Whatever follows, it finds none.
pub const FAILED: u8 = 255;

#[derive(Clone, Copy, Debug)]
pub struct PatternTable<'p> {
    columns: &'p [u8; COLUMNS],
    cells: &'p [u8],
    /// Bytes of a row.
    row: usize,
}

impl<'p> PatternTable<'p> {
    /// How long a table of so many rows and columns is.
    #[inline]
    pub fn bytes([rows, columns]: [u8; 2]) -> u32 {
        u32::from(rows).wrapping_mul(u32::from(columns)).wrapping_add(COLUMNS as u32)
    }

    /// Without a look at the cells.
    #[inline]
    pub fn new(bytes: &'p [u8], [_, columns]: [u8; 2]) -> Option<Self> {
        let (first, cells) = bytes.split_first_chunk()?;
        Some(Self { columns: first, cells, row: usize::from(columns) })
    }

    /// Whether every cell leads somewhere.
    pub(crate) fn check(&self) -> Option<()> {
        let rows = self.cells.len().checked_div(self.row)?;
        let end = self.row.checked_sub(1)?;
        let is_cell = |&cell: &u8| usize::from(cell) < rows || cell >= FOUND;
        let holds = rows > 0 && self.columns.iter().all(|&column| usize::from(column) < end);
        (holds && self.cells.iter().all(is_cell)).then_some(())
    }

    /// Whether there is a match in `text`; `None` when the table is none.
    #[inline]
    pub fn finds(&self, text: &[u8]) -> Option<bool> {
        let mut row = 0_usize;
        for &byte in text {
            let column = *self.columns.get(usize::from(byte))?;
            match *self.cells.get(row.wrapping_mul(self.row).wrapping_add(usize::from(column)))? {
                FOUND => return Some(true),
                FAILED => return Some(false),
                next => row = usize::from(next),
            }
        }
        let end = row.wrapping_add(1).wrapping_mul(self.row).wrapping_sub(1);
        self.cells.get(end).map(|&cell| cell == FOUND)
    }
}
