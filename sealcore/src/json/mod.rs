//! Strict JSON and its canonical form: one parse to spans over the input, everything else reads those.
//!
//! [`parse`] turns bytes into a tape: one entry a value, each a span of the input with the facts the later stages
//! need (is this span already canonical, are the members in order). [`canonicalize`] joins the spans into RFC 8785 bytes.
//! [`document`] is the immutable document over one or several tapes, with lookups and edits.

pub(crate) mod canonical;
pub mod document;
pub(crate) mod number;
mod order;
pub mod parse;
pub mod pointer;
pub(crate) mod string;
pub(crate) mod tape;
pub mod value;

use std::cell::RefCell;

use crate::error::Error;

thread_local! {
    /// What the last parse on this thread left, so that memory is asked for once.
    static PARSED: RefCell<parse::Parsed> = RefCell::default();
    /// Bytes are written here where nobody knows yet how many they will be.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::default();
}

/// Write to memory that the last one to write left behind.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    const WORTH_KEEPING: usize = 1 << 20;
    let mut scratch = SCRATCH.take();
    scratch.clear();
    let result = work(&mut scratch);
    if scratch.capacity() <= WORTH_KEEPING {
        SCRATCH.set(scratch);
    }
    result
}

/// Parse `text` and use what was read.
fn with_parsed<R>(text: &[u8], limits: parse::Limits, use_it: impl FnOnce(&parse::Parsed) -> R) -> Result<R, Error> {
    PARSED.with_borrow_mut(|parsed| {
        let outcome = parsed.read(text, limits).map(|()| use_it(parsed));
        parsed.forget_if_large();
        outcome
    })
}

/// JSON bytes to RFC 8785 bytes.
///
/// # Errors
/// [`Error::Json`] with the byte offset and the rule of `docs/canonical-json.md` that is broken there.
pub fn canonicalize(text: &[u8], limits: parse::Limits) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(text.len());
    canonicalize_into(text, limits, &mut out)?;
    Ok(out)
}

/// The same, appended to `out`.
///
/// # Errors
/// Those of [`canonicalize`]; nothing is appended then.
pub fn canonicalize_into(text: &[u8], limits: parse::Limits, out: &mut Vec<u8>) -> Result<(), Error> {
    with_parsed(text, limits, |parsed| canonical::write(parsed.view(text), 0, out))
}
