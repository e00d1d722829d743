//! The Python face: the module `eseal.sealcore`. Translation only; no rule lives here.

#![allow(clippy::needless_pass_by_value)] // PyO3 extracts arguments as values

mod buffer;
mod convert;
mod digests;
mod document;
mod errors;
mod items;
mod jws;
mod schema;
mod signatures;
mod template;
mod token;

use pyo3::prelude::*;

/// The module's table of contents; `server/eseal/sealcore.pyi` is its contract.
#[pymodule]
mod sealcore {
    #[pymodule_export]
    use super::digests::{digest, digest_many};
    #[pymodule_export]
    use super::document::{PyDocument, canonical_many, canonicalize, nodes_agree_many};
    #[pymodule_export]
    use super::errors::{InvalidJson, InvalidJws};
    #[pymodule_export]
    use super::jws::{
        PyJws, PyJwsSignature, assemble_compact, assemble_flattened, assemble_general, assemble_general_many,
        base64url_decode, base64url_encode, parse_jws, signing_digests, signing_inputs,
    };
    #[pymodule_export]
    use super::schema::{PySchema, PySchemaFault};
    #[pymodule_export]
    use super::signatures::{PyPublicKey, ecdsa_from_der, ecdsa_to_der, verify_many};
    #[pymodule_export]
    use super::template::PyTemplate;
    #[pymodule_export]
    use super::token::{LaneFull, PyInterrupted, PyLanes, PySeat, PyTokenKey, PyTokenSession, PyTokenSigner, PyTurn};
}
