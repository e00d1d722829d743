//! The document: parsed once, immutable, shared by the documents that edits make of it.

use std::sync::{Arc, OnceLock};

use super::{
    canonical,
    parse::{self, HIGHEST_MAX_DEPTH, Limits},
    pointer::{self, Pointer},
    string,
    tape::{Source, Tape},
    value::{Content, Value},
};
use crate::error::{Error, JsonRule};

/// A value's storage: still the text it was parsed from, or the spine that an edit put above such values.
#[derive(Clone)]
pub(crate) enum Node {
    Parsed(Arc<Tape>, u32),
    Array(Arc<[Node]>),
    /// Names are unique; the order is that of the text.
    Object(Arc<[(Arc<str>, Node)]>),
    /// A template's hole.
    Hole(u32),
}

/// A JSON document. Cloning shares everything.
#[derive(Clone)]
pub struct Document {
    root: Node,
    /// At least the nesting of containers.
    height: u32,
    canonical: Arc<OnceLock<Arc<[u8]>>>,
}

impl Document {
    /// Parse a text under the rules of `docs/canonical-json.md`.
    ///
    /// # Errors
    /// [`Error::Json`] with the byte offset and the rule.
    pub fn parse(text: impl AsRef<[u8]> + Send + Sync + 'static, limits: Limits) -> Result<Self, Error> {
        Self::parse_shared(Arc::new(text), limits)
    }

    pub(crate) fn parse_shared(source: Source, limits: Limits) -> Result<Self, Error> {
        let tape = Arc::new(parse::parse(source, limits)?);
        Ok(Self::with_root(Node::Parsed(tape, 0), limits.max_depth.min(HIGHEST_MAX_DEPTH)))
    }

    fn with_root(root: Node, height: u32) -> Self {
        Self { root, height, canonical: Arc::default() }
    }

    /// The whole document, to read from.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value::of(&self.root)
    }

    /// The value at `pointer`, if there is one.
    #[must_use]
    pub fn value(&self, pointer: &Pointer) -> Option<Value<'_>> {
        self.root().at(pointer)
    }

    /// The value at `pointer` as a document of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub fn at(&self, pointer: &str) -> Result<Self, Error> {
        let mut node = self.root.clone();
        for token in Pointer::parse(pointer)?.tokens() {
            node = child(&node, token).ok_or_else(|| not_found(pointer, "nothing is there"))?;
        }
        Ok(Self::with_root(node, self.height))
    }

    /// RFC 8785 bytes, made once.
    #[must_use]
    pub fn canonical(&self) -> Arc<[u8]> {
        self.canonical
            .get_or_init(|| {
                let mut out = Vec::new();
                write_node(&self.root, &mut out, &mut Vec::new());
                out.into()
            })
            .clone()
    }

    /// Replace or add what stands at `pointer`; `-` and an array's length add at its end.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the parent is missing or is no container, [`Error::Json`] where the result is too deep.
    pub fn set(&self, pointer: &str, value: &Document) -> Result<Self, Error> {
        self.edited(pointer, value, &Edit::Set(value.root.clone()))
    }

    /// Take away what stands at `pointer`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing is there; [`Error::Argument`] for the whole document.
    pub fn remove(&self, pointer: &str) -> Result<Self, Error> {
        let tokens = Pointer::parse(pointer)?;
        if tokens.tokens().is_empty() {
            return Err(Error::Argument("the whole document cannot be removed".into()));
        }
        Ok(Self::with_root(edit(&self.root, tokens.tokens(), &Edit::Remove, pointer)?, self.height))
    }

    /// Append to the array at `pointer`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no array is there, [`Error::Json`] where the result is too deep.
    pub fn append(&self, pointer: &str, value: &Document) -> Result<Self, Error> {
        self.edited(pointer, value, &Edit::Append(value.root.clone()))
    }

    fn edited(&self, pointer: &str, value: &Document, change: &Edit) -> Result<Self, Error> {
        let tokens = Pointer::parse(pointer)?;
        let root = edit(&self.root, tokens.tokens(), change, pointer)?;
        // One container for each token, and the array that is appended to.
        let above = tokens.tokens().len() + usize::from(matches!(change, Edit::Append(_)));
        let above = u32::try_from(above).unwrap_or(u32::MAX);
        let mut height = self.height.max(value.height.saturating_add(above));
        if height > HIGHEST_MAX_DEPTH {
            // Heights are upper bounds, so count before refusing.
            let value_height = value.root().height().saturating_add(above);
            height = self.height.max(value_height);
        }
        if height > HIGHEST_MAX_DEPTH {
            return Err(Error::json(0, JsonRule::TooDeep));
        }
        Ok(Self::with_root(root, height))
    }

    /// The document with each pointer's value replaced by a hole.
    pub(crate) fn with_holes(&self, pointers: &[impl AsRef<str>]) -> Result<Node, Error> {
        let mut root = self.root.clone();
        for (hole, pointer) in (0..).zip(pointers) {
            let pointer = pointer.as_ref();
            let tokens = Pointer::parse(pointer)?;
            if self.value(&tokens).is_none() {
                return Err(not_found(pointer, "nothing is there that a hole could replace"));
            }
            if Value::of(&root).at(&tokens).is_none() {
                return Err(Error::Argument(format!("{pointer:?} lies within another hole of the template")));
            }
            root = edit(&root, tokens.tokens(), &Edit::Set(Node::Hole(hole)), pointer)?;
        }
        Ok(root)
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Document {}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the content: documents hold learner data.
        f.debug_struct("Document").finish_non_exhaustive()
    }
}

enum Edit {
    Set(Node),
    Remove,
    Append(Node),
}

fn not_found(pointer: &str, message: &'static str) -> Error {
    Error::NotFound { pointer: pointer.to_owned(), message }
}

/// The child that a reference token names.
fn child(node: &Node, token: &str) -> Option<Node> {
    match node {
        Node::Parsed(tape, index) => {
            let view = tape.view();
            let child = match view.entry(*index).kind {
                super::tape::Kind::Object => view.member(*index, token)?,
                super::tape::Kind::Array => view.children(*index).nth(pointer::array_index(token)?)?,
                _ => return None,
            };
            Some(Node::Parsed(tape.clone(), child))
        }
        Node::Array(elements) => elements.get(pointer::array_index(token)?).cloned(),
        Node::Object(members) => members.iter().find(|(name, _)| **name == *token).map(|(_, node)| node.clone()),
        Node::Hole(_) => None,
    }
}

/// A copy of `node` with one change at the end of the path; what is not on the path is shared.
fn edit(node: &Node, path: &[String], change: &Edit, pointer: &str) -> Result<Node, Error> {
    let Some((token, rest)) = path.split_first() else {
        return edit_here(node, change, pointer);
    };
    let last = rest.is_empty() && !matches!(change, Edit::Append(_));
    match spine(node) {
        Node::Array(elements) => {
            let mut elements = elements.to_vec();
            edit_element(&mut elements, token, rest, change, last, pointer)?;
            Ok(Node::Array(elements.into()))
        }
        Node::Object(members) => {
            let mut members = members.to_vec();
            edit_member(&mut members, token, rest, change, last, pointer)?;
            Ok(Node::Object(members.into()))
        }
        _ => Err(not_found(pointer, "the parent is neither an object nor an array")),
    }
}

fn edit_here(node: &Node, change: &Edit, pointer: &str) -> Result<Node, Error> {
    match change {
        Edit::Set(value) => Ok(value.clone()),
        Edit::Append(value) => match spine(node) {
            Node::Array(elements) => Ok(Node::Array(elements.iter().cloned().chain([value.clone()]).collect())),
            _ => Err(not_found(pointer, "no array is there")),
        },
        Edit::Remove => Err(not_found(pointer, "nothing is there")),
    }
}

fn edit_element(
    elements: &mut Vec<Node>,
    token: &str,
    rest: &[String],
    change: &Edit,
    last: bool,
    pointer: &str,
) -> Result<(), Error> {
    let position = if token == "-" { Some(elements.len()) } else { pointer::array_index(token) };
    let position = position.ok_or_else(|| not_found(pointer, "an array has numbers for tokens"))?;
    if last && position == elements.len() {
        if let Edit::Set(value) = change {
            elements.push(value.clone());
            return Ok(());
        }
    }
    if position >= elements.len() {
        return Err(not_found(pointer, "the array is shorter"));
    }
    if last && matches!(change, Edit::Remove) {
        elements.remove(position);
    } else {
        elements[position] = edit(&elements[position], rest, change, pointer)?;
    }
    Ok(())
}

fn edit_member(
    members: &mut Vec<(Arc<str>, Node)>,
    token: &str,
    rest: &[String],
    change: &Edit,
    last: bool,
    pointer: &str,
) -> Result<(), Error> {
    match (members.iter().position(|(name, _)| **name == *token), change) {
        (Some(position), Edit::Remove) if last => {
            members.remove(position);
        }
        (Some(position), _) => members[position].1 = edit(&members[position].1, rest, change, pointer)?,
        (None, Edit::Set(value)) if last => members.push((token.into(), value.clone())),
        (None, _) => return Err(not_found(pointer, "there is no such member")),
    }
    Ok(())
}

/// A container as a list of nodes; its children stay where they are.
fn spine(node: &Node) -> Node {
    let Node::Parsed(tape, index) = node else {
        return node.clone();
    };
    let view = tape.view();
    let child = |index| Node::Parsed(tape.clone(), index);
    match Value::of(node).content() {
        Content::Array(_) => Node::Array(view.children(*index).map(child).collect()),
        Content::Object(_) => {
            Node::Object(view.children(*index).map(|at| (view.name(view.entry(at)).into(), child(at))).collect())
        }
        _ => node.clone(),
    }
}

/// Append the canonical form; a hole leaves nothing but its place and number in `holes`.
pub(crate) fn write_node(node: &Node, out: &mut Vec<u8>, holes: &mut Vec<(usize, u32)>) {
    match node {
        Node::Parsed(tape, index) => canonical::write(tape.view(), *index, out),
        Node::Hole(hole) => holes.push((out.len(), *hole)),
        Node::Array(elements) => {
            out.push(b'[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_node(element, out, holes);
            }
            out.push(b']');
        }
        Node::Object(members) => {
            let mut ordered: Vec<_> = members.iter().collect();
            ordered.sort_by(|(left, _), (right, _)| string::compare(left.as_bytes(), right.as_bytes()));
            out.push(b'{');
            for (position, (name, value)) in ordered.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                string::write(name, out);
                out.push(b':');
                write_node(value, out, holes);
            }
            out.push(b'}');
        }
    }
}
