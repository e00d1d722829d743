//! Numbers and literals.

use super::{
    Fault, span,
    string::Token,
    structure::{Container, Parser, item_flags},
};
use crate::{
    error::JsonRule,
    json::{
        number::{self, Shape},
        tape::{Kind, flag},
    },
};

impl Parser<'_> {
    /// Read a value that is no container; what comes after it.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a token's facts are flags
    pub(super) fn scalar(
        &mut self,
        at: usize,
        first: u8,
        name: Token,
        container: &mut Container,
    ) -> Result<usize, Fault> {
        if first == b'"' {
            let token = self.string_token(at)?;
            let flags = token.facts as u8 | item_flags(container, !token.aux());
            self.push(name, token.start, token.end, Kind::String, flags);
            return Ok(token.after as usize);
        }
        match first {
            b'-' | b'0'..=b'9' => self.number(at, name, container),
            b't' => self.literal(at, b"true", Kind::True, name, container),
            b'f' => self.literal(at, b"false", Kind::False, name, container),
            b'n' => self.literal(at, b"null", Kind::Null, name, container),
            b'N' | b'I' => Err(self.not_finite_or(at, JsonRule::ExpectedValue)),
            _ => Err(self.fault(at, JsonRule::ExpectedValue)),
        }
    }

    #[cold]
    fn not_finite_or(&self, at: usize, rule: JsonRule) -> Fault {
        let rest = &self.text[at..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let rule = if rest.starts_with(b"NaN") || rest.starts_with(b"Infinity") { JsonRule::NotFinite } else { rule };
        self.fault(at, rule)
    }

    #[inline(never)]
    fn literal(
        &mut self,
        at: usize,
        word: &[u8],
        kind: Kind,
        name: Token,
        container: &mut Container,
    ) -> Result<usize, Fault> {
        for (position, &byte) in word.iter().enumerate() {
            if self.byte(at + position) != byte {
                return Err(self.fault(at + position, JsonRule::ExpectedValue));
            }
        }
        let end = at + word.len();
        self.push(name, span(at), span(end), kind, item_flags(container, true));
        Ok(end)
    }

    #[inline(never)]
    fn number(&mut self, start: usize, name: Token, container: &mut Container) -> Result<usize, Fault> {
        let (shape, end) = self.number_token(start)?;
        let token = self.characters.get(start..end).unwrap_or_default();
        let aux_start = self.into.found.aux.len();
        let canonical = number::read(token, shape, &mut self.into.found.aux).map_err(|rule| Fault::new(start, rule))?;
        let mut flags = u8::from(shape.is_integer()) * flag::INTEGER | item_flags(container, canonical);
        if canonical {
            self.push(name, span(start), span(end), Kind::Number, flags);
        } else {
            flags |= flag::AUX;
            let index = self.push(name, span(start), span(end), Kind::Number, flags);
            let entry = &mut self.into.found.entries[index as usize];
            entry.extra = span(aux_start);
            entry.aux_length = u8::try_from(self.into.found.aux.len() - aux_start).unwrap_or(0);
        }
        Ok(end)
    }

    /// RFC 8259 section 6. Nearly all numbers are short, and read without a loop; the others and what is none, one by one.
    #[inline]
    fn number_token(&self, start: usize) -> Result<(Shape, usize), Fault> {
        let first = start + usize::from(self.byte(start) == b'-');
        let block = self.text.get(first..).and_then(<[u8]>::first_chunk);
        match block.and_then(number::short_token) {
            Some((shape, length)) => Ok((shape, first + length)),
            None => self.any_number_token(start),
        }
    }

    #[inline(never)]
    fn any_number_token(&self, start: usize) -> Result<(Shape, usize), Fault> {
        let first = start + usize::from(self.byte(start) == b'-');
        let mut at = self.after_digits(first);
        let mut shape = Shape { whole: at - first, fraction: 0, exponent: 0 };
        if shape.whole == 0 {
            let infinite = matches!(self.byte(first), b'I' | b'N');
            return Err(self.not_finite_or(if infinite { start } else { first }, JsonRule::InvalidNumber));
        }
        if self.byte(first) == b'0' && shape.whole > 1 {
            return Err(Fault::new(first, JsonRule::LeadingZero));
        }
        if self.byte(at) == b'.' {
            let point = at;
            at = self.after_digits(at + 1);
            shape.fraction = at - point - 1;
            if shape.fraction == 0 {
                return Err(self.fault(at, JsonRule::InvalidNumber));
            }
        }
        if matches!(self.byte(at), b'e' | b'E') {
            let letter = at;
            let digits = at + 1 + usize::from(matches!(self.byte(at + 1), b'+' | b'-'));
            at = self.after_digits(digits);
            if at == digits {
                return Err(self.fault(at, JsonRule::InvalidNumber));
            }
            shape.exponent = at - letter;
        }
        Ok((shape, at))
    }

    fn after_digits(&self, mut at: usize) -> usize {
        while let Some(chunk) = self.text.get(at..).and_then(<[u8]>::first_chunk) {
            match number::digits_end(*chunk) {
                Some(end) => return at + end,
                None => at += chunk.len(),
            }
        }
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        at
    }
}
