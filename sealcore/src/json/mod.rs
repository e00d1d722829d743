//! Strict JSON and its canonical form: one parse to spans over the input, everything else reads those.
//!
//! [`parse`] turns bytes into a [`tape::Tape`]: one entry a value, each a span of the input with the facts the later
//! stages need (is this span already canonical, are the members in order). [`canonical`] joins the spans into RFC 8785
//! bytes. [`document`] is the immutable document over one or several tapes, with lookups and edits.

pub(crate) mod canonical;
pub mod document;
pub(crate) mod number;
mod order;
pub mod parse;
pub mod pointer;
pub(crate) mod string;
pub(crate) mod tape;
pub mod value;

use crate::error::Error;

/// JSON bytes to RFC 8785 bytes.
///
/// # Errors
/// [`Error::Json`] with the byte offset and the rule of `docs/canonical-json.md` that is broken there.
pub fn canonicalize(text: &[u8], limits: parse::Limits) -> Result<Vec<u8>, Error> {
    let mut parsed = parse::Parsed::default();
    parsed.read(text, limits)?;
    let mut out = Vec::with_capacity(text.len());
    canonical::write(parsed.view(text), 0, &mut out);
    Ok(out)
}
