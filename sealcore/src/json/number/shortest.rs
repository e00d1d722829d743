//! Whether a decimal is the one that ECMAScript writes for its double, told without reading the double and writing it.
//!
//! Most numbers come from someone's shortest-digits printer and stand as they should. One multiplication and a few
//! comparisons show that, in a fifth of the time that reading and writing take. Each comparison leaves a margin for what
//! the multiplication rounds away; what falls within a margin is left to the exact way.

use std::ops::RangeInclusive;

/// `digits` x 10^`power`, not 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    pub(super) digits: u64,
    pub(super) power: i32,
}

/// Far from overflow and from subnormal numbers, whatever the digits.
const POWERS: RangeInclusive<i32> = -290..=290;
/// Powers that the table has: with sixteen or seventeen digits those of a smaller one.
const TABLE: RangeInclusive<i32> = -306..=290;
const FIFTEEN_DIGITS: u64 = 1_000_000_000_000_000;
const SEVENTEEN_DIGITS: u64 = 100_000_000_000_000_000;

/// The distance from one double to the next, in fixed point.
const STEP: i64 = 1 << 54;
const HALF: i64 = STEP / 2;
/// A power of ten errs by less than two units of 64 bits, and so does the product: by less than 2^45 of these.
const MARGIN: i64 = 1 << 46;

impl Decimal {
    /// Whether it surely is, of the shortest decimals that read as its double, the one closest to that (ECMA-262
    /// `Number::toString`, step 5). `false` is no answer.
    pub(super) fn is_surely_shortest(self) -> bool {
        if self.digits < FIFTEEN_DIGITS {
            // No two decimals of at most fifteen digits are the same double.
            return POWERS.contains(&self.power);
        }
        let Some(Place { offset, unit }) = self.place() else { return false };
        // Decimals with a digit less end in 0 where this one ends in `last`. The double must lie nearer to its neighbours
        // than to those, so that they do not read as it; and nearer to this decimal than to any of the same length.
        let last = (self.digits % 10).cast_signed();
        let (below, above) = (offset - last * unit, offset + (10 - last) * unit);
        let none_is_shorter = last != 0 && below < -HALF - MARGIN && above > HALF + MARGIN;
        let none_is_closer = 2 * (offset.abs() + MARGIN) < unit;
        none_is_shorter && none_is_closer
    }

    /// Where it lies beside its double, if that is plain to see.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)] // made to fit
    fn place(self) -> Option<Place> {
        const SHORTEST: u64 = 1 << 52;
        if self.digits >= SEVENTEEN_DIGITS || !TABLE.contains(&self.power) {
            return None;
        }
        let ten = TENS[(self.power - TABLE.start()) as usize];
        let zeros = self.digits.leading_zeros();
        let product = u128::from(self.digits << zeros) * u128::from(ten);
        let product_zeros = product.leading_zeros();
        let product = product << product_zeros;
        // 53 bits are the double's, the next 54 say how far beyond it the decimal is.
        let mantissa = (product >> 75) as u64;
        let beyond = (product >> 21) as i64 & (STEP - 1);
        let up = beyond > HALF;
        let nearest = mantissa + u64::from(up);
        // Next to a power of two the steps are not alike; in the middle between two doubles it is the rest that tells.
        if nearest & (SHORTEST - 1) == 0 || (beyond - HALF).abs() <= MARGIN {
            return None;
        }
        let unit = (ten >> (21 - zeros - product_zeros)) as i64;
        Some(Place { offset: if up { beyond - STEP } else { beyond }, unit })
    }
}

/// A decimal beside its double; both in [`STEP`]s of that.
struct Place {
    /// How much greater the decimal is.
    offset: i64,
    /// What one more in its last digit would add.
    unit: i64,
}

/// The first 64 bits of each power of ten of [`TABLE`].
static TENS: [u64; 597] = {
    const ONE: u128 = 1 << 127;
    let mut tens = [0; 597];
    let mut power = ONE;
    let mut place = 306;
    while place < tens.len() {
        tens[place] = (power >> 64) as u64;
        // Times ten, or the same as far as digits go.
        power = match power.checked_add(power / 4) {
            Some(power) => power,
            None => power / 2 + power / 8,
        };
        place += 1;
    }
    power = ONE;
    place = 306;
    while place > 0 {
        power -= power / 5;
        if power < ONE {
            power *= 2;
        }
        place -= 1;
        tens[place] = (power >> 64) as u64;
    }
    tens
};
