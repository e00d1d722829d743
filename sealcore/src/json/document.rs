//! The document: parsed once, immutable, shared by the documents that edits make of it.

use std::sync::{Arc, OnceLock};

use memchr::memmem;

use super::{
    canonical,
    parse::{self, HIGHEST_MAX_DEPTH, Limits},
    pointer::{self, Pointer},
    string,
    tape::{Kind, Source, Tape},
    value::Value,
};
use crate::error::{Error, JsonRule};

/// A value's storage: still the text it was parsed from, or the spine that an edit put above such values.
#[derive(Clone)]
pub(crate) enum Node {
    Parsed(Arc<Tape>, u32),
    Array(Arc<Vec<Node>>),
    /// Names are unique; the order is that of the text.
    Object(Arc<Vec<(Arc<str>, Node)>>),
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
        let height = tape.found.height;
        Ok(Self::with_root(Node::Parsed(tape, 0), height))
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
        Some(match find(&self.root, pointer.tokens())? {
            Place::Tape(tape, index) => Value::on_tape(tape, index),
            Place::Node(node) => Value::of(node),
        })
    }

    /// Whether there is a value at `pointer`.
    #[must_use]
    pub fn has(&self, pointer: &Pointer) -> bool {
        find(&self.root, pointer.tokens()).is_some()
    }

    /// The value at `pointer` as a document of its own.
    ///
    /// # Errors
    /// [`Error::NotFound`]
    pub fn at(&self, pointer: &str) -> Result<Self, Error> {
        let tokens = Pointer::parse(pointer)?;
        let place = find(&self.root, tokens.tokens()).ok_or_else(|| not_found(pointer, "nothing is there"))?;
        let node = match place {
            Place::Tape(tape, index) => Node::Parsed(tape.clone(), index),
            Place::Node(node) => node.clone(),
        };
        Ok(Self::with_root(node, self.height))
    }

    /// Whether it may stand that far inside others.
    pub(crate) fn fits_below(&self, above: usize) -> bool {
        let fits = |height: u32| above.saturating_add(height as usize) <= HIGHEST_MAX_DEPTH as usize;
        // Heights are upper bounds, so count before refusing.
        fits(self.height) || fits(self.root().height())
    }

    /// RFC 8785 bytes, made once.
    #[must_use]
    pub fn canonical(&self) -> Arc<[u8]> {
        let write = |out: &mut Vec<u8>| {
            write_node(&self.root, out, &mut Vec::new());
            Arc::from(&out[..])
        };
        self.canonical.get_or_init(|| super::with_scratch(write)).clone()
    }

    /// Whether `text` stands anywhere in the canonical bytes: within a string or a name, or across several tokens.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        memmem::find(&self.canonical(), text.as_bytes()).is_some()
    }

    /// Replace or add what stands at `pointer`; `-` and an array's length add at its end.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the parent is missing or is no container, [`Error::Value`] where the result is too deep.
    pub fn set(&self, pointer: &str, value: &Document) -> Result<Self, Error> {
        self.set_many([(pointer, value)])
    }

    /// [`Document::set`] for each pair in turn, at the cost of little more than one: what the first copies, the others
    /// change in place.
    ///
    /// # Errors
    /// Those of [`Document::set`].
    pub fn set_many<'a>(&self, values: impl IntoIterator<Item = (&'a str, &'a Document)>) -> Result<Self, Error> {
        let mut edited = self.draft();
        for (pointer, value) in values {
            edited.put(pointer, value, Edit::Set)?;
        }
        Ok(edited)
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
        let mut edited = self.draft();
        edit(&mut edited.root, tokens.tokens(), Edit::Remove, pointer)?;
        Ok(edited)
    }

    /// Append to the array at `pointer`.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no array is there, [`Error::Value`] where the result is too deep.
    pub fn append(&self, pointer: &str, value: &Document) -> Result<Self, Error> {
        let mut edited = self.draft();
        edited.put(pointer, value, Edit::Append)?;
        Ok(edited)
    }

    /// The same document, to be edited: its canonical bytes are to be made anew.
    fn draft(&self) -> Self {
        Self::with_root(self.root.clone(), self.height)
    }

    /// Edit a draft, and keep count of its height.
    fn put(&mut self, pointer: &str, value: &Document, change: fn(Node) -> Edit) -> Result<(), Error> {
        let tokens = Pointer::parse(pointer)?;
        let change = change(value.root.clone());
        // One container for each token, and the array that is appended to.
        let above = tokens.tokens().len() + usize::from(matches!(change, Edit::Append(_)));
        let above = u32::try_from(above).unwrap_or(u32::MAX);
        edit(&mut self.root, tokens.tokens(), change, pointer)?;
        self.height = self.height.max(value.height.saturating_add(above));
        if self.height > HIGHEST_MAX_DEPTH {
            // Heights are upper bounds, so count before refusing.
            self.height = self.root().height();
        }
        if self.height > HIGHEST_MAX_DEPTH {
            return Err(Error::Value { pointer: pointer.to_owned(), rule: JsonRule::TooDeep });
        }
        Ok(())
    }

    /// The document with each pointer's value replaced by a hole.
    pub(crate) fn with_holes(&self, pointers: &[impl AsRef<str>]) -> Result<Node, Error> {
        let mut root = self.root.clone();
        for (hole, pointer) in (0..).zip(pointers) {
            let pointer = pointer.as_ref();
            let tokens = Pointer::parse(pointer)?;
            if !self.has(&tokens) {
                return Err(not_found(pointer, "nothing is there that a hole could replace"));
            }
            if find(&root, tokens.tokens()).is_none() {
                return Err(Error::Argument(format!("{pointer:?} lies within another hole of the template")));
            }
            edit(&mut root, tokens.tokens(), Edit::Set(Node::Hole(hole)), pointer)?;
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

/// Where a pointer leads.
enum Place<'a> {
    Tape(&'a Arc<Tape>, u32),
    Node(&'a Node),
}

fn find<'a>(node: &'a Node, path: &[String]) -> Option<Place<'a>> {
    let Some((token, rest)) = path.split_first() else {
        return Some(Place::Node(node));
    };
    match node {
        Node::Parsed(tape, index) => {
            let view = tape.view();
            let index = path.iter().try_fold(*index, |index, token| view.child(index, token))?;
            Some(Place::Tape(tape, index))
        }
        Node::Array(elements) => find(elements.get(pointer::array_index(token)?)?, rest),
        Node::Object(members) => find(&members.iter().find(|(name, _)| **name == *token)?.1, rest),
        Node::Hole(_) => None,
    }
}

/// Change what stands at the end of the path. What others share with `node` is copied first, but for what is not on the
/// path: that stays shared.
fn edit(node: &mut Node, path: &[String], change: Edit, pointer: &str) -> Result<(), Error> {
    let Some((token, rest)) = path.split_first() else {
        return edit_here(node, change, pointer);
    };
    match unfolded(node) {
        Node::Array(elements) => edit_element(Arc::make_mut(elements), token, rest, change, pointer),
        Node::Object(members) => edit_member(Arc::make_mut(members), token, rest, change, pointer),
        _ => Err(not_found(pointer, "the parent is neither an object nor an array")),
    }
}

fn edit_here(node: &mut Node, change: Edit, pointer: &str) -> Result<(), Error> {
    match change {
        Edit::Set(value) => *node = value,
        Edit::Append(value) => match unfolded(node) {
            Node::Array(elements) => Arc::make_mut(elements).push(value),
            _ => return Err(not_found(pointer, "no array is there")),
        },
        Edit::Remove => return Err(not_found(pointer, "nothing is there")),
    }
    Ok(())
}

fn edit_element(
    elements: &mut Vec<Node>,
    token: &str,
    rest: &[String],
    change: Edit,
    pointer: &str,
) -> Result<(), Error> {
    let position = if token == "-" { Some(elements.len()) } else { pointer::array_index(token) };
    let position = position.ok_or_else(|| not_found(pointer, "an array has numbers for tokens"))?;
    let at_end = position == elements.len();
    match (elements.get_mut(position), change) {
        (Some(_), Edit::Remove) if rest.is_empty() => drop(elements.remove(position)),
        (Some(element), change) => edit(element, rest, change, pointer)?,
        (None, Edit::Set(value)) if rest.is_empty() && at_end => elements.push(value),
        (None, _) => return Err(not_found(pointer, "the array is shorter")),
    }
    Ok(())
}

fn edit_member(
    members: &mut Vec<(Arc<str>, Node)>,
    token: &str,
    rest: &[String],
    change: Edit,
    pointer: &str,
) -> Result<(), Error> {
    match (members.iter().position(|(name, _)| **name == *token), change) {
        (Some(position), Edit::Remove) if rest.is_empty() => drop(members.remove(position)),
        (Some(position), change) => edit(&mut members[position].1, rest, change, pointer)?,
        (None, Edit::Set(value)) if rest.is_empty() => members.push((token.into(), value)),
        (None, _) => return Err(not_found(pointer, "there is no such member")),
    }
    Ok(())
}

/// `node`, once a container is a list of nodes; its children stay where they are.
fn unfolded(node: &mut Node) -> &mut Node {
    if let Node::Parsed(tape, index) = node {
        let view = tape.view();
        let child = |index| Node::Parsed(tape.clone(), index);
        match view.entry(*index).kind {
            Kind::Array => *node = Node::Array(Arc::new(view.children(*index).map(child).collect())),
            Kind::Object => {
                let member = |at| (view.name(view.entry(at)).into(), child(at));
                *node = Node::Object(Arc::new(view.children(*index).map(member).collect()));
            }
            _ => {}
        }
    }
    node
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
