//! What is promised of any bytes; tests, soak and fuzzing hold sealcore to it.

use sealcore::{
    Document, Error, JsonRule, Limits, canonicalize,
    json::value::{Content, Members, Value},
    jws,
};
use serde_json::Value as Serde;

/// Parsing never panics; `canonicalize` and `Document` are of one mind; canonical bytes are their own canonical form and
/// say the same as the text; serde_json reads the same, but for what `docs/canonical-json.md` refuses beyond it.
pub fn check_json(text: &[u8]) {
    let limits = Limits::default();
    match (Document::parse(text.to_vec(), limits), canonicalize(text, limits)) {
        (Ok(document), Ok(canonical)) => check_accepted(text, &document, &canonical),
        (Err(error), Err(other)) => {
            assert_eq!(error, other);
            check_refused(text, &error);
        }
        (document, canonical) => panic!("two minds: {document:?}, {canonical:?}"),
    }
}

fn check_accepted(text: &[u8], document: &Document, canonical: &[u8]) {
    assert_eq!(*canonical, *document.canonical());
    assert_eq!(Ok(canonical), canonicalize(canonical, Limits::default()).as_deref());
    let again = Document::parse(canonical.to_vec(), Limits::default()).expect("canonical bytes are JSON");
    assert!(same(document.root(), again.root()), "canonical bytes say something else");
    // serde_json counts one level less.
    if document.root().height() < 128 {
        let other: Serde = serde_json::from_slice(text).expect("serde_json reads what is accepted");
        assert!(same_as_serde(document.root(), &other), "serde_json reads something else");
    }
}

fn check_refused(text: &[u8], error: &Error) {
    let Error::Json { offset, rule } = error else { panic!("not an error of JSON: {error:?}") };
    assert!(*offset <= text.len(), "{error:?}");
    let beyond = matches!(rule, JsonRule::DuplicateName | JsonRule::InexactInteger | JsonRule::TooDeep);
    assert!(beyond || serde_json::from_slice::<Serde>(text).is_err(), "serde_json accepts what is refused: {error:?}");
    // What stands before the offset is not at fault.
    if let Err(Error::Json { offset: earlier, rule }) = canonicalize(&text[..*offset], Limits::default()) {
        assert!(earlier == *offset || rule == JsonRule::InvalidUtf8, "{error:?} after a fault at {earlier}");
    }
}

/// Reading a JWS never panics, and what it hands on is what stands there.
pub fn check_jws(text: &[u8]) {
    if let Ok(jws) = jws::parse(text, Limits::default()) {
        assert!(!jws.signatures.is_empty());
        for signature in jws.signatures {
            assert_eq!(signature.signature_text, sealcore::base64url::encode(&signature.signature));
        }
    }
}

/// Whether two documents say the same: numbers as doubles, members in any order.
pub fn same(left: Value<'_>, right: Value<'_>) -> bool {
    match (left.content(), right.content()) {
        (Content::Null, Content::Null) => true,
        (Content::Bool(left), Content::Bool(right)) => left == right,
        (Content::Number(left), Content::Number(right)) => left.as_f64() == right.as_f64(),
        (Content::String(left), Content::String(right)) => left == right,
        (Content::Array(left), Content::Array(right)) => {
            left.clone().count() == right.clone().count() && left.zip(right).all(|(left, right)| same(left, right))
        }
        (Content::Object(left), Content::Object(right)) => {
            let (left, right) = (sorted(left), sorted(right));
            left.len() == right.len() && left.iter().zip(&right).all(|(l, r)| l.0 == r.0 && same(l.1, r.1))
        }
        _ => false,
    }
}

fn sorted(members: Members<'_>) -> Vec<(String, Value<'_>)> {
    let mut members: Vec<_> = members.map(|(name, value)| (name.into_owned(), value)).collect();
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    members
}

fn same_as_serde(value: Value<'_>, other: &Serde) -> bool {
    match (value.content(), other) {
        (Content::Null, Serde::Null) => true,
        (Content::Bool(value), Serde::Bool(other)) => value == *other,
        (Content::Number(value), Serde::Number(other)) => Some(value.as_f64()) == other.as_f64(),
        (Content::String(value), Serde::String(other)) => *value == **other,
        (Content::Array(elements), Serde::Array(others)) => {
            elements.clone().count() == others.len()
                && elements.zip(others).all(|(element, other)| same_as_serde(element, other))
        }
        (Content::Object(members), Serde::Object(others)) => {
            members.clone().count() == others.len()
                && members
                    .into_iter()
                    .all(|(name, value)| others.get(&*name).is_some_and(|other| same_as_serde(value, other)))
        }
        _ => false,
    }
}
