//! Strings: escapes read and written, and the order of names (RFC 8785 sections 3.2.2.2 and 3.2.3).

use std::{borrow::Cow, cmp::Ordering};

use wide::u8x16;

/// Append `text` as a canonical JSON string, quotes included.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    loop {
        let stop = plain_until(bytes, done);
        out.extend_from_slice(&bytes[done..stop]);
        let Some(&byte) = bytes.get(stop) else { break };
        write_escape(byte, out);
        done = stop + 1;
    }
    out.push(b'"');
}

/// Append the canonical escape of `"`, `\` or a control character.
pub(crate) fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// The first index from `from` on that holds `"`, `\` or a control character, or the length.
#[inline(always)]
pub(crate) fn plain_until(bytes: &[u8], from: usize) -> usize {
    // Nearly all names end here and half of the values, wherever that is: no branch depends on it.
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<32>) {
        Some(block) => match special_bytes(block) {
            0 => plain_blocks_until(bytes, from + 32),
            special => from + special.trailing_zeros() as usize,
        },
        None => plain_until_end(bytes, from),
    }
}

/// Longer values, and pictures.
#[inline(never)]
fn plain_blocks_until(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk::<64>) {
        let special = special_bytes(block);
        if special != 0 {
            return at + special.trailing_zeros() as usize;
        }
        at += 64;
    }
    plain_until_end(bytes, at)
}

/// A bit for each byte of a block that ends plain text, the lowest for the first.
#[inline(always)]
fn special_bytes<const N: usize>(block: &[u8; N]) -> u64 {
    let (chunks, _) = block.as_chunks();
    chunks.iter().rev().fold(0, |special, chunk| special << 16 | u64::from(special_of_sixteen(*chunk)))
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // sixteen bits
fn special_of_sixteen(chunk: [u8; 16]) -> u16 {
    let bytes = u8x16::new(chunk);
    let all = u8x16::splat;
    let quotes_and_slashes = bytes.simd_eq(all(b'"')) | bytes.simd_eq(all(b'\\'));
    let controls = bytes.min(all(0x1f)).simd_eq(bytes);
    (quotes_and_slashes | controls).to_bitmask() as u16
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// The last bytes, one by one.
#[inline(never)]
fn plain_until_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

/// Where white space ends in `chunk`, if it does.
#[inline]
pub(crate) fn white_space_end(chunk: [u8; 8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let word = u64::from_le_bytes(chunk);
    // The highest bit of each byte that is another one; no carry leaves a byte.
    let others = [0x20, 0x0a, 0x0d, 0x09].map(|byte| {
        let differing = word ^ (ONES * byte);
        ((differing & LOWS) + LOWS) | differing
    });
    let others = others[0] & others[1] & others[2] & others[3] & !LOWS;
    (others != 0).then(|| (others.trailing_zeros() / 8) as usize)
}

/// A string token without its quotes.
pub(crate) fn inside(token: &[u8]) -> &[u8] {
    &token[1..token.len() - 1]
}

/// The value of a string's text (without quotes) that the parser has accepted.
pub(crate) fn unescape(text: &[u8], escaped: bool) -> Cow<'_, str> {
    if !escaped {
        // The parser has validated the whole input as UTF-8 and cut it at quotes, so this only asks again, quickly.
        return Cow::Borrowed(simdutf8::basic::from_utf8(text).unwrap_or_default());
    }
    let mut out = Vec::with_capacity(text.len());
    unescape_into(text, &mut out);
    Cow::Owned(String::from_utf8(out).unwrap_or_default())
}

/// Append the unescaped bytes of an accepted text.
pub(crate) fn unescape_into(text: &[u8], out: &mut Vec<u8>) {
    let mut done = 0;
    loop {
        let stop = plain_until(text, done);
        out.extend_from_slice(&text[done..stop]);
        if stop >= text.len() {
            return;
        }
        match escape_at(text, stop) {
            Some((value, length)) => {
                push_char(value, out);
                done = stop + length;
            }
            None => return,
        }
    }
}

pub(crate) fn push_char(value: char, out: &mut Vec<u8>) {
    if value.is_ascii() {
        return out.push(value as u8);
    }
    out.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The character that the escape at `at` stands for and the escape's length, or None where it is not one
/// (a lone surrogate included).
pub(crate) fn escape_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let value = match text.get(at + 1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape_at(text, at),
        _ => return None,
    };
    Some((value, 2))
}

fn unicode_escape_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = code_unit(text, at)?;
    if !(0xD800..0xE000).contains(&unit) {
        return Some((char::from_u32(unit)?, 6));
    }
    let low = code_unit(text, at + 6)?;
    if unit >= 0xDC00 || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    Some((char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?, 12))
}

/// The UTF-16 code unit of `\uXXXX` at `at`.
pub(crate) fn code_unit(text: &[u8], at: usize) -> Option<u32> {
    let escape = text.get(at..at + 6)?;
    if &escape[..2] != b"\\u" {
        return None;
    }
    let digits = [2, 3, 4, 5].map(|place| HEXADECIMAL[usize::from(escape[place])]);
    let unit = digits[0] << 12 | digits[1] << 8 | digits[2] << 4 | digits[3];
    (unit < 0x1_0000).then_some(unit)
}

/// The value of a hexadecimal digit; for all other bytes one that makes a number of four too large wherever it stands.
const HEXADECIMAL: [u32; 256] = {
    let mut values = [0x1_0000; 256];
    let mut digit: u32 = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit as usize] as usize] = digit;
        values[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

/// UTF-16 code-unit order of two UTF-8 texts (RFC 8785 section 3.2.3).
pub(crate) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let differing = left.iter().zip(right).find(|(left, right)| left != right);
    match differing {
        None => left.len().cmp(&right.len()),
        Some((&left, &right)) => utf16_rank(left).cmp(&utf16_rank(right)),
    }
}

/// UTF-8 bytes compare like code points, and UTF-16 code units do too but for one thing: the surrogates of U+10000 and
/// beyond (lead bytes F0 to F4) stand below U+E000 to U+FFFF (lead bytes EE and EF).
fn utf16_rank(byte: u8) -> u8 {
    if byte >= 0xEE && byte <= 0xEF { byte + 0x10 } else { byte }
}

/// [`rank_chunk`] of the `length` bytes at `start`, by one load from the text that they stand in.
#[inline(always)]
pub(crate) fn first_rank_chunk(text: &[u8], start: usize, length: u32) -> u64 {
    let Some(chunk) = text.get(start..).and_then(<[u8]>::first_chunk) else {
        return rank_chunk(&text[start..start + length as usize], 0);
    };
    let word = u64::from_be_bytes(*chunk);
    let word = if length < 8 { word & !(u64::MAX >> (8 * length)) } else { word };
    ranked(word)
}

/// Eight bytes of a name from `from` on, such that integers compare as names do; padded with zeros.
#[inline]
pub(crate) fn rank_chunk(name: &[u8], from: usize) -> u64 {
    let rest = name.get(from..).unwrap_or_default();
    let word = match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => rest.iter().rev().fold(0, |word, &byte| word >> 8 | u64::from(byte) << 56),
    };
    ranked(word)
}

/// The same of the text of a name that has escapes, from its first byte on.
pub(crate) fn escaped_rank_chunk(text: &[u8]) -> u64 {
    // Eight bytes, and room for the rest of a character that begins within them.
    let mut start = [0; 12];
    let (mut length, mut at) = (0, 0);
    while let (true, Some(&byte)) = (length < 8, text.get(at)) {
        if byte == b'\\' {
            let Some((value, taken)) = escape_at(text, at) else { break };
            length += value.encode_utf8(&mut start[length..]).len();
            at += taken;
        } else {
            start[length] = byte;
            length += 1;
            at += 1;
        }
    }
    rank_chunk(&start, 0)
}

/// Eight bytes of UTF-8, put where UTF-16 has them.
#[inline]
fn ranked(word: u64) -> u64 {
    if word & 0x8080_8080_8080_8080 == 0 {
        return word;
    }
    ranked_outside_ascii(word)
}

#[cold]
fn ranked_outside_ascii(word: u64) -> u64 {
    u64::from_be_bytes(word.to_be_bytes().map(utf16_rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each byte in each place, between others of all kinds.
    #[test]
    fn white_space_and_plain_text_end_where_they_do() {
        for place in 0..8 {
            for first in 0..=255_u8 {
                for second in [0, b'\t', b' ', b'!', b'"', b'\\', 0x1f, 0x7f, 0x80, 0x89, 0xa0, 0xa2, 0xdc, 0xff] {
                    let mut chunk = *b" \t\r\n \n\r\t";
                    chunk[place] = first;
                    chunk[(place + 3) % 8] = second;
                    let other = chunk.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
                    assert_eq!(other, white_space_end(chunk), "{chunk:?}");
                    let mut text = [b'x'; 100];
                    for start in [0, 5, 60, 63, 92] {
                        text[start..start + 8].copy_from_slice(&chunk);
                        let special = text.iter().position(|&byte| is_special(byte)).unwrap_or(text.len());
                        assert_eq!(special, plain_until(&text, 0), "{text:?}");
                    }
                }
            }
        }
    }

    /// Names of any length, in order of their UTF-16 code units, have chunks in that order.
    #[test]
    fn chunks_are_ordered_as_utf_16_is() {
        let characters = ['\0', 'a', '\u{7f}', 'é', '\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}', '\u{10ffff}'];
        let mut names: Vec<String> = vec![String::new()];
        for first in characters {
            for second in characters {
                for length in [0, 1, 4, 7] {
                    names.push(format!("{first}{}{second}", "b".repeat(length)));
                }
            }
        }
        for left in &names {
            for right in &names {
                let expected = left.encode_utf16().cmp(right.encode_utf16());
                assert_eq!(expected, compare(left.as_bytes(), right.as_bytes()), "{left:?} {right:?}");
                let text = format!("{left}{right}");
                let (start, length) = (left.len(), u32::try_from(right.len()).unwrap());
                let chunks = rank_chunk(left.as_bytes(), 0).cmp(&first_rank_chunk(text.as_bytes(), start, length));
                assert!(chunks.is_eq() || chunks == expected, "{left:?} {right:?}");
            }
        }
    }
}
