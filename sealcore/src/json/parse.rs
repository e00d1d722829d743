//! One strict pass over the bytes, to a [`Tape`]. What is refused and why: `docs/canonical-json.md`.

use super::{
    number::{self, Number, Shape},
    string,
    tape::{Entry, Kind, Source, Tape, View, flag},
};
use crate::error::{Error, JsonRule};

/// Containers within containers, as RFC 8259 section 9 lets an implementation choose.
pub const DEFAULT_MAX_DEPTH: u32 = 128;
/// No caller may ask for more: every walk over a document is recursive, and this bounds its stack.
pub const HIGHEST_MAX_DEPTH: u32 = 512;
/// 64 MiB.
pub const DEFAULT_MAX_BYTES: usize = 64 << 20;
/// Spans are 32 bits wide, and a canonical number may be six times as long as its token.
pub const HIGHEST_MAX_BYTES: usize = 512 << 20;

/// How large and how deep a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of input; at most [`HIGHEST_MAX_BYTES`].
    pub max_bytes: usize,
    /// Nesting of containers: `[]` is 1 deep; at most [`HIGHEST_MAX_DEPTH`].
    pub max_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: DEFAULT_MAX_BYTES, max_depth: DEFAULT_MAX_DEPTH }
    }
}

impl Limits {
    fn bounded(self) -> Self {
        Self { max_bytes: self.max_bytes.min(HIGHEST_MAX_BYTES), max_depth: self.max_depth.min(HIGHEST_MAX_DEPTH) }
    }
}

/// Parse a whole text.
pub(crate) fn parse(source: Source, limits: Limits) -> Result<Tape, Error> {
    let mut parsed = Parsed::default();
    parsed.read((*source).as_ref(), limits)?;
    Ok(Tape { source, entries: parsed.entries, aux: parsed.aux })
}

/// What parsing fills; kept by callers that parse many texts, so that memory is asked for once.
#[derive(Default)]
pub(crate) struct Parsed {
    pub(crate) entries: Vec<Entry>,
    pub(crate) aux: Vec<u8>,
    names: Vec<Name>,
    unescaped: Vec<u8>,
}

impl Parsed {
    /// What was read; `text` is what it was read from.
    pub(crate) fn view<'a>(&'a self, text: &'a [u8]) -> View<'a> {
        View { text, entries: &self.entries, aux: &self.aux }
    }

    /// Replace the content by that of `bytes`.
    pub(crate) fn read(&mut self, bytes: &[u8], limits: Limits) -> Result<(), Error> {
        let limits = limits.bounded();
        if bytes.len() > limits.max_bytes {
            return Err(Error::json(limits.max_bytes, JsonRule::TooLarge));
        }
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(Error::json(0, JsonRule::ByteOrderMark));
        }
        if simdutf8::basic::from_utf8(bytes).is_err() {
            return Err(first_fault(bytes, limits));
        }
        self.read_text(bytes, limits)
    }

    fn read_text(&mut self, text: &[u8], limits: Limits) -> Result<(), Error> {
        self.entries.clear();
        self.aux.clear();
        self.names.clear();
        self.unescaped.clear();
        let mut parser = Parser { text, at: 0, max_depth: limits.max_depth, into: self };
        parser.document()
    }
}

/// The first fault of a text that is not UTF-8: a fault of syntax may come before the bad bytes.
fn first_fault(bytes: &[u8], limits: Limits) -> Error {
    let valid = std::str::from_utf8(bytes).err().map_or(bytes.len(), |error| error.valid_up_to());
    match Parsed::default().read_text(&bytes[..valid], limits) {
        Err(Error::Json { offset, rule }) if offset < valid => Error::json(offset, rule),
        _ => Error::json(valid, JsonRule::InvalidUtf8),
    }
}

/// A member's name while its object is being read: enough to put names in order without reading them again.
#[derive(Clone, Copy)]
struct Name {
    /// The next eight bytes that the order depends on.
    chunk: u64,
    /// Unescaped name: a span of the text, or of `Parsed::unescaped`.
    start: u32,
    length: u32,
    escaped: bool,
    /// Where the name's opening quote stands in the text.
    at: u32,
    /// The member's entry.
    entry: u32,
}

impl Name {
    /// How many bytes of the name there are from `from` on, where all above eight are alike.
    fn rest(&self, from: u32) -> u32 {
        self.length.saturating_sub(from).min(9)
    }
}

/// A string token or name as found in the text.
struct Token {
    start: u32,
    end: u32,
    escaped: bool,
    /// The token's canonical form is in `aux`, and the span lies there.
    aux: bool,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    max_depth: u32,
    into: &'a mut Parsed,
}

/// Offsets fit: `HIGHEST_MAX_BYTES` is far below 2^32, and `aux` grows by at most 25 bytes for each number token.
#[allow(clippy::cast_possible_truncation)]
fn span(at: usize) -> u32 {
    at as u32
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Error> {
        self.skip_white_space();
        self.value(None, 0)?;
        self.skip_white_space();
        if self.at < self.text.len() {
            return Err(Error::json(self.at, JsonRule::TrailingBytes));
        }
        Ok(())
    }

    /// The byte at the cursor; 0 past the end, which no rule allows outside a string.
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Whether there was any.
    #[inline]
    fn skip_white_space(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.at != from
    }

    #[cold]
    fn fault(&self, rule: JsonRule) -> Error {
        let rule = if self.at >= self.text.len() { JsonRule::UnexpectedEnd } else { rule };
        Error::json(self.at, rule)
    }

    /// Read the value at the cursor; whether its span is canonical.
    fn value(&mut self, name: Option<&Token>, depth: u32) -> Result<bool, Error> {
        match self.peek() {
            b'"' => self.string(name),
            b'{' => self.object(name, depth),
            b'[' => self.array(name, depth),
            b'-' | b'0'..=b'9' => self.number(name),
            b't' => self.literal(name, b"true", Kind::True),
            b'f' => self.literal(name, b"false", Kind::False),
            b'n' => self.literal(name, b"null", Kind::Null),
            b'N' | b'I' => Err(self.not_finite_or(JsonRule::ExpectedValue)),
            _ => Err(self.fault(JsonRule::ExpectedValue)),
        }
    }

    #[cold]
    fn not_finite_or(&self, rule: JsonRule) -> Error {
        let rest = &self.text[self.at..];
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        let rule = if rest.starts_with(b"NaN") || rest.starts_with(b"Infinity") { JsonRule::NotFinite } else { rule };
        self.fault(rule)
    }

    /// Add an entry whose end and flags are known.
    fn push(&mut self, name: Option<&Token>, start: usize, kind: Kind, flags: u8) -> u32 {
        let index = span(self.into.entries.len());
        let mut entry = Entry {
            name_start: 0,
            name_end: 0,
            start: span(start),
            end: span(self.at),
            next: index + 1,
            after: 0,
            extra: 0,
            kind,
            flags,
            aux_length: 0,
        };
        if let Some(name) = name {
            entry.name_start = name.start;
            entry.name_end = name.end;
            entry.flags |= u8::from(name.escaped) * flag::NAME_ESCAPED | u8::from(name.aux) * flag::NAME_AUX;
        }
        self.into.entries.push(entry);
        index
    }

    fn literal(&mut self, name: Option<&Token>, word: &[u8], kind: Kind) -> Result<bool, Error> {
        let start = self.at;
        for &byte in word {
            if self.peek() != byte {
                return Err(self.fault(JsonRule::ExpectedValue));
            }
            self.at += 1;
        }
        self.push(name, start, kind, flag::CANONICAL);
        Ok(true)
    }

    fn number(&mut self, name: Option<&Token>) -> Result<bool, Error> {
        let start = self.at;
        let shape = self.number_token()?;
        let token = &self.text[start..self.at];
        let integer = u8::from(shape.fraction == 0 && !shape.exponent) * flag::INTEGER;
        let read = number::read(token, shape).map_err(|rule| Error::json(start, rule))?;
        match read {
            Number::Canonical => {
                self.push(name, start, Kind::Number, integer | flag::CANONICAL);
                Ok(true)
            }
            Number::Other(value) => {
                let aux_start = self.into.aux.len();
                number::write(value, &mut self.into.aux);
                let index = self.push(name, start, Kind::Number, integer | flag::AUX);
                let length = self.into.aux.len() - aux_start;
                let entry = &mut self.into.entries[index as usize];
                entry.extra = span(aux_start);
                entry.aux_length = u8::try_from(length).unwrap_or(0);
                Ok(false)
            }
        }
    }

    /// RFC 8259 section 6.
    fn number_token(&mut self) -> Result<Shape, Error> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        let first = self.peek();
        let whole = self.digits();
        if whole == 0 {
            self.at -= usize::from(first == b'I' || first == b'N');
            return Err(self.not_finite_or(JsonRule::InvalidNumber));
        }
        if first == b'0' && whole > 1 {
            return Err(Error::json(self.at - whole, JsonRule::LeadingZero));
        }
        let mut shape = Shape { whole, fraction: 0, exponent: false };
        if self.peek() == b'.' {
            self.at += 1;
            shape.fraction = self.digits();
            if shape.fraction == 0 {
                return Err(self.fault(JsonRule::InvalidNumber));
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            shape.exponent = true;
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.fault(JsonRule::InvalidNumber));
            }
        }
        Ok(shape)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - from
    }

    fn string(&mut self, name: Option<&Token>) -> Result<bool, Error> {
        let token = self.string_token()?;
        let flags = if token.aux { flag::AUX } else { flag::CANONICAL } | u8::from(token.escaped) * flag::ESCAPED;
        let index = self.push(name, 0, Kind::String, flags);
        let entry = &mut self.into.entries[index as usize];
        entry.start = token.start;
        entry.end = token.end;
        Ok(!token.aux)
    }

    /// Read the string at the cursor, quotes included.
    #[inline]
    fn string_token(&mut self) -> Result<Token, Error> {
        let start = self.at;
        self.at = string::plain_until(self.text, start + 1);
        if self.peek() == b'"' {
            self.at += 1;
            return Ok(Token { start: span(start), end: span(self.at), escaped: false, aux: false });
        }
        self.escaped_string_token(start)
    }

    /// The rest of a string that has escapes. The text is copied only from the first escape on that is not canonical.
    fn escaped_string_token(&mut self, start: usize) -> Result<Token, Error> {
        let mut done = start;
        let mut aux_start = None;
        loop {
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    let (value, length) = self.escape()?;
                    if !is_canonical_escape(value, &self.text[self.at..self.at + length]) {
                        let aux = &mut self.into.aux;
                        aux_start.get_or_insert(aux.len());
                        aux.extend_from_slice(&self.text[done..self.at]);
                        write_canonical_char(value, aux);
                        done = self.at + length;
                    }
                    self.at += length;
                }
                _ => return Err(self.fault(JsonRule::ControlCharacter)),
            }
            self.at = string::plain_until(self.text, self.at);
        }
        self.at += 1;
        let Some(aux_start) = aux_start else {
            return Ok(Token { start: span(start), end: span(self.at), escaped: true, aux: false });
        };
        self.into.aux.extend_from_slice(&self.text[done..self.at]);
        Ok(Token { start: span(aux_start), end: span(self.into.aux.len()), escaped: true, aux: true })
    }

    /// The escape at the cursor: its character and its length.
    fn escape(&self) -> Result<(char, usize), Error> {
        string::escape_at(self.text, self.at).ok_or_else(|| {
            let rule = match string::code_unit(self.text, self.at) {
                Some(_) => JsonRule::LoneSurrogate,
                None => JsonRule::InvalidEscape,
            };
            Error::json(self.at, rule)
        })
    }

    fn enter(&mut self, depth: u32) -> Result<u32, Error> {
        if depth >= self.max_depth {
            return Err(self.fault(JsonRule::TooDeep));
        }
        self.at += 1;
        Ok(depth + 1)
    }

    fn array(&mut self, name: Option<&Token>, depth: u32) -> Result<bool, Error> {
        let start = self.at;
        let depth = self.enter(depth)?;
        let index = self.push(name, start, Kind::Array, 0);
        let mut canonical = !self.skip_white_space();
        if self.peek() == b']' {
            self.at += 1;
            return Ok(self.close(index, canonical, flag::CANONICAL));
        }
        loop {
            canonical &= self.value(None, depth)?;
            canonical &= !self.skip_white_space();
            match self.peek() {
                b',' => self.at += 1,
                b']' => break,
                _ => return Err(self.fault(JsonRule::ExpectedCommaOrBracket)),
            }
            canonical &= !self.skip_white_space();
        }
        self.at += 1;
        Ok(self.close(index, canonical, flag::CANONICAL))
    }

    /// Finish a container's entry; `flags` are set if it is canonical.
    fn close(&mut self, index: u32, canonical: bool, flags: u8) -> bool {
        let next = span(self.into.entries.len());
        let entry = &mut self.into.entries[index as usize];
        entry.end = span(self.at);
        entry.next = next;
        if canonical {
            entry.flags |= flags;
        }
        canonical
    }

    fn object(&mut self, name: Option<&Token>, depth: u32) -> Result<bool, Error> {
        let start = self.at;
        let depth = self.enter(depth)?;
        let index = self.push(name, start, Kind::Object, 0);
        let first_name = self.into.names.len();
        let mut canonical = !self.skip_white_space();
        let mut sorted = true;
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(self.close(index, canonical, flag::CANONICAL | flag::SORTED));
        }
        loop {
            let (member_canonical, ascending) = self.member(first_name, depth)?;
            sorted &= ascending;
            canonical &= member_canonical;
            canonical &= !self.skip_white_space();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return Err(self.fault(JsonRule::ExpectedCommaOrBrace)),
            }
            canonical &= !self.skip_white_space();
        }
        self.at += 1;
        if sorted {
            self.into.entries[index as usize].flags |= flag::SORTED;
        } else {
            self.sort_members(index, first_name)?;
        }
        self.into.names.truncate(first_name);
        Ok(self.close(index, canonical && sorted, flag::CANONICAL))
    }

    /// Read one member: whether its span is canonical, and whether its name comes after the one before.
    fn member(&mut self, first_name: usize, depth: u32) -> Result<(bool, bool), Error> {
        if self.peek() != b'"' {
            return Err(self.fault(JsonRule::ExpectedName));
        }
        let at = self.at;
        let token = self.string_token()?;
        let ascending = self.note_name(first_name, at, &token);
        let mut tight = !self.skip_white_space();
        if self.peek() != b':' {
            return Err(self.fault(JsonRule::ExpectedColon));
        }
        self.at += 1;
        tight &= !self.skip_white_space();
        let index = self.into.entries.len();
        let canonical = self.value(Some(&token), depth)? && tight && !token.aux;
        if canonical {
            self.into.entries[index].flags |= flag::MEMBER;
        }
        Ok((canonical, ascending))
    }

    /// Remember the name for its object; whether it comes after the name before it.
    fn note_name(&mut self, first_name: usize, at: usize, token: &Token) -> bool {
        let (start, length) = if token.escaped {
            let from = self.into.unescaped.len();
            let buffer = if token.aux { &self.into.aux[..] } else { self.text };
            let text = string::inside(&buffer[token.start as usize..token.end as usize]);
            string::unescape_into(text, &mut self.into.unescaped);
            (span(from), span(self.into.unescaped.len() - from))
        } else {
            (token.start + 1, token.end - token.start - 2)
        };
        let entry = span(self.into.entries.len());
        let mut name = Name { chunk: 0, start, length, escaped: token.escaped, at: span(at), entry };
        let bytes = self.name_bytes(&name);
        name.chunk = string::rank_chunk(bytes, 0);
        let ascending = match self.into.names[first_name..].last() {
            None => true,
            Some(before) if before.chunk != name.chunk => before.chunk < name.chunk,
            Some(before) => string::compare(self.name_bytes(before), bytes).is_lt(),
        };
        self.into.names.push(name);
        ascending
    }

    fn name_bytes(&self, name: &Name) -> &[u8] {
        let buffer = if name.escaped { &self.into.unescaped[..] } else { self.text };
        &buffer[name.start as usize..(name.start + name.length) as usize]
    }

    /// Link the object's members in canonical order; refuse a name that is there twice.
    fn sort_members(&mut self, object: u32, first_name: usize) -> Result<(), Error> {
        let mut names = std::mem::take(&mut self.into.names);
        if let Some(at) = self.sort_names(&mut names[first_name..]) {
            return Err(Error::json(at as usize, JsonRule::DuplicateName));
        }
        let mut after = 0;
        for name in names[first_name..].iter().rev() {
            self.into.entries[name.entry as usize].after = after;
            after = name.entry;
        }
        self.into.entries[object as usize].extra = after;
        self.into.names = names;
        Ok(())
    }

    /// Sort names, eight bytes at a time: a million names with a long common prefix cost one look at each chunk.
    /// Returns the place of the first duplicate, if any.
    fn sort_names(&self, names: &mut [Name]) -> Option<u32> {
        let mut first_duplicate: Option<u32> = None;
        let mut todo = vec![(0, names.len(), 0)];
        while let Some((start, end, from)) = todo.pop() {
            let names = &mut names[start..end];
            names.sort_unstable_by_key(|name| (name.chunk, name.rest(from), name.entry));
            let mut at = start;
            for group in names.chunk_by_mut(|a, b| a.chunk == b.chunk && a.rest(from) == b.rest(from)) {
                let group_start = at;
                at += group.len();
                if group.len() == 1 {
                    continue;
                }
                if group[0].rest(from) <= 8 {
                    first_duplicate = Some(first_duplicate.map_or(group[1].at, |first| first.min(group[1].at)));
                    continue;
                }
                for name in &mut *group {
                    name.chunk = string::rank_chunk(self.name_bytes(name), from as usize + 8);
                }
                todo.push((group_start, at, from + 8));
            }
        }
        first_duplicate
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
