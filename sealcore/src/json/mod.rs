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
    with_parsed(text, limits, |parsed| {
        let mut out = Vec::with_capacity(text.len());
        canonical::write(parsed.view(text), 0, &mut out);
        out
    })
}
