//! The bridge: what the `jsonschema` crate wants to know of a value, asked of our own tree.

use std::borrow::Cow;

use jsonschema::{
    JsonType,
    json::{Array, Json, JsonNumber, Node, NodeIdentity, Object},
};
use jsonschema_value::{LazyInstance, cmp};
use serde_json::Value as SerdeValue;

use crate::json::{
    document::Document,
    value::{Content, Elements, Members, Number, Place, Shape, Value},
};

/// Our documents as a representation of JSON.
pub(crate) struct Instance;

/// A value of a document, or a member name standing in for one (`propertyNames`).
#[derive(Clone, Copy)]
pub(crate) enum InstanceNode<'a> {
    Value(Value<'a>),
    Name(&'a str),
}

impl<'a> InstanceNode<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        Self::Value(document.root())
    }

    fn content(self) -> Content<'a> {
        match self {
            Self::Value(value) => value.content(),
            Self::Name(name) => Content::String(Cow::Borrowed(name)),
        }
    }
}

impl Json for Instance {
    type Node<'a> = InstanceNode<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = String;

    // A lookup walks over the members, so one walk for all is as cheap as two lookups.
    const KEYS_PER_LOOKUP: usize = 8;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>(buffer: &mut String, string: &str, f: impl FnOnce(InstanceNode<'_>) -> T) -> T {
        buffer.clear();
        buffer.push_str(string);
        f(InstanceNode::Name(buffer))
    }
}

impl<'a> Node<'a, Instance> for InstanceNode<'a> {
    type Object = InstanceObject<'a>;
    type Array = Elements<'a>;
    type Number = Number<'a>;

    #[inline]
    fn as_object(&self) -> Option<InstanceObject<'a>> {
        match self {
            Self::Value(value) if value.shape() == Shape::Object => Some(InstanceObject(*value)),
            _ => None,
        }
    }

    #[inline]
    fn as_array(&self) -> Option<Elements<'a>> {
        match self {
            Self::Value(value) => value.elements(),
            Self::Name(_) => None,
        }
    }

    #[inline]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Value(value) => value.as_str(),
            Self::Name(name) => Some(Cow::Borrowed(name)),
        }
    }

    fn as_number(&self) -> Option<Number<'a>> {
        match self.content() {
            Content::Number(number) => Some(number),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.content() {
            Content::Bool(boolean) => Some(boolean),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        self.json_type() == JsonType::Null
    }

    fn is_number(&self) -> bool {
        self.json_type() == JsonType::Number
    }

    fn json_type(&self) -> JsonType {
        match self {
            Self::Value(value) => value.json_type(),
            Self::Name(_) => JsonType::String,
        }
    }

    fn equals_value(&self, expected: &SerdeValue) -> bool {
        match (self.content(), expected) {
            (Content::String(text), SerdeValue::String(expected)) => text == *expected,
            (Content::Null, SerdeValue::Null) => true,
            (Content::Bool(boolean), SerdeValue::Bool(expected)) => boolean == *expected,
            (Content::Number(_), SerdeValue::Number(_)) => cmp::equal(&self.to_value(), expected),
            (Content::Array(mut elements), SerdeValue::Array(expected)) => {
                expected.iter().all(|value| elements.next().is_some_and(|own| Self::Value(own).equals_value(value)))
                    && elements.next().is_none()
            }
            // Names are unique on both sides, so as many members that are all expected are the same members.
            (Content::Object(mut members), SerdeValue::Object(expected)) => {
                let mut count = 0;
                members.all(|(name, own)| {
                    count += 1;
                    expected.get(&*name).is_some_and(|value| Self::Value(own).equals_value(value))
                }) && count == expected.len()
            }
            _ => false,
        }
    }

    fn to_value(&self) -> Cow<'a, SerdeValue> {
        Cow::Owned(match self {
            Self::Value(value) => to_serde(*value),
            Self::Name(name) => SerdeValue::String((*name).to_owned()),
        })
    }

    /// Messages are masked, so of a value they only ask how many elements it has. Names they may tell.
    fn lazy_value(&self) -> LazyInstance<'a> {
        let value = match (self, self.as_array()) {
            (Self::Name(name), _) => SerdeValue::String((*name).to_owned()),
            (_, Some(elements)) => SerdeValue::Array(elements.map(|_| SerdeValue::Null).collect()),
            (_, None) => SerdeValue::Null,
        };
        LazyInstance::Ready(Cow::Owned(value))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Self::Value(value) => {
                let (address, tag) = value.identity();
                Some(NodeIdentity::tagged(address, tag))
            }
            Self::Name(name) => Some(NodeIdentity::new(name.as_ptr() as usize)),
        }
    }
}

/// A value that is an object.
pub(crate) struct InstanceObject<'a>(Value<'a>);

impl<'a> Object<'a, Instance> for InstanceObject<'a> {
    type Node = InstanceNode<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = InstanceMembers<'a>;

    fn len(&self) -> usize {
        self.0.members().map_or(0, Iterator::count)
    }

    fn get(&self, name: &Box<str>) -> Option<InstanceNode<'a>> {
        self.0.member(name).map(InstanceNode::Value)
    }

    fn members(&self) -> InstanceMembers<'a> {
        InstanceMembers(self.0.members())
    }
}

/// The members of an object.
pub(crate) struct InstanceMembers<'a>(Option<Members<'a>>);

impl<'a> Iterator for InstanceMembers<'a> {
    type Item = (Cow<'a, str>, InstanceNode<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.as_mut()?.next()?;
        Some((name, InstanceNode::Value(value)))
    }
}

impl<'a> Array<'a, Instance> for Elements<'a> {
    type Node = InstanceNode<'a>;
    type ElementsIter = std::iter::Map<Elements<'a>, fn(Value<'a>) -> InstanceNode<'a>>;

    fn len(&self) -> usize {
        self.clone().count()
    }

    fn elements(&self) -> Self::ElementsIter {
        self.clone().map(InstanceNode::Value)
    }
}

impl JsonNumber for Number<'_> {
    fn as_u64(&self) -> Option<u64> {
        if self.integer { self.digits().parse().ok() } else { None }
    }

    fn as_i64(&self) -> Option<i64> {
        if self.integer { self.digits().parse().ok() } else { None }
    }

    fn as_f64(&self) -> Option<f64> {
        Some(Number::as_f64(self))
    }

    fn as_str(&self) -> Cow<'_, str> {
        if self.integer { self.digits() } else { Cow::Borrowed(self.text) }
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(serde_number(*self))
    }

    fn is_integer(&self) -> bool {
        self.integer || Number::as_f64(self).fract() == 0.0
    }

    fn is_written_as_integer(&self) -> bool {
        self.integer
    }
}

fn serde_number(number: Number<'_>) -> serde_json::Number {
    // The token follows the grammar and is finite, so that it is a number for serde_json too.
    let text = if number.integer { number.digits() } else { Cow::Borrowed(number.text) };
    text.parse().unwrap_or_else(|_| serde_json::Number::from(0))
}

/// A value in the `serde_json` representation: schemas, and cold paths.
pub(crate) fn to_serde(value: Value<'_>) -> SerdeValue {
    match value.content() {
        Content::Null => SerdeValue::Null,
        Content::Bool(boolean) => SerdeValue::Bool(boolean),
        Content::Number(number) => SerdeValue::Number(serde_number(number)),
        Content::String(text) => SerdeValue::String(text.into_owned()),
        Content::Array(elements) => SerdeValue::Array(elements.map(to_serde).collect()),
        Content::Object(members) => {
            SerdeValue::Object(members.map(|(name, value)| (name.into_owned(), to_serde(value))).collect())
        }
    }
}

impl Value<'_> {
    fn json_type(&self) -> JsonType {
        match self.shape() {
            Shape::Null => JsonType::Null,
            Shape::Bool => JsonType::Boolean,
            Shape::Number => JsonType::Number,
            Shape::String => JsonType::String,
            Shape::Array => JsonType::Array,
            Shape::Object => JsonType::Object,
        }
    }

    /// Where the value is stored: no two values of a document share it while the document lives.
    fn identity(&self) -> (usize, u32) {
        match self.0 {
            Place::Tape(reader) => (std::ptr::from_ref(reader.found) as usize, reader.index),
            Place::Node(node) => (std::ptr::from_ref(node) as usize, u32::MAX),
        }
    }
}
