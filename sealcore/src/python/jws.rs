//! JWS bytes: signing inputs, assembling, reading.

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    pybacked::PyBackedStr,
    types::{PyBytes, PyList, PyString},
};

use super::{
    buffer::{self, Bytes},
    document::PyDocument,
    errors::guarded,
    items::Items,
};
use crate::{
    base64url, batch,
    digest::Algorithm,
    error::Error,
    json::parse::Limits,
    jws::{self as core, Serialization, SignatureParts, SigningInput},
};

fn check_lengths(lengths: &[usize]) -> PyResult<()> {
    if lengths.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(PyValueError::new_err("the sequences of a batch are equally long"));
    }
    Ok(())
}

/// Nanoseconds that hashing or copying a batch takes, roughly.
fn weight(payloads: &[Bytes]) -> u64 {
    payloads.iter().map(|payload| payload.as_ref().len() as u64 / 2 + 300).sum()
}

/// What each signature covers.
#[pyfunction]
#[pyo3(signature = (protected, payloads, *, b64 = false))]
pub(crate) fn signing_inputs<'py>(
    py: Python<'py>,
    protected: Items<PyBackedStr>,
    payloads: Items<Bytes>,
    b64: bool,
) -> PyResult<Bound<'py, PyList>> {
    check_lengths(&[protected.len(), payloads.len()])?;
    let inputs = guarded(py, true, || {
        Ok(batch::map(payloads.len(), weight(&payloads), None, |index| {
            SigningInput { protected: &protected[index], payload: payloads[index].as_ref(), b64 }.bytes()
        }))
    })?;
    buffer::list(py, &inputs)
}

/// The digest of what each signature covers.
#[pyfunction]
#[pyo3(signature = (digest, protected, payloads, *, b64 = false))]
pub(crate) fn signing_digests<'py>(
    py: Python<'py>,
    digest: &str,
    protected: Items<PyBackedStr>,
    payloads: Items<Bytes>,
    b64: bool,
) -> PyResult<Bound<'py, PyList>> {
    check_lengths(&[protected.len(), payloads.len()])?;
    let algorithm = Algorithm::named(digest)?;
    let digests = guarded(py, true, || {
        Ok(batch::map(payloads.len(), weight(&payloads), None, |index| {
            SigningInput { protected: &protected[index], payload: payloads[index].as_ref(), b64 }.digest(algorithm)
        }))
    })?;
    buffer::list(py, &digests)
}

/// A general JWS JSON document.
#[pyfunction]
#[pyo3(signature = (payload, signatures, *, b64 = false))]
pub(crate) fn assemble_general<'py>(
    py: Python<'py>,
    payload: Bytes,
    signatures: Items<(PyBackedStr, Bytes, Items<PyBackedStr>)>,
    b64: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    if signatures.is_empty() {
        return Err(PyValueError::new_err("a general JWS has at least one signature"));
    }
    let document = guarded(py, true, || {
        let parts: Vec<_> = signatures
            .iter()
            .map(|(protected, signature, etsi_u)| SignatureParts { protected, signature: signature.as_ref(), etsi_u })
            .collect();
        core::general(payload.as_ref(), &parts, b64)
    })?;
    Ok(PyBytes::new(py, &document))
}

/// A general JWS JSON document with one signature, for each item of a batch.
#[pyfunction]
#[pyo3(signature = (payloads, protected, signatures, etsi_u = None, *, b64 = false))]
pub(crate) fn assemble_general_many<'py>(
    py: Python<'py>,
    payloads: Items<Bytes>,
    protected: Items<PyBackedStr>,
    signatures: Items<Bytes>,
    etsi_u: Option<Items<Items<PyBackedStr>>>,
    b64: bool,
) -> PyResult<Bound<'py, PyList>> {
    let count = payloads.len();
    check_lengths(&[count, protected.len(), signatures.len(), etsi_u.as_ref().map_or(count, |etsi_u| etsi_u.len())])?;
    let assemble = |index: usize| {
        let parts = SignatureParts {
            protected: &protected[index],
            signature: signatures[index].as_ref(),
            etsi_u: etsi_u.as_ref().map_or(&[][..], |etsi_u| &etsi_u[index]),
        };
        core::general(payloads[index].as_ref(), &[parts], b64)
    };
    let documents = guarded(py, true, || {
        batch::map(count, weight(&payloads), None, assemble).into_iter().collect::<Result<Vec<_>, Error>>()
    })?;
    buffer::list(py, &documents)
}

/// A flattened JWS JSON document.
#[pyfunction]
#[pyo3(signature = (payload, protected, signature, etsi_u = Items::default(), *, b64 = false))]
pub(crate) fn assemble_flattened<'py>(
    py: Python<'py>,
    payload: Bytes,
    protected: &str,
    signature: Bytes,
    etsi_u: Items<PyBackedStr>,
    b64: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let parts = SignatureParts { protected, signature: signature.as_ref(), etsi_u: &etsi_u };
    let document = guarded(py, true, || core::flattened(payload.as_ref(), &parts, b64))?;
    Ok(PyBytes::new(py, &document))
}

/// A compact JWS.
#[pyfunction]
#[pyo3(signature = (payload, protected, signature, *, b64 = true))]
pub(crate) fn assemble_compact<'py>(
    py: Python<'py>,
    payload: Bytes,
    protected: &str,
    signature: Bytes,
    b64: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let document = guarded(py, true, || core::compact(payload.as_ref(), protected, signature.as_ref(), b64))?;
    Ok(PyBytes::new(py, &document))
}

/// One signature of a JWS.
#[pyclass(name = "JwsSignature", module = "eseal.sealcore", frozen)]
pub(crate) struct PyJwsSignature {
    #[pyo3(get)]
    protected: Py<PyString>,
    #[pyo3(get)]
    header: Py<PyDocument>,
    #[pyo3(get)]
    unprotected: Option<Py<PyDocument>>,
    #[pyo3(get)]
    signature: Py<PyBytes>,
    #[pyo3(get)]
    signature_text: Py<PyString>,
    #[pyo3(get)]
    extra: Py<PyList>,
}

/// A JWS as received.
#[pyclass(name = "Jws", module = "eseal.sealcore", frozen)]
pub(crate) struct PyJws {
    #[pyo3(get)]
    serialization: &'static str,
    #[pyo3(get)]
    payload: Option<Py<PyBytes>>,
    #[pyo3(get)]
    b64: bool,
    #[pyo3(get)]
    signatures: Py<PyList>,
    #[pyo3(get)]
    extra: Py<PyList>,
}

/// Read a JWS in any serialisation.
#[pyfunction]
pub(crate) fn parse_jws(py: Python<'_>, data: Bytes) -> PyResult<PyJws> {
    let jws = guarded(py, true, || core::parse(data.as_ref(), Limits::default()))?;
    let signatures: Vec<_> =
        jws.signatures.into_iter().map(|signature| signature_to_python(py, signature)).collect::<PyResult<_>>()?;
    Ok(PyJws {
        serialization: match jws.serialization {
            Serialization::General => "general",
            Serialization::Flattened => "flattened",
            Serialization::Compact => "compact",
        },
        payload: jws.payload.map(|payload| PyBytes::new(py, &payload).unbind()),
        b64: jws.b64,
        signatures: PyList::new(py, signatures)?.unbind(),
        extra: PyList::new(py, jws.extra)?.unbind(),
    })
}

fn signature_to_python(py: Python<'_>, signature: core::Signature) -> PyResult<PyJwsSignature> {
    let document = |document| Py::new(py, PyDocument::from(document));
    Ok(PyJwsSignature {
        protected: PyString::new(py, &signature.protected).unbind(),
        header: document(signature.header)?,
        unprotected: signature.unprotected.map(document).transpose()?,
        signature: PyBytes::new(py, &signature.signature).unbind(),
        signature_text: PyString::new(py, &signature.signature_text).unbind(),
        extra: PyList::new(py, signature.extra)?.unbind(),
    })
}

/// Encode without padding.
#[pyfunction]
pub(crate) fn base64url_encode(data: Bytes) -> String {
    base64url::encode(data.as_ref())
}

/// Decode, strictly.
#[pyfunction]
pub(crate) fn base64url_decode<'py>(py: Python<'py>, text: TextOrBytes) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = match &text {
        TextOrBytes::Text(text) => base64url::decode(text.as_bytes()),
        TextOrBytes::Bytes(bytes) => base64url::decode(bytes.as_ref()),
    };
    Ok(PyBytes::new(py, &bytes?))
}

/// A str, or a buffer of its ASCII.
#[derive(FromPyObject)]
pub(crate) enum TextOrBytes {
    Text(PyBackedStr),
    Bytes(Bytes),
}
