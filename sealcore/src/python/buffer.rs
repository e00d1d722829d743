//! Buffers from Python. What cannot change is read where it stands; what can change is copied once, because the GIL is
//! released while it is read.

use std::ops::Range;

use pyo3::{
    Borrowed,
    buffer::PyBuffer,
    exceptions::{PyBufferError, PyTypeError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyList, PyMemoryView},
};

/// Bytes that stay as they are for as long as this lives.
pub(crate) enum Bytes {
    Shared(PyBackedBytes, Range<usize>),
    Copied(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Shared(bytes, range) => &bytes[range.clone()],
            Self::Copied(bytes) => bytes,
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Bytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::shared(&bytes, 0..bytes.as_bytes().len()));
        }
        let buffer = PyBuffer::<u8>::get(&object).map_err(|error| {
            if error.is_instance_of::<PyBufferError>(object.py()) {
                PyTypeError::new_err("a contiguous buffer of bytes is expected")
            } else {
                error
            }
        })?;
        if let Some(shared) = view_of_bytes(&object, &buffer) {
            return Ok(shared);
        }
        Ok(Self::Copied(buffer.to_vec(object.py())?))
    }
}

impl Bytes {
    fn shared(bytes: &Bound<'_, PyBytes>, range: Range<usize>) -> Self {
        Self::Shared(PyBackedBytes::from(bytes.clone()), range)
    }
}

/// The part of a bytes object that a memoryview shows, if that is what it is.
fn view_of_bytes(object: &Bound<'_, PyAny>, buffer: &PyBuffer<u8>) -> Option<Bytes> {
    if !buffer.readonly() || !buffer.is_c_contiguous() || !object.is_instance_of::<PyMemoryView>() {
        return None;
    }
    let owner = object.getattr("obj").ok()?;
    let owner = owner.cast::<PyBytes>().ok()?;
    let start = (buffer.buf_ptr() as usize).checked_sub(owner.as_bytes().as_ptr() as usize)?;
    let range = start..start.checked_add(buffer.len_bytes())?;
    owner.as_bytes().get(range.clone())?;
    Some(Bytes::shared(owner, range))
}

/// A list of bytes objects.
pub(crate) fn list<'py>(py: Python<'py>, items: &[impl AsRef<[u8]>]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, items.iter().map(|item| PyBytes::new(py, item.as_ref())))
}
