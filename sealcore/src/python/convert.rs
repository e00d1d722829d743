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
        number,
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
    write(value, &mut text, 0)?;
    let limits = Limits { max_bytes: HIGHEST_MAX_BYTES, max_depth: HIGHEST_MAX_DEPTH };
    Document::parse(text, limits).map_err(|error| match error {
        // An offset into text that the caller never saw would only mislead.
        Error::Json { rule, .. } => refuse(rule),
        error => error.into(),
    })
}

fn refuse(rule: JsonRule) -> PyErr {
    Error::json(0, rule).into()
}

/// Append a Python value as JSON text.
fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: u32) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        string::write(text.to_str().map_err(|_| refuse(JsonRule::LoneSurrogate))?, out);
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(boolean) = value.cast::<PyBool>() {
        out.extend_from_slice(if boolean.is_true() { b"true" } else { b"false" });
    } else if let Ok(integer) = value.cast::<PyInt>() {
        write_integer(integer, out)?;
    } else if let Ok(float) = value.cast::<PyFloat>() {
        if !float.value().is_finite() {
            return Err(refuse(JsonRule::NotFinite));
        }
        number::write(float.value(), out);
    } else if let Ok(document) = value.cast::<PyDocument>() {
        out.extend_from_slice(&document.get().inner.canonical());
    } else {
        write_container(value, out, depth)?;
    }
    Ok(())
}

fn write_integer(integer: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(small) = integer.extract::<i64>() {
        out.extend_from_slice(small.to_string().as_bytes());
        return Ok(());
    }
    // Python refuses to write integers of thousands of digits; no double is that large.
    let text = integer.call_method0("__index__")?.str().map_err(|_| refuse(JsonRule::NumberOverflow))?;
    out.extend_from_slice(text.to_str()?.as_bytes());
    Ok(())
}

fn write_container(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: u32) -> PyResult<()> {
    // Also what ends a list that holds itself.
    if depth >= HIGHEST_MAX_DEPTH {
        return Err(refuse(JsonRule::TooDeep));
    }
    if let Ok(members) = value.cast::<PyDict>() {
        let mut mark = b'{';
        for (name, value) in members {
            out.push(mark);
            mark = b',';
            let name = name.cast::<PyString>().map_err(|_| refuse(JsonRule::NameNotString))?;
            string::write(name.to_str().map_err(|_| refuse(JsonRule::LoneSurrogate))?, out);
            out.push(b':');
            write(&value, out, depth + 1)?;
        }
        out.extend_from_slice(if mark == b'{' { b"{}" } else { b"}" });
        Ok(())
    } else if let Ok(elements) = value.cast::<PyList>() {
        write_elements(elements.iter(), out, depth)
    } else if let Ok(elements) = value.cast::<PyTuple>() {
        write_elements(elements.iter(), out, depth)
    } else {
        Err(refuse(JsonRule::NotJson))
    }
}

fn write_elements<'py>(
    elements: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: u32,
) -> PyResult<()> {
    out.push(b'[');
    for (position, element) in elements.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&element, out, depth + 1)?;
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
    match number.text.parse::<i64>() {
        Ok(small) => Ok(small.into_pyobject(py)?.into_any()),
        Err(_) => py.get_type::<PyInt>().call1((number.text,)).map_err(|_| PyValueError::new_err("not an integer")),
    }
}
