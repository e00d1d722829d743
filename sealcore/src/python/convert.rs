//! Python values to JSON and back.

use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple},
};

use super::document::PyDocument;
use crate::{
    error::{Error, JsonRule},
    json::{
        document::Document,
        number::{self, Shape},
        parse::{HIGHEST_MAX_BYTES, HIGHEST_MAX_DEPTH, Limits},
        string,
        value::{Content, Number, Value},
    },
};

/// A Python value, or a Document itself, as a Document.
pub(crate) fn document(value: &Bound<'_, PyAny>) -> PyResult<Document> {
    if let Ok(document) = value.cast::<PyDocument>() {
        return Ok(document.get().inner.clone());
    }
    let mut text = Vec::new();
    write(value, &mut text, 0).map_err(Refusal::into_error)?;
    let limits = Limits { max_bytes: HIGHEST_MAX_BYTES, max_depth: HIGHEST_MAX_DEPTH };
    Document::parse(text, limits).map_err(|error| match error {
        // An offset into text that the caller never saw would only mislead.
        Error::Json { rule, .. } => Error::Value { pointer: String::new(), rule }.into(),
        error => error.into(),
    })
}

/// Why a Python value is refused, and on the way up where it stands.
enum Refusal {
    /// The rule, and the reference tokens of the place, innermost first.
    Rule(JsonRule, Vec<String>),
    Python(PyErr),
}

impl From<PyErr> for Refusal {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl Refusal {
    #[cold]
    fn of(rule: JsonRule) -> Self {
        Self::Rule(rule, Vec::new())
    }

    #[cold]
    fn below(mut self, token: &str) -> Self {
        if let Self::Rule(_, tokens) = &mut self {
            tokens.push(token.replace('~', "~0").replace('/', "~1"));
        }
        self
    }

    fn into_error(self) -> PyErr {
        match self {
            Self::Python(error) => error,
            Self::Rule(rule, tokens) => {
                let pointer = tokens.iter().rev().flat_map(|token| ["/", token]).collect();
                Error::Value { pointer, rule }.into()
            }
        }
    }
}

/// Append a Python value as JSON text.
fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: u32) -> Result<(), Refusal> {
    if let Ok(text) = value.cast::<PyString>() {
        string::write(text.to_str().map_err(|_| Refusal::of(JsonRule::LoneSurrogate))?, out);
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(boolean) = value.cast::<PyBool>() {
        out.extend_from_slice(if boolean.is_true() { b"true" } else { b"false" });
    } else if let Ok(integer) = value.cast::<PyInt>() {
        write_integer(integer, out)?;
    } else if let Ok(float) = value.cast::<PyFloat>() {
        if !float.value().is_finite() {
            return Err(Refusal::of(JsonRule::NotFinite));
        }
        number::write(float.value(), out);
    } else if let Ok(document) = value.cast::<PyDocument>() {
        out.extend_from_slice(&document.get().inner.canonical());
    } else {
        write_container(value, out, depth)?;
    }
    Ok(())
}

fn write_integer(integer: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    const ALL_EXACT: u64 = 1 << 53;
    match integer.extract::<i64>() {
        Ok(small) if small.unsigned_abs() <= ALL_EXACT => {
            out.extend_from_slice(small.to_string().as_bytes());
            return Ok(());
        }
        _ => {}
    }
    // Python refuses to write integers of thousands of digits; no double is that large.
    let text = integer.call_method0("__index__")?.str().map_err(|_| Refusal::of(JsonRule::NumberOverflow))?;
    let text = text.to_str()?;
    let shape = Shape { whole: text.trim_start_matches('-').len(), fraction: 0, exponent: 0 };
    number::read(text, shape, &mut Vec::new()).map_err(Refusal::of)?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn write_container(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: u32) -> Result<(), Refusal> {
    // Also what ends a list that holds itself.
    if depth >= HIGHEST_MAX_DEPTH {
        return Err(Refusal::of(JsonRule::TooDeep));
    }
    if let Ok(members) = value.cast::<PyDict>() {
        // Taken out first: what is called on the way may change the dict.
        let members: Vec<_> = members.iter().collect();
        let mut mark = b'{';
        for (name, value) in &members {
            out.push(mark);
            mark = b',';
            let name = name.cast::<PyString>().map_err(|_| Refusal::of(JsonRule::NameNotString))?;
            let name = name.to_str().map_err(|_| Refusal::of(JsonRule::LoneSurrogate))?;
            string::write(name, out);
            out.push(b':');
            write(value, out, depth + 1).map_err(|refusal| refusal.below(name))?;
        }
        out.extend_from_slice(if mark == b'{' { b"{}" } else { b"}" });
        Ok(())
    } else if let Ok(elements) = value.cast::<PyList>() {
        write_elements(elements.iter(), out, depth)
    } else if let Ok(elements) = value.cast::<PyTuple>() {
        write_elements(elements.iter(), out, depth)
    } else {
        Err(Refusal::of(JsonRule::NotJson))
    }
}

fn write_elements<'py>(
    elements: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: u32,
) -> Result<(), Refusal> {
    out.push(b'[');
    for (position, element) in elements.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&element, out, depth + 1).map_err(|refusal| refusal.below(&position.to_string()))?;
    }
    out.push(b']');
    Ok(())
}

/// A value as Python's own.
pub(crate) fn to_python<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value.content() {
        Content::Null => Ok(py.None().into_bound(py)),
        Content::Bool(boolean) => Ok(PyBool::new(py, boolean).to_owned().into_any()),
        Content::Number(number) => number_to_python(py, number),
        Content::String(text) => Ok(PyString::new(py, &text).into_any()),
        Content::Array(elements) => {
            let list = PyList::empty(py);
            for element in elements {
                list.append(to_python(py, element)?)?;
            }
            Ok(list.into_any())
        }
        Content::Object(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members {
                dict.set_item(PyString::intern(py, &name), to_python(py, value)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// What is written as an integer is an int, all else a float, as Python's own json has it.
fn number_to_python<'py>(py: Python<'py>, number: Number<'_>) -> PyResult<Bound<'py, PyAny>> {
    if !number.integer {
        return Ok(PyFloat::new(py, number.as_f64()).into_any());
    }
    let digits = number.digits();
    match digits.parse::<i64>() {
        Ok(small) => Ok(small.into_pyobject(py)?.into_any()),
        Err(_) => py.get_type::<PyInt>().call1((&*digits,)).map_err(|_| PyValueError::new_err("not an integer")),
    }
}
