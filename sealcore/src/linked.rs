//! Nodes of JSON-LD documents: objects that share an `id` are one node, so they had better say the same.

use std::borrow::Cow;

use ahash::AHashMap;

use crate::json::{
    document::Document,
    value::{Content, Shape, Value},
};

/// Whether a document can be judged object by object although it is a graph: every `id` is an absolute IRI of a common
/// scheme; of objects that share one, each says no more than the fullest of them, and no object without a name stands in
/// one that is said twice (each time it would be another node). False means only that it has to be read as a graph.
#[must_use]
pub fn nodes_agree(document: &Document) -> bool {
    Nodes { seen: AHashMap::with_capacity(128) }.read(document.root()).is_some()
}

struct Nodes<'a> {
    /// The fullest object of each `id` so far, and whether everything inside it has a name.
    seen: AHashMap<Cow<'a, str>, (Value<'a>, bool)>,
}

impl<'a> Nodes<'a> {
    /// Whether every node in `value` has a name; None where nodes disagree.
    fn read(&mut self, value: Value<'a>) -> Option<bool> {
        if value.shape() == Shape::Array {
            return self.read_inside(value);
        }
        match value.member("id") {
            Some(id) => self.read_named(id.as_str()?, value),
            None => Some(self.read_inside(value)? && value.member("type").is_none()),
        }
    }

    fn read_named(&mut self, id: Cow<'a, str>, value: Value<'a>) -> Option<bool> {
        match self.seen.get(&id) {
            Some(&(first, named)) if same(first, value) => return named.then_some(true),
            None if !is_iri(&id) => return None,
            _ => {}
        }
        let named = self.read_inside(value)?;
        let fullest = match self.seen.get(&id).copied() {
            None => value,
            Some((first, first_named)) if named && first_named => fuller(first, value)?,
            Some(_) => return None,
        };
        self.seen.insert(id, (fullest, named));
        Some(named)
    }

    fn read_inside(&mut self, container: Value<'a>) -> Option<bool> {
        let mut named = true;
        container.try_each_container(|inner| {
            named &= self.read(inner)?;
            Some(())
        })?;
        Some(named)
    }
}

/// Of two objects of one node, the one that says all that the other says; None where each says something of its own.
fn fuller<'a>(left: Value<'a>, right: Value<'a>) -> Option<Value<'a>> {
    let says_all = |full: Value<'a>, part: Value<'a>| {
        part.members().is_some_and(|mut members| {
            members.all(|(name, value)| full.member(&name).is_some_and(|other| alike(value, other)))
        })
    };
    if says_all(left, right) { Some(left) } else { says_all(right, left).then_some(right) }
}

/// Whether two values mean the same: objects of one id are one node, whatever else each of them says of it.
fn alike(left: Value<'_>, right: Value<'_>) -> bool {
    compare(left, right, true)
}

/// Whether two values are equal; members may stand in any order, numbers are compared as they are written.
fn same(left: Value<'_>, right: Value<'_>) -> bool {
    compare(left, right, false)
}

fn compare(left: Value<'_>, right: Value<'_>, by_name: bool) -> bool {
    if let (Some(left), Some(right)) = (left.written(), right.written()) {
        if left == right {
            return true;
        }
    }
    match (left.content(), right.content()) {
        (Content::Null, Content::Null) => true,
        (Content::Bool(left), Content::Bool(right)) => left == right,
        (Content::Number(left), Content::Number(right)) => left.text == right.text,
        (Content::String(left), Content::String(right)) => left == right,
        (Content::Array(left), Content::Array(mut right)) => {
            let mut left = left;
            left.all(|value| right.next().is_some_and(|other| compare(value, other, by_name))) && right.next().is_none()
        }
        (Content::Object(members), Content::Object(others)) => {
            if by_name {
                if let (Some(left), Some(right)) = (left.member("id"), right.member("id")) {
                    return same(left, right);
                }
            }
            let mut count = 0;
            for (name, value) in members {
                match right.member(&name) {
                    Some(other) if compare(value, other, by_name) => count += 1,
                    _ => return false,
                }
            }
            count == others.count()
        }
        _ => false,
    }
}

/// RFC 3987 in what matters here: a scheme that nobody takes for a prefix of the context, and no character that makes a
/// reader drop the IRI.
fn is_iri(text: &str) -> bool {
    const SCHEMES: [&str; 6] = ["urn:", "http://", "https://", "mailto:", "did:", "tel:"];
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
        && !text.bytes().fold(false, |found, byte| found | FORBIDDEN[usize::from(byte)])
}

const FORBIDDEN: [bool; 256] = {
    let mut forbidden = [false; 256];
    let mut byte = 0;
    while byte <= b' ' {
        forbidden[byte as usize] = true;
        byte += 1;
    }
    let marks = b"<>\"{}|\\^`";
    let mut mark = 0;
    while mark < marks.len() {
        forbidden[marks[mark] as usize] = true;
        mark += 1;
    }
    forbidden
};

#[cfg(test)]
mod tests {
    use super::nodes_agree;
    use crate::{Document, Limits};

    fn agree(text: &str) -> bool {
        nodes_agree(&Document::parse(text.as_bytes().to_vec(), Limits::default()).expect("the tests' JSON"))
    }

    #[test]
    fn of_objects_that_share_an_id_one_must_say_it_all() {
        assert!(agree(
            r#"[{"id":"urn:x","type":"T","n":[1,{"en":"y"}]},{"n":[1,{"en":"y"}],"type":"T","id":"urn:x"}]"#
        ));
        assert!(agree(r#"[{"id":"urn:x","n":1},{"id":"urn:x"}]"#));
        assert!(agree(r#"[{"id":"urn:x"},{"id":"urn:x","n":1},{"id":"urn:x","n":1,"m":2}]"#));
        assert!(agree(r#"[{"id":"urn:x","n":{"id":"urn:y"}},{"id":"urn:x","n":{"id":"urn:y","m":1},"o":2}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":{"id":"urn:y","m":2}},{"id":"urn:x","n":{"id":"urn:y","m":1},"o":2}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":1},{"id":"urn:x","n":2}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":1},{"id":"urn:x","m":1}]"#));
        assert!(!agree(r#"[{"id":"urn:x"},{"id":"urn:x","n":1},{"id":"urn:x","m":1}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":[1]},{"id":"urn:x","n":[1,2]}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":[1,2]},{"id":"urn:x","n":[1]}]"#));
        assert!(!agree(r#"[{"id":"urn:x","n":true},{"id":"urn:x","n":1}]"#));
    }

    #[test]
    fn a_node_without_a_name_may_occur_once_only() {
        assert!(agree(r#"{"id":"urn:x","n":{"type":"T"}}"#));
        let twice = r#"{"id":"urn:x","n":{"type":"T"}}"#;
        assert!(!agree(&format!("[{twice},{twice}]")));
        let deeper = format!(r#"{{"id":"urn:y","m":{twice}}}"#);
        assert!(!agree(&format!("[{deeper},{deeper}]")));
    }

    #[test]
    fn an_id_is_an_absolute_iri_that_readers_keep() {
        assert!(agree(r#"{"id":"https://example.org/é"}"#));
        for id in ["x", "elm:x", "_:b0", "urn:a b", "urn:a\\\\b", "", "URN:x"] {
            assert!(!agree(&format!(r#"{{"id":"{id}"}}"#)), "{id}");
        }
        assert!(!agree(r#"{"id":5}"#));
    }
}
