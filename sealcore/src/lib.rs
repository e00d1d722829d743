//! The core of an e-seal: strict JSON and its RFC 8785 form, digests, JWS bytes and signatures, JSON Schema.
//!
//! - [`json`]: parse once, look up, edit, canonicalise
//! - [`digest`], [`signature`]: SHA-2, and verifying with EC and RSA keys
//! - [`jws`], [`base64url`]: signing inputs, the three serialisations written and read
//! - [`schema`], [`template`]: validation and canonical bytes with holes, over the same parse
//! - [`linked`]: whether the nodes of a JSON-LD document agree with each other
//! - `python`: the module `eseal.sealcore`, behind the feature `python`

pub mod base64url;
mod batch;
pub mod digest;
pub mod error;
pub mod json;
pub mod jws;
pub mod linked;
#[cfg(feature = "python")]
mod python;
pub mod schema;
pub mod signature;
pub mod template;

pub use error::{Error, JsonRule};
pub use json::{canonicalize, document::Document, parse::Limits};
