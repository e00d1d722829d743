//! Sequences from Python.

use std::ops::Deref;

use pyo3::{
    Borrowed,
    exceptions::PyTypeError,
    prelude::*,
    types::{PySequence, PyString},
};

/// The items of a sequence. They are taken one by one: how many a sequence says it has is no reason to ask for memory.
pub(crate) struct Items<T>(Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'py, T> FromPyObject<'_, 'py> for Items<T>
where
    T: FromPyObjectOwned<'py>,
{
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a str is not a sequence of items"));
        }
        let items = object.cast::<PySequence>()?.try_iter()?;
        Ok(Self(items.map(|item| item?.extract().map_err(Into::into)).collect::<PyResult<_>>()?))
    }
}
