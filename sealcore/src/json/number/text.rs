//! A double in the letters of ECMAScript (RFC 8785 section 3.2.2.3).

use super::{number_of, shortest::Decimal};

/// Append the ECMAScript form of a finite double: at most 25 bytes.
pub(crate) fn write(value: f64, out: &mut Vec<u8>) {
    out.reserve(25);
    if value == 0.0 {
        // Negative zero is written as zero.
        return out.push(b'0');
    }
    if value < 0.0 {
        out.push(b'-');
    }
    write_shown(zmij::Buffer::new().format_finite(value.abs()), value.abs(), out);
}

/// Append a decimal notation of the shortest digits. Only the digits of the crate that printed them count, not its taste
/// in layout; where that is ECMAScript's, the digits are not taken apart.
fn write_shown(shown: &str, value: f64, out: &mut Vec<u8>) {
    match split_exponent(shown) {
        (decimal, None) if value >= 1e-6 && value < 1e21 => {
            out.extend_from_slice(decimal.strip_suffix(".0").unwrap_or(decimal).as_bytes());
        }
        (mantissa, Some([b'-' | b'+', b'1'..=b'9', ..]))
            if (value < 1e-6 || value >= 1e21) && !mantissa.ends_with('0') =>
        {
            out.extend_from_slice(shown.as_bytes());
        }
        _ => {
            let (digits, count, exponent) = taken_apart(shown);
            lay_out(&digits[..count], exponent, out);
        }
    }
}

/// Append the ECMAScript form of a token of at most 19 digits that are surely those that ECMAScript chooses, and only laid
/// out otherwise; false where that is not plain to see.
pub(super) fn lay_out_anew(token: &str, out: &mut Vec<u8>) -> bool {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    let (digits, count, exponent) = taken_apart(unsigned);
    let digits = &digits[..count];
    let power = exponent.saturating_sub(i32::try_from(count).unwrap_or(0));
    let decimal = Decimal { digits: number_of(digits), power };
    if count == 0 || !decimal.is_surely_shortest() {
        return false;
    }
    if unsigned.len() < token.len() {
        out.push(b'-');
    }
    lay_out(digits, exponent, out);
    true
}

/// ECMA-262 `Number::toString`, steps 6 to 12: `digits` are the shortest ones, the value is 0.digits x 10^`exponent`.
fn lay_out(digits: &[u8], exponent: i32, out: &mut Vec<u8>) {
    let places = exponent.unsigned_abs() as usize;
    if (1..=21).contains(&exponent) {
        if places >= digits.len() {
            out.extend_from_slice(digits);
            write_zeros(places - digits.len(), out);
        } else {
            out.extend_from_slice(&digits[..places]);
            out.push(b'.');
            out.extend_from_slice(&digits[places..]);
        }
    } else if (-5..=0).contains(&exponent) {
        out.extend_from_slice(b"0.");
        write_zeros(places, out);
        out.extend_from_slice(digits);
    } else {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        write_power(exponent - 1, out);
    }
}

fn write_zeros(count: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + count, b'0');
}

fn write_power(power: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(if power < 0 { b"e-" } else { b"e+" });
    let power = power.unsigned_abs();
    let decimal = [power / 100, power / 10 % 10, power % 10].map(|digit| b"0123456789"[digit as usize]);
    out.extend_from_slice(&decimal[if power < 10 { 2 } else { usize::from(power < 100) }..]);
}

/// What stands before an `e`, and what after it; a double has no more than three digits and a sign there.
fn split_exponent(shown: &str) -> (&str, Option<&[u8]>) {
    let last = &shown.as_bytes()[shown.len().saturating_sub(5)..];
    match last.iter().position(|&byte| byte == b'e') {
        Some(place) => {
            let at = shown.len() - last.len() + place;
            (&shown[..at], Some(&shown.as_bytes()[at + 1..]))
        }
        None => (shown, None),
    }
}

/// The digits of any decimal notation without zeros around them, their count, and the exponent of 0.digits.
fn taken_apart(text: &str) -> ([u8; 24], usize, i32) {
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
    exponent = power(&text[at..]).saturating_add(exponent);
    while count > 0 && digits[count - 1] == b'0' {
        count -= 1;
    }
    (digits, count, exponent)
}

/// The number after an `e`; 0 where there is none.
fn power(text: &[u8]) -> i32 {
    let negative = text.first() == Some(&b'-');
    let digits = &text[usize::from(negative || text.first() == Some(&b'+'))..];
    let power =
        digits.iter().fold(0_i32, |power, digit| power.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
    if negative { -power } else { power }
}
