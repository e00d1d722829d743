//! Numbers: what a double holds, written as ECMAScript writes it (RFC 8785 section 3.2.2.3).

use lexical_parse_float::FromLexical;

use crate::error::JsonRule;

/// The ECMAScript form of a finite double: at most 25 bytes.
pub(crate) struct Text {
    bytes: [u8; 32],
    length: usize,
}

impl Text {
    /// Write a finite double.
    pub(crate) fn of(value: f64) -> Self {
        let mut text = Self { bytes: [0; 32], length: 0 };
        if value == 0.0 {
            // Negative zero is written as zero.
            text.push(b"0");
            return text;
        }
        if value < 0.0 {
            text.push(b"-");
        }
        let mut buffer = zmij::Buffer::new();
        let shown = buffer.format_finite(value.abs());
        if let Some((mantissa, shown_power)) = at_exponent(shown.as_bytes()) {
            let power = power(shown_power);
            if !(-6..21).contains(&power) && !mantissa.ends_with(b"0") {
                // The mantissa is laid out as ECMAScript has it.
                text.push(mantissa);
                text.push_power(power);
                return text;
            }
        } else if (1e-6..1e21).contains(&value.abs()) {
            // There is one way to write it without an exponent, but for the fraction of an integer.
            text.push(shown.strip_suffix(".0").unwrap_or(shown).as_bytes());
            return text;
        }
        let (digits, count, exponent) = shortest(shown);
        text.lay_out(&digits[..count], exponent);
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.bytes[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }

    fn push_zeros(&mut self, count: usize) {
        const ZEROS: [u8; 24] = [b'0'; 24];
        self.push(&ZEROS[..count]);
    }

    /// ECMA-262 `Number::toString`, steps 6 to 12: `digits` are the shortest ones, the value is 0.digits x 10^`exponent`.
    fn lay_out(&mut self, digits: &[u8], exponent: i32) {
        let places = exponent.unsigned_abs() as usize;
        if (1..=21).contains(&exponent) {
            if places >= digits.len() {
                self.push(digits);
                self.push_zeros(places - digits.len());
            } else {
                self.push(&digits[..places]);
                self.push(b".");
                self.push(&digits[places..]);
            }
        } else if (-5..=0).contains(&exponent) {
            self.push(b"0.");
            self.push_zeros(places);
            self.push(digits);
        } else {
            self.push(&digits[..1]);
            if digits.len() > 1 {
                self.push(b".");
                self.push(&digits[1..]);
            }
            self.push_power(exponent - 1);
        }
    }

    fn push_power(&mut self, power: i32) {
        self.push(if power < 0 { b"e-" } else { b"e+" });
        let power = power.unsigned_abs();
        let decimal = [power / 100, power / 10 % 10, power % 10].map(|digit| b"0123456789"[digit as usize]);
        self.push(&decimal[if power < 10 { 2 } else { usize::from(power < 100) }..]);
    }
}

/// The shortest digits that read back as the same double, their count, and the exponent of 0.digits: taken out of any
/// decimal notation, so that only the digits of the printing crate count and not its taste in layout.
fn shortest(text: &str) -> ([u8; 24], usize, i32) {
    let text = text.as_bytes();
    let mut digits = [0; 24];
    let (mut count, mut exponent) = (0, 0);
    let (mut at, mut after_point) = (0, false);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'.' => after_point = true,
            b'e' | b'E' => break,
            b'0' if count == 0 => exponent -= i32::from(after_point),
            _ => {
                exponent += i32::from(!after_point);
                digits[count.min(23)] = byte;
                count += 1;
            }
        }
    }
    exponent += power(&text[at..]);
    while count > 0 && digits[count - 1] == b'0' {
        count -= 1;
    }
    (digits, count, exponent)
}

/// What stands before and after the `e`, where there is one: at most a sign and three digits come after it.
fn at_exponent(shown: &[u8]) -> Option<(&[u8], &[u8])> {
    let from = shown.len().saturating_sub(5);
    let mark = from + shown[from..].iter().position(|&byte| byte == b'e')?;
    Some((&shown[..mark], &shown[mark + 1..]))
}

/// The number after an `e`; 0 where there is none.
fn power(text: &[u8]) -> i32 {
    let negative = text.first() == Some(&b'-');
    let digits = &text[usize::from(negative || text.first() == Some(&b'+'))..];
    let power = digits.iter().fold(0, |power, digit| power * 10 + i32::from(digit - b'0'));
    if negative { -power } else { power }
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

/// A number token, read: whether it is its own canonical form, else that form.
pub(crate) enum Number {
    Canonical,
    Other(Text),
}

/// What the scanner has counted in a number token.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Digits before the point.
    pub(crate) whole: usize,
    /// Digits after the point.
    pub(crate) fraction: usize,
    /// Whether there is an exponent.
    pub(crate) exponent: bool,
}

/// Read a token that follows the grammar. Refuses what overflows, and integers that a double cannot hold.
pub(crate) fn read(token: &str, shape: Shape) -> Result<Number, JsonRule> {
    if is_plainly_canonical(token.as_bytes(), shape) {
        return Ok(Number::Canonical);
    }
    let value = double(token, shape)?;
    if value.is_infinite() {
        return Err(JsonRule::NumberOverflow);
    }
    let canonical = Text::of(value);
    if canonical.as_bytes() == token.as_bytes() {
        return Ok(Number::Canonical);
    }
    if shape.fraction == 0 && !shape.exponent && !holds_exactly(value, token.as_bytes()) {
        return Err(JsonRule::InexactInteger);
    }
    Ok(Number::Other(canonical))
}

/// The nearest double, which may be infinite.
fn double(token: &str, shape: Shape) -> Result<f64, JsonRule> {
    // Both round correctly. Digits beyond those that fit a machine word may lie next to the middle between two doubles,
    // and the former then is quicker to tell on which side.
    if shape.whole + shape.fraction > 19 {
        return f64::from_lexical(token.as_bytes()).map_err(|_| JsonRule::InvalidNumber);
    }
    token.parse().map_err(|_| JsonRule::InvalidNumber)
}

/// No two decimals of at most 15 significant digits are the same double, so such a decimal is the shortest form of its
/// double; laid out without exponent, trailing zeros or a value below 1e-6 it is what ECMAScript writes. No two integers
/// up to 2^53 are the same double either.
fn is_plainly_canonical(token: &[u8], shape: Shape) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if shape.exponent || shape.whole + shape.fraction > 15 {
        return !shape.exponent && shape.fraction == 0 && shape.whole == 16 && digits <= b"9007199254740992".as_slice();
    }
    if shape.fraction == 0 {
        return digits != b"0" || token.len() == 1;
    }
    !digits.ends_with(b"0") && !digits.starts_with(b"0.000000")
}

/// Whether a double is the integer that `token` writes, digit for digit.
fn holds_exactly(value: f64, token: &[u8]) -> bool {
    let negative_zero = value == 0.0;
    negative_zero || format!("{value:.0}").as_bytes() == token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecmascript(value: f64) -> String {
        String::from_utf8(Text::of(value).as_bytes().to_vec()).unwrap()
    }

    /// Long decimals at and around the middle between two doubles, where a reader that looks at too few digits errs.
    #[test]
    fn long_decimals_are_rounded_correctly() {
        let mut bits: u64 = 1;
        for round in 0..20_000_u32 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(if round % 3 == 0 { bits >> 12 } else { bits & (0x7fef << 48 | (1 << 48) - 1) });
            // Exact, all digits of it; the digit added is the first of what lies between this double and the next.
            let exact = format!("{value:.1100}");
            let shown = exact.trim_end_matches('0').len();
            for token in [
                format!("{}5", &exact[..shown]),
                format!("{}1", &exact[..25.min(shown)]),
                exact[..shown.min(40)].to_owned(),
            ] {
                let token = token.trim_end_matches('.');
                let fraction = token.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                let shape = Shape { whole: token.len() - fraction, fraction, exponent: false };
                assert_eq!(Ok(token.parse::<f64>().unwrap()), double(token, shape), "{token}");
            }
        }
    }

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

    /// RFC 8785 appendix B.
    #[test]
    fn numbers_of_appendix_b() {
        let samples: [(u64, &str); 22] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, expected) in samples {
            assert_eq!(expected, ecmascript(f64::from_bits(bits)));
        }
    }
}
