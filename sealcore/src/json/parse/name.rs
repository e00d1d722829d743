//! The names of members, and whether they ascend.

use super::{
    Fault, Parsed, span,
    string::Token,
    structure::{Container, Parser},
};
use crate::{error::JsonRule, json::string};

impl Parser<'_> {
    /// Read a member's name and colon; its value comes next.
    #[inline]
    pub(super) fn name(&mut self, at: usize, object: &mut Container) -> Result<(Token, usize), Fault> {
        if self.byte(at) != b'"' {
            return Err(self.fault(at, JsonRule::ExpectedName));
        }
        let token = self.string_token(at)?;
        self.note_order(at, token, object);
        object.tight = !token.aux();
        let colon = self.tight_after_white_space(token.after as usize, &mut object.tight);
        if self.byte(colon) != b':' {
            return Err(self.fault(colon, JsonRule::ExpectedColon));
        }
        Ok((token, self.tight_after_white_space(colon + 1, &mut object.tight)))
    }

    /// Whether the name comes after the one before it: no branch on that, as it is anyone's guess.
    #[inline]
    fn note_order(&mut self, at: usize, token: Token, object: &mut Container) {
        let length = token.end - token.start - 2;
        let chunk = if token.escaped() {
            self.escaped_chunk(at, token)
        } else {
            string::first_rank_chunk(self.text, at + 1, length)
        };
        let mut ascends = chunk > object.last_chunk;
        if chunk == object.last_chunk {
            ascends = object.last == 0 || self.comes_after(token, object.last);
        }
        object.sorted &= ascends;
        object.last_chunk = chunk;
        object.last = span(self.into.found.entries.len());
    }

    #[cold]
    fn escaped_chunk(&mut self, at: usize, token: Token) -> u64 {
        let Parsed { found, orderer, .. } = &mut *self.into;
        if token.aux() {
            orderer.note_place(span(found.entries.len()), span(at));
        }
        let buffer = if token.aux() { &found.aux[..] } else { self.text };
        string::escaped_rank_chunk(string::inside(&buffer[token.start as usize..token.end as usize]))
    }

    /// Whether a name comes after that of an entry, where their first eight bytes are alike.
    #[cold]
    fn comes_after(&self, token: Token, before: u32) -> bool {
        let view = self.into.view(self.text);
        let buffer = if token.aux() { &view.found.aux[..] } else { view.text };
        let name = string::inside(&buffer[token.start as usize..token.end as usize]);
        let name = string::unescape(name, token.escaped());
        string::compare(view.name(view.entry(before)).as_bytes(), name.as_bytes()).is_lt()
    }
}
