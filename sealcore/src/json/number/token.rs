//! A number's token (RFC 8259 section 6): where it ends, and of what parts it is.

use wide::u8x16;

/// What the scanner has counted in a number token.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Digits before the point.
    pub(crate) whole: usize,
    /// Digits after the point.
    pub(crate) fraction: usize,
    /// Bytes of the exponent, from its letter on; 0 without one.
    pub(crate) exponent: usize,
}

impl Shape {
    pub(crate) fn is_integer(self) -> bool {
        self.fraction == 0 && self.exponent == 0
    }
}

/// The unsigned number that `block` begins with and its length, if it follows the grammar and something else ends it there.
#[inline]
pub(crate) fn short_token(block: &[u8; 32]) -> Option<(Shape, usize)> {
    let mut others = non_digits(block);
    let mut next = || {
        let place = others.trailing_zeros() as usize;
        others &= others.wrapping_sub(1);
        block.get(place).map(|byte| (place, *byte))
    };
    let (whole, mut byte) = next()?;
    if whole == 0 || (block[0] == b'0' && whole > 1) {
        return None;
    }
    let mut shape = Shape { whole, fraction: 0, exponent: 0 };
    let mut end = whole;
    if byte == b'.' {
        (end, byte) = next()?;
        shape.fraction = end - whole - 1;
        if shape.fraction == 0 {
            return None;
        }
    }
    if byte | 0x20 == b'e' {
        let letter = end;
        (end, byte) = next()?;
        let signed = end == letter + 1 && matches!(byte, b'+' | b'-');
        if signed {
            (end, _) = next()?;
        }
        shape.exponent = end - letter;
        if shape.exponent == 1 + usize::from(signed) {
            return None;
        }
    }
    Some((shape, end))
}

/// A bit for each byte that is no digit, the lowest for the first.
#[inline]
fn non_digits(block: &[u8; 32]) -> u32 {
    let of_sixteen = |chunk: &[u8; 16]| {
        let values = u8x16::new(*chunk) - u8x16::splat(b'0');
        values.min(u8x16::splat(9)).simd_eq(values).to_bitmask()
    };
    let (chunks, _) = block.as_chunks();
    !chunks.iter().rev().fold(0, |digits, chunk| digits << 16 | of_sixteen(chunk))
}

/// Where digits end in `chunk`, if they do.
#[inline]
pub(crate) fn digits_end(chunk: [u8; 8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOWS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // A digit's value, and for all other bytes at least 10; adding 118 to that reaches the highest bit.
    let values = u64::from_le_bytes(chunk) ^ (ONES * 0x30);
    let others = (((values & LOWS) + ONES * 118) | values) & !LOWS;
    (others != 0).then(|| (others.trailing_zeros() / 8) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of any eight bytes, `digits_end` finds the first that is no digit; so of two bytes in any place.
    #[test]
    fn digits_end_where_the_first_other_byte_is() {
        for place in 0..8 {
            for first in 0..=255_u8 {
                for second in [0, b'/', b'0', b'9', b':', 0x7f, 0x80, 0xb0, 0xff] {
                    let mut chunk = *b"01234567";
                    chunk[place] = first;
                    chunk[(place + 3) % 8] = second;
                    let expected = chunk.iter().position(|byte| !byte.is_ascii_digit());
                    assert_eq!(expected, digits_end(chunk), "{chunk:?}");
                }
            }
        }
    }

    /// Of all texts of the letters of numbers, `short_token` takes those that follow the grammar, up to where they end.
    #[test]
    fn short_tokens_are_those_of_the_grammar() {
        let cut = |text: &str, digits: &mut usize| {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            *digits = length;
            text[length..].to_owned()
        };
        let expected = |text: &str| {
            let (mut whole, mut fraction, mut power) = (0, 0, 0);
            let mut rest = cut(text, &mut whole);
            if whole == 0 || (whole > 1 && text.starts_with('0')) {
                return None;
            }
            if let Some(after) = rest.strip_prefix('.') {
                rest = cut(after, &mut fraction);
                if fraction == 0 {
                    return None;
                }
            }
            let before = rest.len();
            if let Some(after) = rest.strip_prefix(['e', 'E']) {
                rest = cut(after.strip_prefix(['+', '-']).unwrap_or(after), &mut power);
                if power == 0 {
                    return None;
                }
            }
            Some((whole, fraction, before - rest.len(), text.len() - rest.len()))
        };
        let mut bits = 1_u64;
        let mut taken = 0;
        for _ in 0..200_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let places = [11, 19, 27, 35, 43, 51, 57].map(|shift| (bits >> shift) as usize);
            let some = |place: usize, of: &[&'static str]| of[place % of.len()];
            let text: String = [
                some(places[0], &["0", "7", "12", "345678901", "00", ""]),
                some(places[1], &[".", "", ".0", ".12345678901234567", "..", "-"]),
                some(places[2], &["", "5", "e", "E"]),
                some(places[3], &["e", "E", "e+", "E-", "", "+", "-"]),
                some(places[4], &["", "0", "9", "308", "e"]),
                some(places[5], &[",", "]", " ", "/", ":", "\u{7f}", "é"]),
            ]
            .concat();
            let padded = format!("{text}{}", "}".repeat(32));
            let block = padded.as_bytes().first_chunk().unwrap();
            let found = short_token(block).map(|(shape, end)| (shape.whole, shape.fraction, shape.exponent, end));
            if let Some(expected) = expected(&text).filter(|&(.., end)| end < block.len()) {
                taken += 1;
                assert_eq!(Some(expected), found, "{text}");
            } else {
                assert_eq!(None, found, "{text}");
            }
        }
        assert!(taken > 20_000, "{taken}");
    }
}
