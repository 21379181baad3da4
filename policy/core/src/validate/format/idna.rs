//! Labels of host names beyond ASCII: RFC 5891 section 4.2, what is behind `xn--`.
//!
//! In: an encoded label without its prefix. Out: whether it decodes to a label that may be registered, by itself: its
//! direction (RFC 5893) and its normal form are not looked at.

mod tables;

use tables::{MARKS, VALID, VIRAMAS};

pub(super) fn is_encoded_label(encoded: &str) -> bool {
    let mut label = Vec::new();
    // What needs no encoding has none.
    decode(encoded, &mut label).is_some() && label.iter().any(|c| !c.is_ascii()) && is_label(&label)
}

/// RFC 3492 section 6.2; `None` when the text is no encoding.
fn decode(encoded: &str, label: &mut Vec<char>) -> Option<()> {
    const TMIN: u32 = 1;
    const TMAX: u32 = 26;
    let (basic, extended) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    label.extend(basic.chars().map(|c| c.to_ascii_lowercase()));
    let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = extended.bytes();
    while digits.len() > 0 {
        let before = index;
        let (mut weight, mut base) = (1_u32, 36_u32);
        loop {
            let digit = match digits.next()? {
                letter @ b'a'..=b'z' => letter.wrapping_sub(b'a'),
                letter @ b'A'..=b'Z' => letter.wrapping_sub(b'A'),
                digit @ b'0'..=b'9' => digit.wrapping_sub(b'0').wrapping_add(26),
                _ => return None,
            };
            let digit = u32::from(digit);
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = base.saturating_sub(bias).clamp(TMIN, TMAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(36_u32.wrapping_sub(threshold))?;
            base = base.checked_add(36)?;
        }
        let length = u32::try_from(label.len()).ok()?.checked_add(1)?;
        bias = adapt(index.wrapping_sub(before), length, before == 0);
        code = code.checked_add(index.checked_div(length)?)?;
        index = index.checked_rem(length)?;
        label.insert(index as usize, char::from_u32(code)?);
        index = index.checked_add(1)?;
    }
    Some(())
}

/// RFC 3492 section 6.1.
fn adapt(delta: u32, length: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta = delta.saturating_add(delta.checked_div(length).unwrap_or(0));
    let mut base = 0_u32;
    while delta > 455 {
        delta /= 35;
        base = base.saturating_add(36);
    }
    let scaled = delta.saturating_mul(36).checked_div(delta.saturating_add(38)).unwrap_or(0);
    base.saturating_add(scaled)
}

fn is_label(label: &[char]) -> bool {
    let hyphens = label.get(2..4) == Some(&['-', '-']);
    let ends = [label.first(), label.last()].contains(&Some(&'-'));
    let starts_with_mark = label.first().is_some_and(|&first| is_in(MARKS, first));
    !hyphens && !ends && !starts_with_mark && label.iter().zip(0..).all(|(&c, at)| is_allowed(label, c, at))
}

/// Whether the character `c` may stand at `at`: RFC 5892 section 2 and appendix A.
fn is_allowed(label: &[char], c: char, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| label.get(at)).copied();
    let after = label.get(at.saturating_add(1)).copied();
    let has = |low: char, high: char| label.iter().any(|c| (low..=high).contains(c));
    match c {
        'a'..='z' | '0'..='9' | '-' => true,
        '\0'..='\x7F' => false,
        '\u{200C}' => before.is_some_and(|c| is_in(VIRAMAS, c)) || joins(label, at),
        '\u{200D}' => before.is_some_and(|c| is_in(VIRAMAS, c)),
        '\u{B7}' => before == Some('l') && after == Some('l'),
        '\u{375}' => after.is_some_and(is_greek),
        '\u{5F3}' | '\u{5F4}' => before.is_some_and(|c| matches!(c, '\u{591}'..='\u{5F4}' | '\u{FB1D}'..='\u{FB4F}')),
        '\u{30FB}' => label.iter().any(|&c| is_japanese(c)),
        '\u{660}'..='\u{669}' => !has('\u{6F0}', '\u{6F9}'),
        '\u{6F0}'..='\u{6F9}' => !has('\u{660}', '\u{669}'),
        c => is_in(VALID, c),
    }
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{373}' | '\u{375}'..='\u{3E1}' | '\u{3F0}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFE}')
}

/// Hiragana, Katakana or Han.
fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FD}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{2E80}'..='\u{2FD5}' | '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAD9}' | '\u{20000}'..='\u{323AF}')
}

/// Appendix A.1 for Arabic: the characters on both sides of `at`, marks left out, would join there.
fn joins(label: &[char], at: usize) -> bool {
    let is_mark = |c: &&char| is_in(MARKS, **c);
    let before = label.get(..at).unwrap_or_default().iter().rev().find(|c| !is_mark(c));
    let after = label.get(at.saturating_add(1)..).unwrap_or_default().iter().find(|c| !is_mark(c));
    let joins_next = |c: char| is_arabic(c) && !joins_only_before(c);
    before.is_some_and(|&c| joins_next(c)) && after.is_some_and(|&c| is_arabic(c))
}

/// A letter that joins.
fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}' | '\u{622}'..='\u{64A}' | '\u{66E}'..='\u{673}' | '\u{675}'..='\u{6D3}' | '\u{6D5}'
        | '\u{6EE}'..='\u{6EF}' | '\u{6FA}'..='\u{6FC}' | '\u{6FF}' | '\u{750}'..='\u{77F}' | '\u{8A0}'..='\u{8C7}')
}

/// A letter that does not join the next one.
fn joins_only_before(c: char) -> bool {
    matches!(c, '\u{622}'..='\u{625}' | '\u{627}' | '\u{629}' | '\u{62F}'..='\u{632}' | '\u{648}'
        | '\u{671}'..='\u{677}' | '\u{688}'..='\u{699}' | '\u{6C0}' | '\u{6C3}'..='\u{6CB}' | '\u{6CD}' | '\u{6CF}'
        | '\u{6D2}' | '\u{6D3}' | '\u{6D5}' | '\u{6EE}' | '\u{6EF}' | '\u{759}'..='\u{75B}' | '\u{76B}' | '\u{76C}'
        | '\u{771}' | '\u{773}' | '\u{774}' | '\u{778}' | '\u{779}' | '\u{8AA}'..='\u{8AC}' | '\u{8AE}' | '\u{8B1}'
        | '\u{8B2}' | '\u{8B9}')
}

/// Whether a table has the character.
fn is_in(table: &[u8], c: char) -> bool {
    let mut bytes = table.iter().copied();
    let mut next = 0_u32;
    let wanted = u32::from(c);
    while let (Some(gap), Some(count)) = (number(&mut bytes), number(&mut bytes)) {
        let start = next.wrapping_add(gap);
        next = start.wrapping_add(count);
        if wanted < next {
            return wanted >= start;
        }
    }
    false
}

fn number(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14] {
        let byte = bytes.next()?;
        number |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}
