//! Integers of any length, and the doubles that hold them exactly.

use super::{TENS, number_of};

/// The double that is the integer that `token` writes, digit for digit, if there is one.
#[allow(clippy::cast_possible_truncation)] // an Integer has 1,088 bits
pub(super) fn exact_double(token: &str) -> Option<f64> {
    let unsigned = token.strip_prefix('-').unwrap_or(token);
    let integer = integer_of(unsigned.as_bytes())?;
    let Some(top) = integer.iter().rposition(|&word| word != 0) else { return Some(0.0) };
    let (below, high) = integer[..=top].split_at(top);
    let shift = high[0].leading_zeros();
    let next = below.last().map_or(0, |&word| u128::from(word));
    // Its highest 128 bits, of which a double holds 53.
    let bits = (u128::from(high[0]) << 64 | next) << shift;
    let rest = bits << 53 | u128::from(below.iter().rev().skip(1).any(|&word| word != 0));
    let power = 64 * top as u64 + 63 - u64::from(shift);
    if rest != 0 || power > 1023 {
        return None;
    }
    let fraction = (bits >> 75) as u64 & (1 << 52) - 1;
    let value = f64::from_bits((1023 + power) << 52 | fraction);
    Some(if unsigned.len() < token.len() { -value } else { value })
}

/// An integer as words of 64 bits, the lowest first: more than any double fills.
type Integer = [u64; 17];

/// The integer that digits write, if it is not too large for a double.
#[allow(clippy::cast_possible_truncation)] // the higher half is carried
fn integer_of(digits: &[u8]) -> Option<Integer> {
    let mut integer = [0; 17];
    let mut used = 0;
    let (first, rest) = digits.split_at(digits.len() % 19);
    for chunk in std::iter::once(first).chain(rest.chunks_exact(19)) {
        let mut carry = number_of(chunk);
        for word in &mut integer[..used] {
            let product = u128::from(*word) * u128::from(TENS[19]) + u128::from(carry);
            *word = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry > 0 {
            *integer.get_mut(used)? = carry;
            used += 1;
        }
    }
    Some(integer)
}

#[cfg(test)]
mod tests {
    use super::super::tests::doubles;
    use super::*;

    /// Integers next to powers of two and ten, and doubles of any size with their neighbours among the integers.
    #[test]
    fn integers_are_exact_or_not() {
        let powers = (50..127).map(|power| 1_u128 << power).chain((15..38).map(|power| 10_u128.pow(power)));
        for integer in powers.flat_map(|power| (0..40).map(move |distance| power - 20 + distance)) {
            let value = integer as f64;
            let exact = (format!("{value:.0}") == integer.to_string()).then_some(value);
            assert_eq!(exact, exact_double(&integer.to_string()), "{integer}");
            assert_eq!(exact.map(|value| -value), exact_double(&format!("-{integer}")), "{integer}");
        }
        let scaled = |(double, power): (f64, i32)| (double.abs().fract() * 2_f64.powi(53)).trunc() * 2_f64.powi(power);
        for value in doubles().zip((0..970).cycle()).take(20_000).map(scaled).filter(|value| *value != 0.0) {
            let exact = format!("{value:.0}");
            let (rest, last) = exact.split_at(exact.len() - 1);
            let other = format!("{rest}{}", (last.as_bytes()[0] - b'0' + 1) % 10);
            assert_eq!(Some(value), exact_double(&exact), "{exact}");
            assert_ne!(Some(value), exact_double(&other), "{exact}");
        }
    }
}
