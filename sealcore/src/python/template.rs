//! Templates.

use pyo3::{
    prelude::*,
    pybacked::PyBackedStr,
    types::{PyBytes, PyList},
};

use super::{buffer, convert, document::PyDocument, errors::guarded, items::Items};
use crate::{batch, error::Error, json::document::Document, template::Template};

/// A Document with holes.
#[pyclass(name = "Template", module = "eseal.sealcore", frozen)]
pub(crate) struct PyTemplate {
    inner: Template,
}

#[pymethods]
impl PyTemplate {
    #[new]
    fn new(py: Python<'_>, document: &Bound<'_, PyDocument>, holes: Items<PyBackedStr>) -> PyResult<Self> {
        let document = &document.get().inner;
        Ok(Self { inner: guarded(py, true, || Template::new(document, &holes))? })
    }

    fn fill<'py>(&self, py: Python<'py>, values: Items<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyBytes>> {
        let values = documents(&values)?;
        Ok(PyBytes::new(py, &guarded(py, false, || self.inner.fill(&values))?))
    }

    fn fill_many<'py>(&self, py: Python<'py>, rows: Items<Items<Bound<'py, PyAny>>>) -> PyResult<Bound<'py, PyList>> {
        let rows = rows.iter().map(|row| documents(row)).collect::<PyResult<Vec<_>>>()?;
        let filled = guarded(py, true, || {
            let weight = rows.len() as u64 * 2_000;
            let filled = batch::map(rows.len(), weight, None, |index| self.inner.fill(&rows[index]));
            filled.into_iter().collect::<Result<Vec<_>, Error>>()
        })?;
        buffer::list(py, &filled)
    }
}

fn documents(values: &[Bound<'_, PyAny>]) -> PyResult<Vec<Document>> {
    values.iter().map(convert::document).collect()
}
