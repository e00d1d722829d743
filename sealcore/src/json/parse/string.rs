//! Strings: where they end, and their canonical text where it is another.

use super::{Fault, span, structure::Parser};
use crate::{
    error::JsonRule,
    json::{string, tape::flag},
};

/// A string token or name as found in the text. All fields are alike, so that it lives in registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Token {
    pub(super) start: u32,
    pub(super) end: u32,
    /// What comes after it in the text.
    pub(super) after: u32,
    /// [`ESCAPED`] and [`AUX`].
    pub(super) facts: u32,
}

const ESCAPED: u32 = flag::ESCAPED as u32;
/// The token's canonical form is in `aux`, and the span lies there.
const AUX: u32 = flag::AUX as u32;
/// From a string's flags to those of a name.
pub(super) const NAME_SHIFT: u32 = flag::NAME_ESCAPED.trailing_zeros() - flag::ESCAPED.trailing_zeros();

impl Token {
    pub(super) fn escaped(self) -> bool {
        self.facts & ESCAPED != 0
    }

    pub(super) fn aux(self) -> bool {
        self.facts & AUX != 0
    }
}

/// A string's canonical text under way.
struct Copy {
    /// How far the text has been copied, or needs no copy yet.
    done: usize,
    /// Where in `aux` the copy begins, once there is one.
    aux_start: Option<usize>,
}

impl Parser<'_> {
    /// Read the string at the cursor, quotes included.
    #[inline]
    pub(super) fn string_token(&mut self, at: usize) -> Result<Token, Fault> {
        let end = string::plain_until(self.text, at + 1);
        if self.byte(end) == b'"' {
            return Ok(Token { start: span(at), end: span(end + 1), after: span(end + 1), facts: 0 });
        }
        // Field by field: what is common is not to wait in memory for what is rare.
        let Token { start, end, after, facts } = self.escaped_string_token(at, end)?;
        Ok(Token { start, end, after, facts })
    }

    /// The rest of a string that has escapes. The text is copied only from the first escape on that is not canonical.
    #[inline(never)]
    fn escaped_string_token(&mut self, start: usize, mut at: usize) -> Result<Token, Fault> {
        let mut copy = Copy { done: start, aux_start: None };
        loop {
            match self.byte(at) {
                b'"' => break,
                b'\\' => {
                    at += match self.byte(at + 1) {
                        b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        _ => self.long_escape(at, &mut copy)?,
                    };
                    if self.byte(at) == b'\\' {
                        continue;
                    }
                }
                _ => return Err(self.fault(at, JsonRule::ControlCharacter)),
            }
            at = string::plain_until(self.text, at);
        }
        let after = span(at + 1);
        let Some(aux_start) = copy.aux_start else {
            return Ok(Token { start: span(start), end: after, after, facts: ESCAPED });
        };
        self.into.found.aux.extend_from_slice(&self.text[copy.done..=at]);
        Ok(Token { start: span(aux_start), end: span(self.into.found.aux.len()), after, facts: ESCAPED | AUX })
    }

    /// Read an escape that may have to be written otherwise; its length.
    fn long_escape(&mut self, at: usize, copy: &mut Copy) -> Result<usize, Fault> {
        let (value, length) = self.escape(at)?;
        if !is_canonical_escape(value, &self.text[at..at + length]) {
            let aux = &mut self.into.found.aux;
            copy.aux_start.get_or_insert(aux.len());
            if copy.done < at {
                aux.extend_from_slice(&self.text[copy.done..at]);
            }
            write_canonical_char(value, aux);
            copy.done = at + length;
        }
        Ok(length)
    }

    /// The escape at the cursor: its character and its length.
    fn escape(&self, at: usize) -> Result<(char, usize), Fault> {
        string::escape_at(self.text, at).ok_or_else(|| {
            let rule = match string::code_unit(self.text, at) {
                Some(_) => JsonRule::LoneSurrogate,
                None => JsonRule::InvalidEscape,
            };
            Fault::new(at, rule)
        })
    }
}

/// Whether RFC 8785 section 3.2.2.2 writes `value` with this very escape.
fn is_canonical_escape(value: char, escape: &[u8]) -> bool {
    match value {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => escape.len() == 2,
        '\0'..='\u{1f}' => !escape.iter().any(u8::is_ascii_uppercase),
        _ => false,
    }
}

fn write_canonical_char(value: char, out: &mut Vec<u8>) {
    match value {
        '"' | '\\' | '\0'..='\u{1f}' => string::write_escape(value as u8, out),
        _ => string::push_char(value, out),
    }
}
