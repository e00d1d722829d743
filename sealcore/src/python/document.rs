//! `Document` and canonical bytes.

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    pybacked::PyBackedStr,
    types::{PyBytes, PyList, PyMapping},
};

use super::{
    buffer::{self, Bytes},
    convert,
    digests::WORTH_RELEASING,
    errors::guarded,
    items::Items,
};
use crate::{
    batch,
    digest::{self, Algorithm},
    json::{
        self,
        document::Document,
        parse::{DEFAULT_MAX_BYTES, HIGHEST_MAX_BYTES, HIGHEST_MAX_DEPTH, Limits},
        pointer::Pointer,
    },
    linked,
};

/// A JSON document, parsed once and immutable; edits yield another Document and share what did not change.
#[pyclass(name = "Document", module = "eseal.sealcore", frozen)]
pub(crate) struct PyDocument {
    pub(crate) inner: Document,
}

impl From<Document> for PyDocument {
    fn from(inner: Document) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl PyDocument {
    #[staticmethod]
    #[pyo3(signature = (data, *, max_bytes = DEFAULT_MAX_BYTES, max_depth = 128))]
    fn parse(py: Python<'_>, data: Bytes, max_bytes: usize, max_depth: u32) -> PyResult<Self> {
        if max_depth > HIGHEST_MAX_DEPTH || max_bytes > HIGHEST_MAX_BYTES {
            return Err(PyValueError::new_err(format!(
                "max_depth is at most {HIGHEST_MAX_DEPTH} and max_bytes at most {HIGHEST_MAX_BYTES}"
            )));
        }
        let release = data.as_ref().len() >= WORTH_RELEASING;
        guarded(py, release, || Document::parse(data, Limits { max_bytes, max_depth })).map(Self::from)
    }

    #[staticmethod]
    fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        convert::document(value).map(Self::from)
    }

    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, self.inner.root())
    }

    #[pyo3(signature = (pointer, default = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        pointer: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.inner.value(&Pointer::parse(pointer)?) {
            Some(value) => convert::to_python(py, value).map(Some),
            None => Ok(default),
        }
    }

    fn has(&self, pointer: &str) -> PyResult<bool> {
        Ok(self.inner.has(&Pointer::parse(pointer)?))
    }

    fn at(&self, pointer: &str) -> PyResult<Self> {
        Ok(self.inner.at(pointer)?.into())
    }

    fn set(&self, pointer: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(self.inner.set(pointer, &convert::document(value)?)?.into())
    }

    fn set_many(&self, values: &Bound<'_, PyMapping>) -> PyResult<Self> {
        let read = |pair: Bound<'_, PyAny>| {
            let (pointer, value): (PyBackedStr, Bound<'_, PyAny>) = pair.extract()?;
            Ok((pointer, convert::document(&value)?))
        };
        let values = values.items()?.iter().map(read).collect::<PyResult<Vec<_>>>()?;
        Ok(self.inner.set_many(values.iter().map(|(pointer, value)| (&**pointer, value)))?.into())
    }

    fn remove(&self, pointer: &str) -> PyResult<Self> {
        Ok(self.inner.remove(pointer)?.into())
    }

    fn append(&self, pointer: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(self.inner.append(pointer, &convert::document(value)?)?.into())
    }

    fn canonical<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = guarded(py, true, || Ok(self.inner.canonical()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn mentions(&self, py: Python<'_>, text: &str) -> PyResult<bool> {
        guarded(py, true, || Ok(self.inner.mentions(text)))
    }

    #[pyo3(signature = (algorithm = "sha256"))]
    fn digest<'py>(&self, py: Python<'py>, algorithm: &str) -> PyResult<Bound<'py, PyBytes>> {
        let algorithm = Algorithm::named(algorithm)?;
        let digest = guarded(py, true, || Ok(digest::digest(algorithm, &self.inner.canonical())))?;
        Ok(PyBytes::new(py, &digest))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.inner == other.get().inner)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.inner.canonical().hash(&mut hasher);
        hasher.finish()
    }

    #[allow(clippy::unused_self)] // Python's protocol has it
    fn __repr__(&self) -> &'static str {
        // Never the content: documents hold learner data, and reprs end up in logs.
        "<eseal.sealcore.Document>"
    }
}

/// JSON bytes to RFC 8785 bytes.
#[pyfunction]
pub(crate) fn canonicalize<'py>(py: Python<'py>, data: Bytes) -> PyResult<Bound<'py, PyBytes>> {
    let data = data.as_ref();
    json::with_scratch(|out| {
        guarded(py, data.len() >= WORTH_RELEASING, || json::canonicalize_into(data, Limits::default(), out))?;
        Ok(PyBytes::new(py, out))
    })
}

/// The RFC 8785 bytes of each document.
#[pyfunction]
pub(crate) fn canonical_many<'py>(
    py: Python<'py>,
    documents: Items<Bound<'py, PyDocument>>,
) -> PyResult<Bound<'py, PyList>> {
    let documents: Vec<_> = documents.iter().map(|document| document.get().inner.clone()).collect();
    let canonical = guarded(py, true, || {
        Ok(batch::map(documents.len(), documents.len() as u64 * 10_000, None, |index| documents[index].canonical()))
    })?;
    buffer::list(py, &canonical)
}

/// Whether each document can be judged object by object: objects of the same `id` agree.
#[pyfunction]
pub(crate) fn nodes_agree_many(py: Python<'_>, documents: Items<Bound<'_, PyDocument>>) -> PyResult<Vec<bool>> {
    let documents: Vec<_> = documents.iter().map(|document| document.get().inner.clone()).collect();
    guarded(py, true, || {
        Ok(batch::map(documents.len(), documents.len() as u64 * 10_000, None, |index| {
            linked::nodes_agree(&documents[index])
        }))
    })
}
