//! Errors become exceptions here, and panics too: none may reach Python as what it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::{
    create_exception,
    exceptions::{PyKeyError, PyRuntimeError, PyValueError},
    prelude::*,
};

use crate::error::Error;

create_exception!(
    eseal.sealcore,
    InvalidJson,
    PyValueError,
    "Not JSON as `docs/canonical-json.md` decides; ``offset`` is the byte where that shows, or ``pointer`` the Python value."
);
create_exception!(
    eseal.sealcore,
    InvalidJws,
    PyValueError,
    "The bytes are not a JWS (RFC 7515) in compact, flattened or general serialisation; ``pointer`` says where."
);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Json { offset, .. } => {
                let error = with_attribute(InvalidJson::new_err(message), "offset", offset);
                with_attribute(error, "pointer", None::<String>)
            }
            Error::Value { pointer, .. } => {
                let error = with_attribute(InvalidJson::new_err(message), "offset", None::<usize>);
                with_attribute(error, "pointer", pointer)
            }
            Error::Jws { pointer, .. } => with_attribute(InvalidJws::new_err(message), "pointer", pointer),
            Error::NotFound { .. } => PyKeyError::new_err(message),
            Error::Argument(_) | Error::Schema(_) => PyValueError::new_err(message),
        }
    }
}

fn with_attribute<T>(error: PyErr, name: &str, value: T) -> PyErr
where
    T: for<'py> IntoPyObject<'py>,
{
    Python::attach(|py| match error.value(py).setattr(name, value) {
        Ok(()) => error,
        Err(failure) => failure,
    })
}

/// Run `work` without the GIL where that pays; a panic in it becomes a `RuntimeError`.
pub(crate) fn guarded<R: Send>(
    py: Python<'_>,
    release: bool,
    work: impl FnOnce() -> Result<R, Error> + Send,
) -> PyResult<R> {
    let caught = || catch_unwind(AssertUnwindSafe(work));
    let outcome = if release { py.detach(caught) } else { caught() };
    match outcome {
        Ok(result) => Ok(result?),
        Err(_) => Err(PyRuntimeError::new_err("sealcore failed; this is a fault of eseal and not of the document")),
    }
}
