//! Values within values: the one loop over a text.

use super::{
    Fault, Parsed, span,
    string::{NAME_SHIFT, Token},
};
use crate::{
    error::JsonRule,
    json::{
        string,
        tape::{Entry, Kind, flag},
    },
};

/// A container under way, and what is known of it so far.
pub(super) struct Container {
    /// Its entry.
    pub(super) index: u32,
    /// Its closing mark; 0 around the root.
    pub(super) closing: u8,
    /// Neither white space nor anything else but the canonical text.
    pub(super) canonical: bool,
    /// The members' names ascend.
    pub(super) sorted: bool,
    /// The same as `canonical` for the current member, from its name to its colon.
    pub(super) tight: bool,
    /// The last name's first eight bytes, as they are compared, and its entry; 0 before there is one.
    pub(super) last_chunk: u64,
    pub(super) last: u32,
}

impl Container {
    fn new(index: u32, closing: u8) -> Self {
        Self { index, closing, canonical: true, sorted: true, tight: true, last_chunk: 0, last: 0 }
    }
}

/// One loop and no recursion: the cursor `at` is handed on by value, so that it stays in a register.
pub(super) struct Parser<'a> {
    pub(super) text: &'a [u8],
    /// The same.
    pub(super) characters: &'a str,
    pub(super) max_depth: usize,
    pub(super) into: &'a mut Parsed,
}

impl Parser<'_> {
    pub(super) fn document(&mut self) -> Result<(), Fault> {
        let mut container = Container::new(0, 0);
        let mut name = Token::default();
        let mut at = self.after_white_space(0);
        loop {
            let opening = self.byte(at);
            let mut more = false;
            if opening == b'{' || opening == b'[' {
                let inner = self.open(at, opening, name)?;
                self.into.around.push(std::mem::replace(&mut container, inner));
                self.into.found.height = self.into.found.height.max(span(self.into.around.len()));
                at = self.tight_after_white_space(at + 1, &mut container.canonical);
                more = self.byte(at) != container.closing;
            } else {
                at = self.scalar(at, opening, name, &mut container)?;
            }
            while !more {
                at = self.tight_after_white_space(at, &mut container.canonical);
                let mark = self.byte(at);
                if container.closing == 0 {
                    return if at < self.text.len() { Err(Fault::new(at, JsonRule::TrailingBytes)) } else { Ok(()) };
                } else if mark == b',' {
                    at = self.tight_after_white_space(at + 1, &mut container.canonical);
                    more = true;
                } else if mark == container.closing {
                    at += 1;
                    self.close(&mut container, at)?;
                } else {
                    return Err(self.fault(at, expected_after_item(&container)));
                }
            }
            name = Token::default();
            if container.closing == b'}' {
                (name, at) = self.name(at, &mut container)?;
            }
        }
    }

    /// The byte at the cursor; 0 past the end, which no rule allows outside a string.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn after_white_space(&self, at: usize) -> usize {
        match self.byte(at) {
            b'!'.. => at,
            // What most printers put after a comma or a colon.
            b' ' if self.byte(at + 1) > b' ' => at + 1,
            _ => self.after_any_white_space(at),
        }
    }

    /// The same, and note in `tight` if there was any.
    #[inline]
    pub(super) fn tight_after_white_space(&self, at: usize, tight: &mut bool) -> usize {
        let after = self.after_white_space(at);
        *tight &= after == at;
        after
    }

    #[inline(never)]
    fn after_any_white_space(&self, mut at: usize) -> usize {
        while let Some(chunk) = self.text.get(at..).and_then(<[u8]>::first_chunk) {
            match string::white_space_end(*chunk) {
                Some(end) => return at + end,
                None => at += chunk.len(),
            }
        }
        while matches!(self.byte(at), b' ' | b'\n' | b'\r' | b'\t') {
            at += 1;
        }
        at
    }

    #[cold]
    pub(super) fn fault(&self, at: usize, rule: JsonRule) -> Fault {
        Fault::new(at, if at >= self.text.len() { JsonRule::UnexpectedEnd } else { rule })
    }

    /// Add an entry whose end and flags are known.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a name's facts are two bits
    pub(super) fn push(&mut self, name: Token, start: u32, end: u32, kind: Kind, flags: u8) -> u32 {
        let index = span(self.into.found.entries.len());
        self.into.found.entries.push(Entry {
            name_start: name.start,
            name_end: name.end,
            start,
            end,
            next: index + 1,
            after: 0,
            extra: 0,
            kind,
            flags: flags | (name.facts << NAME_SHIFT) as u8,
            aux_length: 0,
        });
        index
    }

    fn open(&mut self, at: usize, opening: u8, name: Token) -> Result<Container, Fault> {
        if self.into.around.len() >= self.max_depth {
            return Err(self.fault(at, JsonRule::TooDeep));
        }
        let kind = if opening == b'{' { Kind::Object } else { Kind::Array };
        // In ASCII the closing mark stands two after the opening one.
        Ok(Container::new(self.push(name, span(at), 0, kind, 0), opening + 2))
    }

    /// Finish the container that ends before `end`, and go on with the one around it.
    fn close(&mut self, container: &mut Container, end: usize) -> Result<(), Fault> {
        let Some(around) = self.into.around.pop() else { return Ok(()) };
        let closed = std::mem::replace(container, around);
        let next = span(self.into.found.entries.len());
        let entry = &mut self.into.found.entries[closed.index as usize];
        entry.end = span(end);
        entry.next = next;
        entry.flags |= u8::from(closed.closing == b'}' && closed.sorted) * flag::SORTED;
        let canonical = closed.canonical && closed.sorted;
        entry.flags |= item_flags(container, canonical);
        if !closed.sorted {
            let Parsed { found, orderer, .. } = &mut *self.into;
            orderer.link_members(self.text, found, closed.index)?;
        }
        Ok(())
    }
}

fn expected_after_item(container: &Container) -> JsonRule {
    if container.closing == b'}' { JsonRule::ExpectedCommaOrBrace } else { JsonRule::ExpectedCommaOrBracket }
}

/// The flags that an item of `container` owes to being canonical or not; the container takes note of it.
#[inline]
pub(super) fn item_flags(container: &mut Container, canonical: bool) -> u8 {
    let member = canonical && container.tight;
    container.canonical &= member;
    u8::from(canonical) * flag::CANONICAL | u8::from(member && container.closing == b'}') * flag::MEMBER
}
