//! Numbers: what a double holds, written as ECMAScript writes it (RFC 8785 section 3.2.2.3).

mod integer;
mod shortest;
mod text;
mod token;

use lexical_parse_float::FromLexical;

use self::integer::exact_double;
use self::shortest::Decimal;
pub(crate) use self::text::write;
pub(crate) use self::token::{Shape, digits_end, short_token};
use crate::error::JsonRule;

/// The number that at most 19 digits write.
#[inline]
fn number_of(digits: &[u8]) -> u64 {
    let Some(last) = digits.last_chunk() else {
        return digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    };
    let (chunks, rest) = digits.as_chunks();
    let number = chunks.iter().fold(0, |number, chunk| number * TENS[8] + number_of_eight(u64::from_le_bytes(*chunk)));
    // The rest is the end of the last eight: those before it become leading zeros, and no branch depends on how many.
    let others = u32::try_from(8 * (8 - rest.len())).ok().and_then(|bits| u64::MAX.checked_shl(bits)).unwrap_or(0);
    number * TENS[rest.len()] + number_of_eight(u64::from_le_bytes(*last) & others)
}

/// Neighbouring digits are joined to pairs, those to fours, those to eight. Bytes of zero are zeros as well.
#[inline]
fn number_of_eight(digits: u64) -> u64 {
    let ones = digits & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

/// Powers of ten.
const TENS: [u64; 20] = {
    let mut tens = [1; 20];
    let mut power = 1;
    while power < tens.len() {
        tens[power] = tens[power - 1] * 10;
        power += 1;
    }
    tens
};

/// As many as 64 bits are sure to hold, and more than any double needs.
const MOST_DIGITS: usize = 19;

/// How many digits ECMAScript writes out of an integer; a longer one gets an exponent.
const WRITTEN_OUT: usize = 21;

/// Read a token that follows the grammar: whether it is its own canonical form; else that form is appended to `aux`.
/// Refuses what overflows, and integers that a double cannot hold.
pub(crate) fn read(token: &str, shape: Shape, aux: &mut Vec<u8>) -> Result<bool, JsonRule> {
    if is_surely_canonical(token, shape) {
        return Ok(true);
    }
    let start = aux.len();
    if shape.is_integer() {
        read_integer(token, shape, aux)?;
    } else if shape.whole + shape.fraction > MOST_DIGITS
        || is_near_the_limits(token, shape)
        || !text::lay_out_anew(token, aux)
    {
        write(nearest(token)?, aux);
    }
    let canonical = aux[start..] == *token.as_bytes();
    if canonical {
        aux.truncate(start);
    }
    Ok(canonical)
}

/// Whether the power is so far from 0 that no glance at the digits is enough, see [`shortest`].
fn is_near_the_limits(token: &str, shape: Shape) -> bool {
    const THREE_DIGITS: usize = "e300".len();
    shape.exponent >= THREE_DIGITS && token.as_bytes()[token.len() - 3..] >= b"290"[..]
}

/// Append an integer. Refuses one that no double holds, unless ECMAScript writes the nearest one like that.
fn read_integer(token: &str, shape: Shape, aux: &mut Vec<u8>) -> Result<(), JsonRule> {
    if let Some(value) = exact_double(token) {
        write(value, aux);
        return Ok(());
    }
    let start = aux.len();
    let value = nearest(token)?;
    if shape.whole <= WRITTEN_OUT {
        write(value, aux);
        if aux[start..] == *token.as_bytes() {
            return Ok(());
        }
    }
    Err(JsonRule::InexactInteger)
}

/// The nearest double. The standard library is as exact, but slower where many digits lie near the
/// middle between two doubles. Refuses what overflows.
fn nearest(token: &str) -> Result<f64, JsonRule> {
    let value = f64::from_lexical(token.as_bytes()).map_err(|_| JsonRule::InvalidNumber)?;
    if value.is_infinite() { Err(JsonRule::NumberOverflow) } else { Ok(value) }
}

/// Whether a token is laid out as ECMAScript does it, with the digits that it would choose. `false` is no answer.
fn is_surely_canonical(token: &str, shape: Shape) -> bool {
    if shape.whole + shape.fraction > MOST_DIGITS {
        return false;
    }
    let unsigned = token.strip_prefix('-').unwrap_or(token).as_bytes();
    let (whole, rest) = unsigned.split_at(shape.whole);
    let digits = number_of(whole);
    if shape.is_integer() {
        if digits <= 1 << 53 {
            // No two of these are the same double, and ECMAScript writes them out; minus zero it does not.
            return digits != 0 || token.len() == 1;
        }
        return Decimal { digits, power: 0 }.is_surely_shortest();
    }
    let Some(power) = layout_power(whole, rest, shape) else { return false };
    let fraction = number_of(rest.get(1..=shape.fraction).unwrap_or_default());
    let digits = digits * TENS[shape.fraction] + fraction;
    Decimal { digits, power: power - i32::try_from(shape.fraction).unwrap_or(0) }.is_surely_shortest()
}

/// The power of ten of a number with point or exponent, if ECMAScript could have laid it out so.
fn layout_power(whole: &[u8], rest: &[u8], shape: Shape) -> Option<i32> {
    let (fraction, exponent) = rest.split_at(if shape.fraction > 0 { shape.fraction + 1 } else { 0 });
    if fraction.ends_with(b"0") {
        return None;
    }
    if shape.exponent == 0 {
        let at_least_a_millionth = whole != b"0" || !fraction.starts_with(b".000000");
        return at_least_a_millionth.then_some(0);
    }
    let one_digit = whole.len() == 1 && whole != b"0";
    one_digit.then(|| exponent_power(exponent)).flatten()
}

/// The power of an exponent that ECMAScript could have written: where it must, with a sign, and no digit too many. None
/// also near the limits of a double, where no glance is enough.
fn exponent_power(exponent: &[u8]) -> Option<i32> {
    let (negative, digits) = match exponent {
        [b'e', b'-', digits @ ..] => (true, digits),
        [b'e', b'+', digits @ ..] => (false, digits),
        _ => return None,
    };
    let value = |digits: &[u8]| digits.iter().fold(0, |power, digit| power * 10 + i32::from(digit - b'0'));
    let power = match *digits {
        [ones] => value(&[ones]),
        [tens, ones] if tens != b'0' => value(&[tens, ones]),
        [hundreds, tens, ones] if hundreds == b'1' || hundreds == b'2' => value(&[hundreds, tens, ones]),
        _ => return None,
    };
    if negative { (power > 6).then_some(-power) } else { (power > 20).then_some(power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecmascript(value: f64) -> String {
        let mut text = Vec::new();
        write(value, &mut text);
        String::from_utf8(text).unwrap()
    }

    /// The shape of a token, counted anew.
    fn shape_of(token: &str) -> Shape {
        let unsigned = token.trim_start_matches('-');
        let (decimal, exponent) = unsigned.find(['e', 'E']).map_or((unsigned, ""), |at| unsigned.split_at(at));
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        Shape { whole: whole.len(), fraction: fraction.len(), exponent: exponent.len() }
    }

    /// Whether the short way says "canonical"; that it does not say so of what is not.
    fn surely(token: &str) -> bool {
        let surely = is_surely_canonical(token, shape_of(token));
        assert!(!surely || ecmascript(token.parse().unwrap()) == token, "{token}");
        surely
    }

    /// A finite double of any size, many of them near the middle of the scale.
    fn double(bits: u64) -> f64 {
        match bits % 4 {
            0 => f64::from_bits(bits >> 2 & !(1 << 62)),
            1 => (bits >> 11) as f64 / (1_u64 << 53) as f64,
            2 => (bits >> 10) as f64 * 10_f64.powi((bits >> 2 & 15) as i32 - 24),
            _ => (bits >> 3 & 0xff_ffff_ffff) as f64 / 1000.0,
        }
    }

    pub(super) fn doubles() -> impl Iterator<Item = f64> {
        let random = std::iter::successors(Some(1_u64), |bits| {
            Some(bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
        });
        random.map(|bits| double(bits.rotate_left(32))).filter(|double| double.is_finite())
    }

    /// Nearly all that ECMAScript writes is known to be canonical at a glance.
    #[test]
    fn canonical_numbers_are_known_at_a_glance() {
        let known = doubles().take(100_000).filter(|&double| surely(&ecmascript(double))).count();
        assert!(known > 90_000, "{known}");
    }

    /// Decimals beside the canonical one, with as many digits, fewer and more, in any layout, are not taken for canonical.
    #[test]
    fn what_is_not_canonical_is_never_taken_for_it() {
        for double in doubles().take(30_000) {
            for places in 13..=17 {
                let decimal = format!("{double:.places$e}");
                let (mantissa, power) = decimal.split_once('e').unwrap();
                let signed = if power.starts_with('-') { power.to_owned() } else { format!("+{power}") };
                let (digits, last) = mantissa.split_at(mantissa.len() - 1);
                for last in [last, "0", "1", "4", "5", "9"] {
                    for token in [
                        format!("{digits}{last}e{signed}"),
                        format!("{digits}{last}e{power}"),
                        format!("{digits}{last}"),
                        format!("-0.000{}{last}", digits.replace(['.', '-'], "")),
                        format!("{}{last}", digits.replace(['.', '-'], "").trim_start_matches('0')),
                    ] {
                        surely(&token);
                    }
                }
            }
        }
    }

    /// At the ends of the integers that are exact, of plain notation and of the powers that the short way looks at.
    #[test]
    fn numbers_at_the_borders_are_not_taken_for_canonical_either() {
        for power in 0..64 {
            for distance in -40..=40 {
                surely(&((1_i128 << power) + distance).to_string());
            }
        }
        assert!(surely("9007199254740992") && surely("-9007199254740991") && surely("0"));
        for power in -330..=310 {
            for mantissa in ["1", "9", "1.5", "9.99999999999999", "9.999999999999999", "9.9999999999999999", "1.0", "0"]
            {
                for token in
                    [format!("{mantissa}e{power:+}"), format!("{mantissa}E{power}"), format!("{mantissa}e{power:+04}")]
                {
                    if token.parse::<f64>().is_ok_and(f64::is_finite) {
                        surely(&token);
                    }
                }
            }
        }
        for refused in [
            "-0",
            "0.0",
            "-0.0",
            "1.0",
            "1.50",
            "0.0000001",
            "1e5",
            "1E21",
            "1e21",
            "1e+021",
            "1e+20",
            "1e-6",
            "12e+30",
            "0e+30",
        ] {
            assert!(!surely(refused), "{refused}");
        }
        for known in ["0.000001", "1e+21", "1.5e-7", "100000000000000", "-0.1", "9.007199254740993e+39"] {
            assert!(surely(known), "{known}");
        }
    }

    /// Long decimals at and around the middle between two doubles, where a reader that looks at too few digits errs.
    #[test]
    fn long_decimals_are_rounded_correctly() {
        for double in doubles().take(20_000) {
            // Exact, all digits of it; the digit added is the first of what lies between this double and the next.
            let exact = format!("{double:.1100}");
            let exact = exact.trim_end_matches('0').trim_end_matches('.');
            let start = exact.len() - exact.trim_start_matches(['-', '0', '.']).len();
            let cut = |digits: usize| &exact[..exact.len().min(start + digits)];
            for token in [format!("{exact}5"), format!("{}1", cut(25)), cut(40).to_owned(), format!("{}e-300", cut(30))]
            {
                assert_eq!(token.parse().ok(), nearest(&token).ok(), "{token}");
            }
        }
    }

    /// Powers that no counter holds, and those that only many zeros make up for.
    #[test]
    fn powers_out_of_all_proportion_are_read() {
        let zeros = "0".repeat(5000);
        for (token, value) in [
            ("1e-2147483649".to_owned(), 0.0),
            ("1e-99999999999999999999999".to_owned(), 0.0),
            ("0e99999999999999999999999".to_owned(), 0.0),
            (format!("0.{zeros}1e5001"), 1.0),
            (format!("1{zeros}e-5000"), 1.0),
            (format!("123{zeros}.{zeros}e-5001"), 12.3),
        ] {
            assert_eq!(Some(value), nearest(&token).ok(), "{token}");
        }
        for token in ["1e18446744073709551616", "-1e2147483648"] {
            assert_eq!(Some(JsonRule::NumberOverflow), nearest(token).err(), "{token}");
        }
    }

    /// Any count of digits that fits is read, wherever the parts are cut.
    #[test]
    fn numbers_of_any_length_are_read() {
        let digits = b"9876543210987654321";
        for length in 0..=digits.len() {
            let expected = digits[..length].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            assert_eq!(expected, number_of(&digits[..length]));
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
