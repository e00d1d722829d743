//! Digests.

use pyo3::{
    prelude::*,
    types::{PyBytes, PyList},
};

use super::{
    buffer::{self, Bytes},
    errors::guarded,
    items::Items,
};
use crate::{
    batch,
    digest::{self as core, Algorithm},
};

/// Buffers smaller than this are done sooner than the GIL is given away and taken back.
pub(crate) const WORTH_RELEASING: usize = 4096;

/// The digest of a buffer.
#[pyfunction]
pub(crate) fn digest<'py>(py: Python<'py>, algorithm: &str, data: Bytes) -> PyResult<Bound<'py, PyBytes>> {
    let algorithm = Algorithm::named(algorithm)?;
    let data = data.as_ref();
    let digest = guarded(py, data.len() >= WORTH_RELEASING, || Ok(core::digest(algorithm, data)))?;
    Ok(PyBytes::new(py, &digest))
}

/// The digest of each buffer.
#[pyfunction]
pub(crate) fn digest_many<'py>(py: Python<'py>, algorithm: &str, data: Items<Bytes>) -> PyResult<Bound<'py, PyList>> {
    let algorithm = Algorithm::named(algorithm)?;
    let digests = guarded(py, true, || {
        let weight = data.iter().map(|data| data.as_ref().len() as u64 / 2 + 200).sum();
        Ok(batch::map(data.len(), weight, None, |index| core::digest(algorithm, data[index].as_ref())))
    })?;
    buffer::list(py, &digests)
}
