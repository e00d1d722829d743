//! Reading a document: a [`Value`] is a cheap view of one JSON value, whatever it is stored in.

use std::{borrow::Cow, sync::Arc};

use super::{
    document::Node,
    pointer::{self, Pointer},
    tape::{Children, Kind, Reader, Tape, flag},
};

/// A view of one value; copying it costs nothing.
#[derive(Clone, Copy)]
pub struct Value<'a>(pub(crate) Place<'a>);

/// Never a node that is still parsed text: that is its tape.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Tape(Reader<'a>),
    Node(&'a Node),
}

/// What a value is, ready to take apart.
pub enum Content<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(Number<'a>),
    /// A string, unescaped
    String(Cow<'a, str>),
    /// An array
    Array(Elements<'a>),
    /// An object, members in the order of the text
    Object(Members<'a>),
}

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of RFC 8259 section 1
pub enum Shape {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a> {
    /// The token.
    pub text: &'a str,
    /// Whether the token has neither fraction nor exponent.
    pub integer: bool,
}

impl<'a> Number<'a> {
    /// The number as a double, correctly rounded.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        self.text.parse().unwrap_or(0.0)
    }

    /// The digits of an integer: of the double that it is. Beyond 2^53 ECMAScript writes other ones, which are the
    /// shortest that read as that double.
    #[must_use]
    pub fn digits(&self) -> Cow<'a, str> {
        const SURELY_EXACT: usize = 15;
        if self.text.len() <= SURELY_EXACT {
            Cow::Borrowed(self.text)
        } else {
            Cow::Owned(format!("{:.0}", self.as_f64()))
        }
    }
}

impl<'a> Value<'a> {
    pub(crate) fn of(node: &'a Node) -> Self {
        match node {
            Node::Parsed(tape, index) => Self::on_tape(tape, *index),
            _ => Self(Place::Node(node)),
        }
    }

    pub(crate) fn on_tape(tape: &'a Tape, index: u32) -> Self {
        Self(Place::Tape(Reader::of(tape.view(), index)))
    }

    /// Take the value apart.
    #[must_use]
    pub fn content(&self) -> Content<'a> {
        let reader = match self.0 {
            Place::Tape(reader) => reader,
            Place::Node(Node::Array(elements)) => return Content::Array(Elements::Nodes(elements.iter())),
            Place::Node(Node::Object(members)) => return Content::Object(Members::Nodes(members.iter())),
            Place::Node(Node::Parsed(..) | Node::Hole(_)) => return Content::Null,
        };
        let entry = reader.entry();
        match entry.kind {
            Kind::Null => Content::Null,
            Kind::False => Content::Bool(false),
            Kind::True => Content::Bool(true),
            Kind::Number => Content::Number(Number { text: reader.number(), integer: entry.has(flag::INTEGER) }),
            Kind::String => Content::String(reader.string()),
            Kind::Array => Content::Array(Elements::Tape(reader, reader.children())),
            Kind::Object => Content::Object(Members::Tape(reader, reader.children())),
        }
    }

    /// What kind of value it is, without taking it apart.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let reader = match self.0 {
            Place::Tape(reader) => reader,
            Place::Node(Node::Array(_)) => return Shape::Array,
            Place::Node(Node::Object(_)) => return Shape::Object,
            Place::Node(Node::Parsed(..) | Node::Hole(_)) => return Shape::Null,
        };
        match reader.entry().kind {
            Kind::Null => Shape::Null,
            Kind::False | Kind::True => Shape::Bool,
            Kind::Number => Shape::Number,
            Kind::String => Shape::String,
            Kind::Array => Shape::Array,
            Kind::Object => Shape::Object,
        }
    }

    /// The value as it is written, where it stands in a text: what is written alike is equal.
    pub(crate) fn written(&self) -> Option<&'a [u8]> {
        match self.0 {
            Place::Tape(reader) => Some(reader.written()),
            Place::Node(_) => None,
        }
    }

    /// The members, where the value is an object.
    #[must_use]
    pub fn members(&self) -> Option<Members<'a>> {
        match self.0 {
            Place::Tape(reader) if reader.entry().kind == Kind::Object => {
                Some(Members::Tape(reader, reader.children()))
            }
            Place::Node(Node::Object(members)) => Some(Members::Nodes(members.iter())),
            _ => None,
        }
    }

    /// The elements, where the value is an array.
    #[must_use]
    pub fn elements(&self) -> Option<Elements<'a>> {
        match self.0 {
            Place::Tape(reader) if reader.entry().kind == Kind::Array => {
                Some(Elements::Tape(reader, reader.children()))
            }
            Place::Node(Node::Array(elements)) => Some(Elements::Nodes(elements.iter())),
            _ => None,
        }
    }

    /// The string, where the value is one.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match self.0 {
            Place::Tape(reader) if reader.entry().kind == Kind::String => Some(reader.string()),
            _ => None,
        }
    }

    /// The member called `name`, where the value is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Value<'a>> {
        match self.0 {
            Place::Tape(reader) if reader.entry().kind == Kind::Object => Some(Self(Place::Tape(reader.member(name)?))),
            Place::Node(Node::Object(members)) => {
                members.iter().find(|(member, _)| **member == *name).map(|(_, node)| Self::of(node))
            }
            _ => None,
        }
    }

    /// The element at `position`, where the value is an array that is long enough.
    #[must_use]
    pub fn element(&self, position: usize) -> Option<Value<'a>> {
        self.elements()?.nth(position)
    }

    /// The value at `pointer` below this one.
    #[must_use]
    pub fn at(&self, pointer: &Pointer) -> Option<Value<'a>> {
        pointer.tokens().iter().try_fold(*self, |value, token| value.child(token))
    }

    fn child(&self, token: &str) -> Option<Value<'a>> {
        self.member(token).or_else(|| self.element(pointer::array_index(token)?))
    }

    /// Visit the arrays and objects right inside it, for as long as `visit` has an answer.
    pub(crate) fn try_each_container(&self, visit: impl FnMut(Value<'a>) -> Option<()>) -> Option<()> {
        let is_container = |value: &Value<'a>| matches!(value.shape(), Shape::Array | Shape::Object);
        match self.0 {
            Place::Tape(reader) => {
                let children = reader.children().map(|child| Self(Place::Tape(reader.inside(child))));
                children.filter(is_container).try_for_each(visit)
            }
            Place::Node(Node::Array(elements)) => {
                elements.iter().map(Self::of).filter(is_container).try_for_each(visit)
            }
            Place::Node(Node::Object(members)) => {
                members.iter().map(|(_, node)| Self::of(node)).filter(is_container).try_for_each(visit)
            }
            Place::Node(_) => Some(()),
        }
    }

    /// Containers within containers: 0 for a scalar, 1 for `[]`.
    #[must_use]
    pub fn height(&self) -> u32 {
        match self.content() {
            Content::Array(elements) => 1 + elements.map(|value| value.height()).max().unwrap_or(0),
            Content::Object(members) => 1 + members.map(|(_, value)| value.height()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// The elements of an array.
#[derive(Clone)]
pub enum Elements<'a> {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    Tape(Reader<'a>, Children<'a>),
    #[doc(hidden)]
    #[allow(private_interfaces)]
    Nodes(std::slice::Iter<'a, Node>),
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::Tape(reader, children) => Some(Value(Place::Tape(reader.inside(children.next()?)))),
            Self::Nodes(nodes) => Some(Value::of(nodes.next()?)),
        }
    }

    fn count(self) -> usize {
        match self {
            Self::Tape(_, children) => children.count(),
            Self::Nodes(nodes) => nodes.len(),
        }
    }
}

/// The members of an object, with their names unescaped.
#[derive(Clone)]
pub enum Members<'a> {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    Tape(Reader<'a>, Children<'a>),
    #[doc(hidden)]
    #[allow(private_interfaces)]
    Nodes(std::slice::Iter<'a, (Arc<str>, Node)>),
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Tape(reader, children) => {
                let member = reader.inside(children.next()?);
                Some((member.name(), Value(Place::Tape(member))))
            }
            Self::Nodes(nodes) => {
                let (name, node) = nodes.next()?;
                Some((Cow::Borrowed(name), Value::of(node)))
            }
        }
    }

    fn count(self) -> usize {
        match self {
            Self::Tape(_, children) => children.count(),
            Self::Nodes(nodes) => nodes.len(),
        }
    }
}
