//! Signatures in PKCS#11 sessions, without the GIL: callers, lanes, and the threads that serve them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use eseal_cryptoki::{
    Answer, Answers, Interrupted, Lane, Lanes, Limits, NotTaken, Number, Pss, Seat, Session, Signer, Signing, Turn,
};
use pyo3::{
    Borrowed, create_exception,
    exceptions::{PyException, PyOSError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};

use super::{
    buffer::{self, Bytes},
    errors::guarded,
    items::Items,
};

create_exception!(
    eseal.sealcore,
    LaneFull,
    PyException,
    "So many digests wait in the lane already that no more are taken; ``args[0]`` is how many."
);

/// Why there is no signature: an exception of Python's, which nobody raises here.
type Reason = Arc<Py<PyAny>>;

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

    fn sign_many<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyTokenKey>,
        data: Items<Bytes>,
        within: f64,
    ) -> PyResult<Batch<'py>> {
        let (signing, within) = (key.get().inner, duration(within)?);
        let signed = guarded(py, true, || Ok(self.inner.sign_many(&signing, &data, within)))?;
        let took = signed.took.iter().map(Duration::as_secs_f64).collect();
        Ok((buffer::list(py, &signed.signatures)?, took, signed.failure))
    }
}

/// A key as it was found in one session, and how it signs.
#[pyclass(name = "TokenKey", module = "eseal.sealcore", frozen)]
pub(crate) struct PyTokenKey {
    inner: Signing,
}

#[pymethods]
impl PyTokenKey {
    #[new]
    #[pyo3(signature = (*, session, key, mechanism, pss, signature_length, buffer_size))]
    fn new(
        session: Number,
        key: Number,
        mechanism: Number,
        pss: Option<(Number, Number, Number)>,
        signature_length: usize,
        buffer_size: usize,
    ) -> Self {
        let pss = pss.map(|(hash, mgf, salt_length)| Pss { hash, mgf, salt_length });
        Self { inner: Signing { session, key, mechanism, pss, signature_length, buffer: buffer_size } }
    }
}

/// A session's keys by label.
#[pyclass(name = "TokenSession", module = "eseal.sealcore", frozen)]
pub(crate) struct PyTokenSession {
    inner: Arc<Session>,
}

#[pymethods]
impl PyTokenSession {
    #[new]
    fn new(signer: &Bound<'_, PyTokenSigner>) -> Self {
        Self { inner: Arc::new(Session::new(signer.get().inner)) }
    }

    fn add(&self, label: String, key: &Bound<'_, PyTokenKey>) {
        self.inner.add(label, key.get().inner);
    }
}

/// Where a session's thread sits.
#[pyclass(name = "Seat", module = "eseal.sealcore", frozen)]
pub(crate) struct PySeat {
    inner: Seat<Reason>,
}

#[pymethods]
impl PySeat {
    #[new]
    fn new() -> Self {
        Self { inner: Seat::default() }
    }

    #[pyo3(signature = (within = None))]
    fn hold(&self, py: Python<'_>, within: Option<f64>) -> PyResult<bool> {
        let within = within.map_or(Ok(Duration::MAX), duration)?;
        Ok(py.detach(|| self.inner.hold(within)))
    }

    fn release(&self) {
        self.inner.release();
    }

    fn sit(&self, session: Option<&Bound<'_, PyTokenSession>>) {
        self.inner.sit(session.map(|session| Arc::clone(&session.get().inner)));
    }

    fn want(&self) {
        self.inner.want();
    }

    fn enter(&self, py: Python<'_>) {
        py.detach(|| self.inner.enter());
    }

    #[pyo3(signature = (good = false))]
    fn leave(&self, good: bool) {
        self.inner.leave(good);
    }

    #[getter]
    fn inside(&self) -> Option<f64> {
        self.inner.inside().map(|duration| duration.as_secs_f64())
    }

    #[getter]
    fn since_good(&self) -> Option<f64> {
        self.inner.since_good().map(|duration| duration.as_secs_f64())
    }
}

/// Some digests for one signer.
#[pyclass(name = "Turn", module = "eseal.sealcore", frozen)]
pub(crate) struct PyTurn {
    inner: Mutex<Option<Turn<Reason>>>,
    #[pyo3(get)]
    key: String,
    #[pyo3(get)]
    data: Vec<Py<PyBytes>>,
}

/// A turn that stopped at a digest.
#[pyclass(name = "Interrupted", module = "eseal.sealcore", frozen)]
pub(crate) struct PyInterrupted {
    inner: Interrupted,
}

#[pymethods]
impl PyInterrupted {
    #[getter]
    fn key(&self) -> &str {
        &self.inner.key
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.data)
    }

    #[getter]
    fn left(&self) -> usize {
        self.inner.left
    }

    #[getter]
    fn failure(&self) -> Option<(&'static str, Number)> {
        self.inner.failure
    }
}

/// The two lanes of one pool.
#[pyclass(name = "Lanes", module = "eseal.sealcore", frozen)]
pub(crate) struct PyLanes {
    inner: Lanes<Reason>,
}

type Said<'py> = (Bound<'py, PyList>, Option<Vec<usize>>);

#[pymethods]
impl PyLanes {
    #[new]
    #[pyo3(signature = (*, limit, bulk_share, sessions, fill = None))]
    fn new(
        limit: usize,
        bulk_share: u32,
        sessions: usize,
        fill: Option<std::collections::HashMap<String, usize>>,
    ) -> Self {
        let limits = Limits { waiting: limit, bulk_share, sessions, fill: fill.unwrap_or_default() };
        Self { inner: Lanes::new(limits) }
    }

    fn sign<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        data: Items<Bytes>,
        lane: NamedLane,
        within: f64,
    ) -> PyResult<Said<'py>> {
        let (within, size) = (duration(within)?, data.len());
        let data = data.iter().map(|item| item.as_ref().to_vec()).collect();
        match py.detach(|| self.inner.sign(key, data, lane.0, within)) {
            Ok(Answers { answers, not_begun }) => {
                let answers = answers.into_iter().map(|answer| match answer {
                    Some(Answer::Signature(signature)) => PyBytes::new(py, &signature).into_any(),
                    Some(Answer::Error(reason)) => reason.bind(py).clone(),
                    None => py.None().into_bound(py),
                });
                Ok((PyList::new(py, answers)?, not_begun))
            }
            Err(NotTaken::Closed(reason)) => Ok((PyList::new(py, std::iter::repeat_n(reason.bind(py), size))?, None)),
            Err(NotTaken::Full(depth)) => Err(LaneFull::new_err(depth)),
        }
    }

    fn serve(&self, py: Python<'_>, seat: &Bound<'_, PySeat>) -> PyResult<Option<PyInterrupted>> {
        let seat = &seat.get().inner;
        let interrupted = guarded(py, true, || Ok(self.inner.serve(seat)))?;
        Ok(interrupted.map(|inner| PyInterrupted { inner }))
    }

    fn resume(&self, seat: &Bound<'_, PySeat>, answers: Vec<Bound<'_, PyAny>>) {
        self.inner.resume(&seat.get().inner, answers.iter().map(answer).collect());
    }

    fn give_up(&self, seat: &Bound<'_, PySeat>, reason: Py<PyAny>) {
        self.inner.give_up(&seat.get().inner, &Arc::new(reason));
    }

    fn take(&self, py: Python<'_>) -> Option<PyTurn> {
        let turn = self.inner.take()?;
        let data = turn.data().into_iter().map(|item| PyBytes::new(py, item).unbind()).collect();
        Some(PyTurn { key: turn.key().to_owned(), data, inner: Mutex::new(Some(turn)) })
    }

    fn wait(&self, py: Python<'_>, seat: &Bound<'_, PySeat>) {
        let seat = &seat.get().inner;
        py.detach(|| self.inner.wait(seat));
    }

    fn settle(&self, turn: &Bound<'_, PyTurn>, answers: Vec<Bound<'_, PyAny>>) {
        let turn = turn.get().inner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(turn) = turn {
            self.inner.settle(turn, answers.iter().map(answer).collect(), &[]);
        }
    }

    fn ring(&self) {
        self.inner.ring();
    }

    fn close(&self, reason: Py<PyAny>) {
        self.inner.close(&Arc::new(reason));
    }

    fn open(&self) {
        self.inner.open();
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.inner.closed().map(|reason| reason.clone_ref(py))
    }

    fn depth(&self, lane: NamedLane) -> usize {
        self.inner.depth(lane.0)
    }

    fn drain_seconds(&self, lane: NamedLane) -> f64 {
        self.inner.drain_seconds(lane.0)
    }

    fn observed<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyDict>)> {
        let observed = self.inner.observed();
        let (signed, waited) = (PyDict::new(py), PyDict::new(py));
        for (key, seconds) in observed.signed {
            signed.set_item(&*key, seconds)?;
        }
        for (name, seconds) in LANES.into_iter().zip(observed.waited) {
            waited.set_item(name, seconds)?;
        }
        Ok((signed, waited))
    }
}

const LANES: [&str; 2] = ["interactive", "bulk"];

/// A lane by the value of `eseal.terms.Lane`.
struct NamedLane(Lane);

impl<'py> FromPyObject<'_, 'py> for NamedLane {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<&str>()? {
            "interactive" => Ok(Self(Lane::Interactive)),
            "bulk" => Ok(Self(Lane::Bulk)),
            other => Err(PyValueError::new_err(format!("no lane is called {other}"))),
        }
    }
}

/// A signature, or what else Python has to say.
fn answer(object: &Bound<'_, PyAny>) -> Answer<Reason> {
    match object.cast::<PyBytes>() {
        Ok(signature) => Answer::Signature(signature.as_bytes().to_vec()),
        Err(_) => Answer::Error(Arc::new(object.clone().unbind())),
    }
}

fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err("not a number of seconds, or less than none"))
}
