//! Letters in lower or upper case, one for one: a text keeps its number of characters.
//!
//! In: a text. Out: the text with the simple case mapping of Unicode; a character whose counterpart is several, as that of
//! `ß`, stays. Runs of letters at the same distance from their counterparts take a tenth of what the tables of the
//! standard library take, which are for the full mapping.

/// Letters at equal steps, each at the same distance from its counterpart.
struct Runs {
    /// Ascending: the first letter in the upper 23 bits, then 8 bits of how many follow, then whether only each second
    /// one is of the run.
    firsts: &'static [u32],
    /// From a letter to its counterpart.
    distances: &'static [i32],
}

pub(super) fn lowercase(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii() { char.to_ascii_lowercase() } else { LOWER.map(char) }).collect()
}

pub(super) fn uppercase(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii() { char.to_ascii_uppercase() } else { UPPER.map(char) }).collect()
}

impl Runs {
    fn map(&self, char: char) -> char {
        self.counterpart(char).unwrap_or(char)
    }

    fn counterpart(&self, char: char) -> Option<char> {
        let code = u32::from(char);
        let index = self.firsts.partition_point(|first| first >> 9 <= code).checked_sub(1)?;
        let first = *self.firsts.get(index)?;
        let (offset, is_sparse) = (code.checked_sub(first >> 9)?, first & 1);
        let is_in_step = offset & is_sparse == 0;
        let is_in_run = offset >> is_sparse <= first >> 1 & 0xFF;
        let distance = *self.distances.get(index)?;
        if is_in_step && is_in_run { char::from_u32(code.checked_add_signed(distance)?) } else { None }
    }
}

const LOWER: Runs = Runs {
    firsts: &[
        0x1802c, 0x1b00c, 0x2002f, 0x26405, 0x2720f, 0x2942d, 0x2f000, 0x2f205, 0x30200, 0x30403, 0x30c00, 0x30e00,
        0x31202, 0x31600, 0x31c00, 0x31e00, 0x32000, 0x32200, 0x32600, 0x32800, 0x32c00, 0x32e00, 0x33000, 0x33800,
        0x33a00, 0x33e00, 0x34005, 0x34c00, 0x34e00, 0x35200, 0x35800, 0x35c00, 0x35e00, 0x36202, 0x36603, 0x36e00,
        0x37000, 0x37800, 0x38800, 0x38a00, 0x38e00, 0x39000, 0x39400, 0x39611, 0x3bc11, 0x3e200, 0x3e403, 0x3ec00,
        0x3ee00, 0x3f027, 0x44000, 0x44411, 0x47400, 0x47600, 0x47a00, 0x47c00, 0x48200, 0x48600, 0x48800, 0x48a00,
        0x48c09, 0x6e003, 0x6ec00, 0x6fe00, 0x70c00, 0x71004, 0x71800, 0x71c02, 0x72220, 0x74610, 0x79e00, 0x7b017,
        0x7e800, 0x7ee00, 0x7f200, 0x7f400, 0x7fa04, 0x8001e, 0x8203e, 0x8c021, 0x91435, 0x98000, 0x9820d, 0x9a05f,
        0xa624a, 0x21404a, 0x218e00, 0x219a00, 0x27409e, 0x27e00a, 0x391200, 0x392054, 0x397a04, 0x3c0095, 0x3d3c00,
        0x3d405f, 0x3e100e, 0x3e300a, 0x3e500e, 0x3e700e, 0x3e900a, 0x3eb207, 0x3ed00e, 0x3f100e, 0x3f300e, 0x3f500e,
        0x3f7002, 0x3f7402, 0x3f7800, 0x3f9006, 0x3f9800, 0x3fb002, 0x3fb402, 0x3fd002, 0x3fd402, 0x3fd800, 0x3ff002,
        0x3ff402, 0x3ff800, 0x424c00, 0x425400, 0x425600, 0x426400, 0x42c01e, 0x430600, 0x496c32, 0x58005e, 0x58c000,
        0x58c400, 0x58c600, 0x58c800, 0x58ce05, 0x58da00, 0x58dc00, 0x58de00, 0x58e000, 0x58e400, 0x58ea00, 0x58fc02,
        0x590063, 0x59d603, 0x59e400, 0x14c802d, 0x14d001b, 0x14e440d, 0x14e643d, 0x14ef203, 0x14efa00, 0x14efc09,
        0x14f1600, 0x14f1a00, 0x14f2003, 0x14f2c13, 0x14f5400, 0x14f5600, 0x14f5800, 0x14f5a00, 0x14f5c00, 0x14f6000,
        0x14f6200, 0x14f6400, 0x14f6600, 0x14f680f, 0x14f8800, 0x14f8a00, 0x14f8c00, 0x14f8e03, 0x14f9600, 0x14f980f,
        0x14fb800, 0x14fea00, 0x1fe4232, 0x208004e, 0x2096046, 0x20ae014, 0x20af81c, 0x20b180c, 0x20b2802, 0x2190064,
        0x21aa02a, 0x231403e, 0x2dc803e, 0x2dd4030, 0x3d20042,
    ],
    distances: &[
        32, 32, 1, 1, 1, 1, -121, 1, 210, 1, 206, 1, 205, 1, 79, 202, 203, 1, 205, 207, 211, 209, 1, 211, 213, 214, 1,
        218, 1, 218, 1, 218, 1, 217, 1, 219, 1, 1, 2, 1, 2, 1, 2, 1, 1, 2, 1, -97, -56, 1, -130, 1, 10795, 1, -163,
        10792, 1, -195, 69, 71, 1, 1, 1, 116, 38, 37, 64, 63, 32, 32, 8, 1, -60, 1, -7, 1, -130, 80, 32, 1, 1, 15, 1,
        1, 48, 7264, 7264, 7264, 38864, 8, 1, -3008, -3008, 1, -7615, 1, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8,
        -74, -9, -86, -9, -8, -100, -8, -112, -7, -128, -126, -9, -7517, -8383, -8262, 28, 16, 1, 26, 48, 1, -10743,
        -3814, -10727, 1, -10780, -10749, -10783, -10782, 1, 1, -10815, 1, 1, 1, 1, 1, 1, 1, 1, -35332, 1, 1, -42280,
        1, 1, -42308, -42319, -42315, -42305, -42308, -42258, -42282, -42261, 928, 1, -48, -42307, -35384, 1, -42343,
        1, -42561, 1, 32, 40, 40, 39, 39, 39, 39, 64, 32, 32, 32, 27, 34,
    ],
};

const UPPER: Runs = Runs {
    firsts: &[
        0x16a00, 0x1c02c, 0x1f00c, 0x1fe00, 0x2022f, 0x26200, 0x26605, 0x2740f, 0x2962d, 0x2f405, 0x2fe00, 0x30000,
        0x30603, 0x31000, 0x31800, 0x32400, 0x32a00, 0x33200, 0x33400, 0x33600, 0x33c00, 0x34205, 0x35000, 0x35a00,
        0x36000, 0x36803, 0x37200, 0x37a00, 0x37e00, 0x38a00, 0x38c00, 0x39000, 0x39200, 0x39600, 0x39800, 0x39c0f,
        0x3ba00, 0x3be11, 0x3e400, 0x3e600, 0x3ea00, 0x3f227, 0x44611, 0x47800, 0x47e02, 0x48400, 0x48e09, 0x4a000,
        0x4a200, 0x4a400, 0x4a600, 0x4a800, 0x4ac02, 0x4b200, 0x4b600, 0x4b800, 0x4c000, 0x4c200, 0x4c600, 0x4c800,
        0x4ca00, 0x4cc00, 0x4d000, 0x4d200, 0x4d400, 0x4d600, 0x4d800, 0x4de00, 0x4e200, 0x4e400, 0x4ea00, 0x4fa00,
        0x50000, 0x50400, 0x50600, 0x50e00, 0x51000, 0x51200, 0x51402, 0x51800, 0x52400, 0x53a00, 0x53c00, 0x68a00,
        0x6e203, 0x6ee00, 0x6f604, 0x75800, 0x75a04, 0x76220, 0x78400, 0x78610, 0x79800, 0x79a02, 0x7a000, 0x7a200,
        0x7aa00, 0x7ac00, 0x7ae00, 0x7b217, 0x7e000, 0x7e200, 0x7e400, 0x7e600, 0x7ea00, 0x7f000, 0x7f600, 0x8603e,
        0x8a01e, 0x8c221, 0x91635, 0x9840d, 0x99e00, 0x9a25f, 0xac24a, 0x21a054, 0x21fa04, 0x27f00a, 0x390000,
        0x390200, 0x390400, 0x390602, 0x390a00, 0x390c00, 0x390e00, 0x391000, 0x391400, 0x3af200, 0x3afa00, 0x3b1c00,
        0x3c0295, 0x3d3600, 0x3d425f, 0x3e000e, 0x3e200a, 0x3e400e, 0x3e600e, 0x3e800a, 0x3ea207, 0x3ec00e, 0x3ee002,
        0x3ee406, 0x3eec02, 0x3ef002, 0x3ef402, 0x3ef802, 0x3f6002, 0x3f7c00, 0x3fa002, 0x3fc002, 0x3fca00, 0x429c00,
        0x42e01e, 0x430800, 0x49a032, 0x58605e, 0x58c200, 0x58ca00, 0x58cc00, 0x58d005, 0x58e600, 0x58ec00, 0x590263,
        0x59d803, 0x59e600, 0x5a004a, 0x5a4e00, 0x5a5a00, 0x14c822d, 0x14d021b, 0x14e460d, 0x14e663d, 0x14ef403,
        0x14efe09, 0x14f1800, 0x14f2203, 0x14f2800, 0x14f2e13, 0x14f6a0f, 0x14f9003, 0x14f9a0f, 0x14fec00, 0x156a600,
        0x156e09e, 0x1fe8232, 0x208504e, 0x209b046, 0x20b2e14, 0x20b461c, 0x20b660c, 0x20b7602, 0x2198064, 0x21ae02a,
        0x231803e, 0x2dcc03e, 0x2dd7630, 0x3d24442,
    ],
    distances: &[
        743, -32, -32, 121, -1, -232, -1, -1, -1, -1, -300, 195, -1, -1, -1, -1, 97, -1, 163, 42561, 130, -1, -1, -1,
        -1, -1, -1, -1, 56, -1, -2, -1, -2, -1, -2, -1, -79, -1, -1, -2, -1, -1, -1, -1, 10815, -1, -1, 10783, 10780,
        10782, -210, -206, -205, -202, -203, 42319, -205, 42315, -207, 42343, 42280, 42308, -209, -211, 42308, 10743,
        42305, -211, 10749, -213, -214, 10727, -218, 42307, -218, 42282, -218, -69, -217, -71, -219, 42261, 42258, 84,
        -1, -1, 130, -38, -37, -32, -31, -32, -64, -63, -62, -57, -47, -54, -8, -1, -86, -80, 7, -116, -96, -1, -1,
        -32, -80, -1, -1, -1, -15, -1, -48, 3008, 3008, -8, -6254, -6253, -6244, -6242, -6243, -6236, -6181, 35266, -1,
        35332, 3814, 35384, -1, -59, -1, 8, 8, 8, 8, 8, 8, 8, 74, 86, 100, 128, 112, 126, 8, -7205, 8, 8, 7, -28, -16,
        -1, -26, -48, -1, -10795, -10792, -1, -1, -1, -1, -1, -1, -7264, -7264, -7264, -1, -1, -1, -1, -1, -1, -1, -1,
        48, -1, -1, -1, -1, -1, -928, -38864, -32, -40, -40, -39, -39, -39, -39, -64, -32, -32, -32, -27, -34,
    ],
};

#[cfg(test)]
mod tests {
    use super::{LOWER, Runs, UPPER, lowercase, uppercase};

    /// As they stand above, of the standard library's mapping.
    fn runs(map: impl Fn(char) -> Option<char>) -> (Vec<u32>, Vec<i32>) {
        let mut runs: Vec<(u32, u32, u32, i32)> = Vec::new();
        for char in '\u{80}'..=char::MAX {
            let Some(counterpart) = map(char).filter(|counterpart| *counterpart != char) else { continue };
            let code = u32::from(char);
            let distance = i32::try_from(i64::from(u32::from(counterpart)) - i64::from(code)).unwrap();
            match runs.last_mut() {
                Some((first, last, step, known)) if *known == distance && *first == *last && code - *last <= 2 => {
                    (*step, *last) = (code - *last, code);
                }
                Some((first, last, step, known)) if *known == distance && *first < *last && code - *last == *step => {
                    *last = code;
                }
                _ => runs.push((code, code, 1, distance)),
            }
        }
        let key =
            |&(first, last, step, _): &(u32, u32, u32, i32)| first << 9 | ((last - first) / step) << 1 | (step - 1);
        (runs.iter().map(key).collect(), runs.iter().map(|run| run.3).collect())
    }

    /// The counterpart, if it is a single character.
    fn single(mut chars: impl ExactSizeIterator<Item = char>) -> Option<char> {
        if chars.len() == 1 { chars.next() } else { None }
    }

    #[track_caller]
    fn check(found: &Runs, (firsts, distances): (Vec<u32>, Vec<i32>)) {
        assert_eq!((found.firsts, found.distances), (&*firsts, &*distances));
    }

    #[test]
    fn the_tables_are_those_of_the_unicode_of_this_rust() {
        check(&LOWER, runs(|char| single(char.to_lowercase())));
        check(&UPPER, runs(|char| single(char.to_uppercase())));
    }

    #[test]
    fn every_character_has_its_simple_counterpart() {
        for char in '\0'..=char::MAX {
            let text = char.to_string();
            assert_eq!(lowercase(&text), single(char.to_lowercase()).unwrap_or(char).to_string());
            assert_eq!(uppercase(&text), single(char.to_uppercase()).unwrap_or(char).to_string());
        }
    }

    #[test]
    fn a_text_keeps_its_characters() {
        assert_eq!(
            (uppercase("straße їжак"), lowercase("ΟΔΟΣ ЇЖАК Ǆ")),
            ("STRAßE ЇЖАК".to_owned(), "οδοσ їжак ǆ".to_owned())
        );
    }
}
