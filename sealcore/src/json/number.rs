//! Numbers: what a double holds, written as ECMAScript writes it (RFC 8785 section 3.2.2.3).

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
        let mut buffer = zmij::Buffer::new();
        let (digits, count, exponent) = shortest(buffer.format_finite(value.abs()));
        if value < 0.0 {
            text.push(b"-");
        }
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
            let power = exponent - 1;
            self.push(if power < 0 { b"e-" } else { b"e+" });
            let power = power.unsigned_abs();
            let decimal = [power / 100, power / 10 % 10, power % 10].map(|digit| b"0123456789"[digit as usize]);
            self.push(&decimal[if power < 10 { 2 } else { usize::from(power < 100) }..]);
        }
    }
}

/// The shortest digits that read back as the same double, their count, and the exponent of 0.digits: taken out of any
/// decimal notation, so that only the digits of the printing crate count and not its taste in layout.
fn shortest(text: &str) -> ([u8; 24], usize, i32) {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse::<i32>().unwrap_or(0)),
        None => (text, 0),
    };
    let mut digits = [0; 24];
    let mut count = 0;
    let mut exponent = power;
    let mut after_point = false;
    for byte in mantissa.bytes() {
        if byte == b'.' {
            after_point = true;
        } else if count == 0 && byte == b'0' {
            exponent -= i32::from(after_point);
        } else {
            exponent += i32::from(!after_point);
            digits[count.min(23)] = byte;
            count += 1;
        }
    }
    while count > 0 && digits[count - 1] == b'0' {
        count -= 1;
    }
    (digits, count, exponent)
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
pub(crate) fn read(token: &[u8], shape: Shape) -> Result<Number, JsonRule> {
    if is_plainly_canonical(token, shape) {
        return Ok(Number::Canonical);
    }
    let text = std::str::from_utf8(token).map_err(|_| JsonRule::InvalidNumber)?;
    let value: f64 = text.parse().map_err(|_| JsonRule::InvalidNumber)?;
    if value.is_infinite() {
        return Err(JsonRule::NumberOverflow);
    }
    let canonical = Text::of(value);
    if canonical.as_bytes() == token {
        return Ok(Number::Canonical);
    }
    if shape.fraction == 0 && !shape.exponent && !holds_exactly(value, token) {
        return Err(JsonRule::InexactInteger);
    }
    Ok(Number::Other(canonical))
}

/// No two decimals of at most 15 significant digits are the same double, so such a decimal is the shortest form of its
/// double; laid out without exponent, trailing zeros or a value below 1e-6 it is what ECMAScript writes.
fn is_plainly_canonical(token: &[u8], shape: Shape) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if shape.exponent || shape.whole + shape.fraction > 15 {
        return false;
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
