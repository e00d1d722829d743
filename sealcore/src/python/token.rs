//! Signatures in a PKCS#11 session, a batch at a time, without the GIL.

use std::{path::PathBuf, time::Duration};

use eseal_cryptoki::{Number, Pss, Signer, Signing};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
    types::PyList,
};

use super::{
    buffer::{self, Bytes},
    errors::guarded,
    items::Items,
};

/// The signing functions of a PKCS#11 module.
#[pyclass(name = "TokenSigner", module = "eseal.sealcore", frozen)]
pub(crate) struct PyTokenSigner {
    inner: Signer,
}

type Batch<'py> = (Bound<'py, PyList>, Vec<f64>, Option<(&'static str, Number)>);

#[pymethods]
impl PyTokenSigner {
    #[new]
    fn new(module: PathBuf) -> PyResult<Self> {
        Ok(Self { inner: Signer::load(module).map_err(|error| PyOSError::new_err(error.to_string()))? })
    }

    #[pyo3(signature = (data, *, session, key, mechanism, pss, signature_length, buffer_size, within))]
    #[allow(clippy::too_many_arguments)]
    fn sign_many<'py>(
        &self,
        py: Python<'py>,
        data: Items<Bytes>,
        session: Number,
        key: Number,
        mechanism: Number,
        pss: Option<(Number, Number, Number)>,
        signature_length: usize,
        buffer_size: usize,
        within: f64,
    ) -> PyResult<Batch<'py>> {
        let within = Duration::try_from_secs_f64(within)
            .map_err(|_| PyValueError::new_err("within is a number of seconds, not negative"))?;
        let pss = pss.map(|(hash, mgf, salt_length)| Pss { hash, mgf, salt_length });
        let signing = Signing { session, key, mechanism, pss, signature_length, buffer: buffer_size };
        let signed = guarded(py, true, || Ok(self.inner.sign_many(&signing, &data, within)))?;
        let took = signed.took.iter().map(Duration::as_secs_f64).collect();
        Ok((buffer::list(py, &signed.signatures)?, took, signed.failure))
    }
}
