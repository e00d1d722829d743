//! One strict pass over the bytes, to a tape. What is refused and why: `docs/canonical-json.md`.

mod name;
mod scalar;
mod string;
mod structure;

use self::structure::{Container, Parser};
use super::{
    order::Orderer,
    tape::{Found, Source, Tape, View},
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

/// Offsets fit: `HIGHEST_MAX_BYTES` is far below 2^32, and `aux` grows by at most 25 bytes for each number token.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn span(at: usize) -> u32 {
    at as u32
}
