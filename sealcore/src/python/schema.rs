//! JSON Schema.

use pyo3::{prelude::*, types::PyMapping};

use super::{buffer::Bytes, document::PyDocument, errors::guarded, items::Items};
use crate::{
    batch,
    schema::{Fault, Schema},
};

/// A compiled JSON Schema.
#[pyclass(name = "Schema", module = "eseal.sealcore", frozen)]
pub(crate) struct PySchema {
    inner: Schema,
}

/// One violated JSON Schema keyword; both pointers are RFC 6901.
#[pyclass(name = "SchemaFault", module = "eseal.sealcore", frozen)]
pub(crate) struct PySchemaFault {
    inner: Fault,
}

#[pymethods]
impl PySchemaFault {
    #[getter]
    fn pointer(&self) -> &str {
        &self.inner.pointer
    }

    #[getter]
    fn keyword(&self) -> &str {
        &self.inner.keyword
    }

    #[getter]
    fn schema_pointer(&self) -> &str {
        &self.inner.schema_pointer
    }

    #[getter]
    fn message(&self) -> &str {
        &self.inner.message
    }

    fn __repr__(&self) -> String {
        format!("<SchemaFault {:?} {}: {}>", self.inner.pointer, self.inner.keyword, self.inner.message)
    }
}

impl From<Fault> for PySchemaFault {
    fn from(inner: Fault) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl PySchema {
    #[new]
    #[pyo3(signature = (schema, resources = None))]
    fn new(py: Python<'_>, schema: Bytes, resources: Option<&Bound<'_, PyMapping>>) -> PyResult<Self> {
        let read = |pair: Bound<'_, PyAny>| {
            let (id, text): (String, Bytes) = pair.extract()?;
            Ok((id, text.as_ref().to_vec()))
        };
        let resources = match resources {
            Some(resources) => resources.items()?.iter().map(read).collect::<PyResult<Vec<_>>>()?,
            None => Vec::new(),
        };
        Ok(Self { inner: guarded(py, true, || Schema::compile(schema.as_ref(), &resources))? })
    }

    fn is_valid(&self, py: Python<'_>, document: &Bound<'_, PyDocument>) -> PyResult<bool> {
        let document = &document.get().inner;
        guarded(py, true, || Ok(self.inner.is_valid(document)))
    }

    #[pyo3(signature = (document, *, limit = 100))]
    fn faults(&self, py: Python<'_>, document: &Bound<'_, PyDocument>, limit: usize) -> PyResult<Vec<PySchemaFault>> {
        let document = &document.get().inner;
        let faults = guarded(py, true, || Ok(self.inner.faults(document, limit)))?;
        Ok(faults.into_iter().map(PySchemaFault::from).collect())
    }

    #[pyo3(signature = (documents, *, limit = 100))]
    fn faults_many(
        &self,
        py: Python<'_>,
        documents: Items<Bound<'_, PyDocument>>,
        limit: usize,
    ) -> PyResult<Vec<Vec<PySchemaFault>>> {
        let documents: Vec<_> = documents.iter().map(|document| document.get().inner.clone()).collect();
        let weight = documents.len() as u64 * 20_000;
        let faults = guarded(py, true, || {
            Ok(batch::map(documents.len(), weight, None, |index| self.inner.faults(&documents[index], limit)))
        })?;
        Ok(faults.into_iter().map(|faults| faults.into_iter().map(PySchemaFault::from).collect()).collect())
    }
}
