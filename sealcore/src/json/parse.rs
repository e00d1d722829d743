//! One strict pass over the bytes, to a tape. What is refused and why: `docs/canonical-json.md`.

use super::{
    number::{self, Number, Shape},
    order::Orderer,
    string,
    tape::{Entry, Found, Kind, Source, Tape, View, flag},
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
    let found = super::with_parsed((*source).as_ref(), limits, |parsed| parsed.found.clone())?;
    Ok(Tape { source, found })
}

/// What parsing fills; kept by callers that parse many texts, so that memory is asked for once.
#[derive(Default)]
pub(crate) struct Parsed {
    found: Found,
    /// The containers around the one being read.
    around: Vec<Container>,
    orderer: Orderer,
}

impl Parsed {
    /// Give memory back that only a large text needs.
    pub(super) fn forget_if_large(&mut self) {
        const ENTRIES: usize = 1 << 14;
        const BYTES: usize = 1 << 18;
        if self.found.entries.capacity() > ENTRIES || self.found.aux.capacity() > BYTES || self.orderer.is_large() {
            *self = Self::default();
        }
    }

    /// What was read; `text` is what it was read from.
    pub(crate) fn view<'a>(&'a self, text: &'a [u8]) -> View<'a> {
        View { text, found: &self.found }
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
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => self.read_text(text, limits),
            Err(_) => Err(first_fault(bytes, limits)),
        }
    }

    fn read_text(&mut self, text: &str, limits: Limits) -> Result<(), Error> {
        self.found.entries.clear();
        self.found.aux.clear();
        self.around.clear();
        self.found.height = 0;
        self.orderer.clear();
        let mut parser =
            Parser { text: text.as_bytes(), characters: text, max_depth: limits.max_depth as usize, into: self };
        parser.document().map_err(|fault| Error::json(fault.at as usize, fault.rule))
    }
}

/// The first fault of a text that is not UTF-8: a fault of syntax may come before the bad bytes.
fn first_fault(bytes: &[u8], limits: Limits) -> Error {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    match Parsed::default().read_text(valid, limits) {
        Err(Error::Json { offset, rule }) if offset < valid.len() => Error::json(offset, rule),
        _ => Error::json(valid.len(), JsonRule::InvalidUtf8),
    }
}

/// [`Error::Json`], small enough to be handed up in a register.
pub(super) struct Fault {
    at: u32,
    rule: JsonRule,
}

impl Fault {
    #[cold]
    pub(super) fn new(at: usize, rule: JsonRule) -> Self {
        Self { at: span(at), rule }
    }
}

/// A string token or name as found in the text. All fields are alike, so that it lives in registers.
#[derive(Clone, Copy, Default)]
struct Token {
    start: u32,
    end: u32,
    /// What comes after it in the text.
    after: u32,
    /// [`ESCAPED`] and [`AUX`].
    facts: u32,
}

const ESCAPED: u32 = flag::ESCAPED as u32;
/// The token's canonical form is in `aux`, and the span lies there.
const AUX: u32 = flag::AUX as u32;
/// From a string's flags to those of a name.
const NAME_SHIFT: u32 = flag::NAME_ESCAPED.trailing_zeros() - flag::ESCAPED.trailing_zeros();

impl Token {
    fn escaped(self) -> bool {
        self.facts & ESCAPED != 0
    }

    fn aux(self) -> bool {
        self.facts & AUX != 0
    }
}

/// A container under way, and what is known of it so far.
struct Container {
    /// Its entry.
    index: u32,
    /// Its closing mark; 0 around the root.
    closing: u8,
    /// Neither white space nor anything else but the canonical text.
    canonical: bool,
    /// The members' names ascend.
    sorted: bool,
    /// The same as `canonical` for the current member, from its name to its colon.
    tight: bool,
    /// The last name's first eight bytes, as they are compared, and its entry; 0 before there is one.
    last_chunk: u64,
    last: u32,
}

impl Container {
    fn new(index: u32, closing: u8) -> Self {
        Self { index, closing, canonical: true, sorted: true, tight: true, last_chunk: 0, last: 0 }
    }
}

/// One loop and no recursion: the cursor `at` is handed on by value, so that it stays in a register.
struct Parser<'a> {
    text: &'a [u8],
    /// The same.
    characters: &'a str,
    max_depth: usize,
    into: &'a mut Parsed,
}

/// Offsets fit: `HIGHEST_MAX_BYTES` is far below 2^32, and `aux` grows by at most 25 bytes for each number token.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn span(at: usize) -> u32 {
    at as u32
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Fault> {
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
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn after_white_space(&self, at: usize) -> usize {
        if self.byte(at) > b' ' { at } else { self.after_any_white_space(at) }
    }

    /// The same, and note in `tight` if there was any.
    #[inline]
    fn tight_after_white_space(&self, at: usize, tight: &mut bool) -> usize {
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
    fn fault(&self, at: usize, rule: JsonRule) -> Fault {
        Fault::new(at, if at >= self.text.len() { JsonRule::UnexpectedEnd } else { rule })
    }

    /// Add an entry whose end and flags are known.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a name's facts are two bits
    fn push(&mut self, name: Token, start: u32, end: u32, kind: Kind, flags: u8) -> u32 {
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

    /// Read a value that is no container; what comes after it.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // a token's facts are flags
    fn scalar(&mut self, at: usize, first: u8, name: Token, container: &mut Container) -> Result<usize, Fault> {
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
        let integer = u8::from(shape.fraction == 0 && !shape.exponent) * flag::INTEGER;
        match number::read(self.characters.get(start..end).unwrap_or_default(), shape)
            .map_err(|rule| Fault::new(start, rule))?
        {
            Number::Canonical => {
                self.push(name, span(start), span(end), Kind::Number, integer | item_flags(container, true));
            }
            Number::Other(canonical) => {
                let aux_start = self.into.found.aux.len();
                self.into.found.aux.extend_from_slice(canonical.as_bytes());
                let flags = integer | flag::AUX | item_flags(container, false);
                let index = self.push(name, span(start), span(end), Kind::Number, flags);
                let entry = &mut self.into.found.entries[index as usize];
                entry.extra = span(aux_start);
                entry.aux_length = u8::try_from(canonical.as_bytes().len()).unwrap_or(0);
            }
        }
        Ok(end)
    }

    /// RFC 8259 section 6.
    fn number_token(&self, start: usize) -> Result<(Shape, usize), Fault> {
        let first = start + usize::from(self.byte(start) == b'-');
        let mut at = self.after_digits(first);
        let mut shape = Shape { whole: at - first, fraction: 0, exponent: false };
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
            shape.exponent = true;
            let digits = at + 1 + usize::from(matches!(self.byte(at + 1), b'+' | b'-'));
            at = self.after_digits(digits);
            if at == digits {
                return Err(self.fault(at, JsonRule::InvalidNumber));
            }
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

    /// Read the string at the cursor, quotes included.
    #[inline]
    fn string_token(&mut self, at: usize) -> Result<Token, Fault> {
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
        let mut done = start;
        let mut aux_start = None;
        loop {
            match self.byte(at) {
                b'"' => break,
                b'\\' => {
                    let (value, length) = self.escape(at)?;
                    if !is_canonical_escape(value, &self.text[at..at + length]) {
                        let aux = &mut self.into.found.aux;
                        aux_start.get_or_insert(aux.len());
                        if done < at {
                            aux.extend_from_slice(&self.text[done..at]);
                        }
                        write_canonical_char(value, aux);
                        done = at + length;
                    }
                    at += length;
                    if self.byte(at) == b'\\' {
                        continue;
                    }
                }
                _ => return Err(self.fault(at, JsonRule::ControlCharacter)),
            }
            at = string::plain_until(self.text, at);
        }
        let after = span(at + 1);
        let Some(aux_start) = aux_start else {
            return Ok(Token { start: span(start), end: after, after, facts: ESCAPED });
        };
        self.into.found.aux.extend_from_slice(&self.text[done..=at]);
        Ok(Token { start: span(aux_start), end: span(self.into.found.aux.len()), after, facts: ESCAPED | AUX })
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

    /// Read a member's name and colon; its value comes next.
    #[inline]
    fn name(&mut self, at: usize, object: &mut Container) -> Result<(Token, usize), Fault> {
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
        let name = string::unescape(string::inside(&buffer[token.start as usize..token.end as usize]), true);
        string::rank_chunk(name.as_bytes(), 0)
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

fn expected_after_item(container: &Container) -> JsonRule {
    if container.closing == b'}' { JsonRule::ExpectedCommaOrBrace } else { JsonRule::ExpectedCommaOrBracket }
}

/// The flags that an item of `container` owes to being canonical or not; the container takes note of it.
#[inline]
fn item_flags(container: &mut Container, canonical: bool) -> u8 {
    let member = canonical && container.tight;
    container.canonical &= member;
    u8::from(canonical) * flag::CANONICAL | u8::from(member && container.closing == b'}') * flag::MEMBER
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
