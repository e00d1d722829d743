//! Public keys and verification in batches.

use pyo3::{exceptions::PyValueError, prelude::*, pybacked::PyBackedStr, types::PyBytes};

use super::{buffer::Bytes, errors::guarded, items::Items};
use crate::{
    jws::SigningInput,
    signature::{self, Algorithm, Claim, Kind, PublicKey},
};

/// A public key from `SubjectPublicKeyInfo` DER.
#[pyclass(name = "PublicKey", module = "eseal.sealcore", frozen)]
pub(crate) struct PyPublicKey {
    inner: PublicKey,
}

#[pymethods]
impl PyPublicKey {
    #[new]
    fn new(py: Python<'_>, spki: Bytes) -> PyResult<Self> {
        Ok(Self { inner: guarded(py, false, || PublicKey::from_spki(spki.as_ref()))? })
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match self.inner.kind() {
            Kind::P256 => "P-256",
            Kind::P384 => "P-384",
            Kind::P521 => "P-521",
            Kind::Rsa => "RSA",
        }
    }

    #[getter]
    fn bits(&self) -> usize {
        self.inner.bits()
    }

    fn verify(&self, py: Python<'_>, algorithm: &str, signing_input: Bytes, signature: Bytes) -> PyResult<bool> {
        let Some(algorithm) = Algorithm::named(algorithm) else {
            return Ok(false);
        };
        guarded(py, true, || Ok(self.inner.verifies_bytes(algorithm, signing_input.as_ref(), signature.as_ref())))
    }
}

/// Whether each signature verifies.
#[pyfunction]
#[pyo3(signature = (keys, algorithms, protected, payloads, signatures, *, b64 = B64::All(false), threads = None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn verify_many(
    py: Python<'_>,
    keys: Items<Bound<'_, PyPublicKey>>,
    algorithms: Items<PyBackedStr>,
    protected: Items<PyBackedStr>,
    payloads: Items<Bytes>,
    signatures: Items<Bytes>,
    b64: B64,
    threads: Option<usize>,
) -> PyResult<Vec<bool>> {
    let count = keys.len();
    let b64 = b64.for_each(count);
    if [algorithms.len(), protected.len(), payloads.len(), signatures.len(), b64.len()] != [count; 5] {
        return Err(PyValueError::new_err("the sequences of a batch are equally long"));
    }
    let claims: Vec<_> = (0..count)
        .map(|index| Claim {
            key: &keys[index].get().inner,
            algorithm: Algorithm::named(&algorithms[index]),
            input: SigningInput { protected: &protected[index], payload: payloads[index].as_ref(), b64: b64[index] },
            signature: signatures[index].as_ref(),
        })
        .collect();
    guarded(py, true, || Ok(signature::verify_many(&claims, threads)))
}

/// One answer for the whole batch, or one for each item.
#[derive(FromPyObject)]
pub(crate) enum B64 {
    All(bool),
    Each(Items<bool>),
}

impl B64 {
    fn for_each(self, count: usize) -> Vec<bool> {
        match self {
            Self::All(b64) => vec![b64; count],
            Self::Each(b64) => b64.to_vec(),
        }
    }
}

/// Raw r || s to DER.
#[pyfunction]
pub(crate) fn ecdsa_to_der<'py>(py: Python<'py>, signature: Bytes) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &signature::ecdsa_to_der(signature.as_ref())?))
}

/// DER to raw r || s, each `size` bytes wide.
#[pyfunction]
pub(crate) fn ecdsa_from_der<'py>(py: Python<'py>, signature: Bytes, size: usize) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &signature::ecdsa_from_der(signature.as_ref(), size)?))
}
