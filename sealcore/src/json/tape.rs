//! What a parse leaves behind: one entry for each value, in document order, each a span of the input.

use std::{borrow::Cow, sync::Arc};

use super::string;

/// The input, shared by every document that was made from it.
pub(crate) type Source = Arc<dyn AsRef<[u8]> + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// Facts about an entry that its reader would otherwise have to find out again.
pub(crate) mod flag {
    /// The value's span is its own canonical form.
    pub(crate) const CANONICAL: u8 = 1;
    /// The string's text holds escapes.
    pub(crate) const ESCAPED: u8 = 1 << 1;
    /// The value's canonical text is in `Tape::aux` (strings: instead of the input; numbers: beside it).
    pub(crate) const AUX: u8 = 1 << 2;
    /// The name's text holds escapes.
    pub(crate) const NAME_ESCAPED: u8 = 1 << 3;
    /// The name's span is in `Tape::aux`.
    pub(crate) const NAME_AUX: u8 = 1 << 4;
    /// From the name's first quote to the value's end the input is canonical.
    pub(crate) const MEMBER: u8 = 1 << 5;
    /// The object's members stand in canonical order in the input.
    pub(crate) const SORTED: u8 = 1 << 6;
    /// The number is written without fraction and exponent.
    pub(crate) const INTEGER: u8 = 1 << 7;
}

/// One value, and its name where it is a member. Spans of strings and names include the quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name_start: u32,
    /// 0 where the value has no name, as it is an element or the root.
    pub(crate) name_end: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The index after this value's last descendant.
    pub(crate) next: u32,
    /// The next member in canonical order where the object is not `SORTED`; 0 ends the list.
    pub(crate) after: u32,
    /// An unsorted object's first member in canonical order; a number's text in `aux`; else 0.
    pub(crate) extra: u32,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// Length of a number's text in `aux`.
    pub(crate) aux_length: u8,
}

impl Entry {
    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A parsed text. Every span lies within `source` or `aux` on character boundaries: the parser is the only maker.
pub(crate) struct Tape {
    pub(crate) source: Source,
    pub(crate) entries: Vec<Entry>,
    /// Canonical texts of the strings and numbers that are not written canonically.
    pub(crate) aux: Vec<u8>,
}

impl Tape {
    pub(crate) fn view(&self) -> View<'_> {
        View { text: (*self.source).as_ref(), entries: &self.entries, aux: &self.aux }
    }
}

/// A tape to read from.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) entries: &'a [Entry],
    pub(crate) aux: &'a [u8],
}

impl<'a> View<'a> {
    pub(crate) fn entry(&self, index: u32) -> &'a Entry {
        &self.entries[index as usize]
    }

    /// The name of a member as it is written, with its quotes; escapes are canonical or as in the input.
    pub(crate) fn name_text(&self, entry: &Entry) -> &'a [u8] {
        let buffer = if entry.has(flag::NAME_AUX) { self.aux } else { self.text };
        &buffer[entry.name_start as usize..entry.name_end as usize]
    }

    /// The member's name, unescaped.
    pub(crate) fn name(&self, entry: &Entry) -> Cow<'a, str> {
        string::unescape(string::inside(self.name_text(entry)), entry.has(flag::NAME_ESCAPED))
    }

    /// Whether the member is called `name`, without unescaping where nothing is escaped.
    pub(crate) fn is_named(&self, entry: &Entry, name: &str) -> bool {
        if entry.has(flag::NAME_ESCAPED) {
            return string::unescape(string::inside(self.name_text(entry)), true) == name;
        }
        // Most names differ in length already; the quotes are two more.
        (entry.name_end - entry.name_start) as usize == name.len() + 2
            && string::inside(self.name_text(entry)) == name.as_bytes()
    }

    /// The string's value, unescaped.
    pub(crate) fn string(&self, entry: &Entry) -> Cow<'a, str> {
        let buffer = if entry.has(flag::AUX) { self.aux } else { self.text };
        string::unescape(string::inside(&buffer[entry.start as usize..entry.end as usize]), entry.has(flag::ESCAPED))
    }

    /// The number as it is written.
    pub(crate) fn number(&self, entry: &Entry) -> &'a str {
        // The parser admits only ASCII digits, signs, points and exponents.
        std::str::from_utf8(&self.text[entry.start as usize..entry.end as usize]).unwrap_or("0")
    }

    /// The canonical text of a scalar.
    pub(crate) fn scalar(&self, entry: &Entry) -> &'a [u8] {
        match entry.kind {
            Kind::Number if entry.has(flag::AUX) => {
                let start = entry.extra as usize;
                &self.aux[start..start + usize::from(entry.aux_length)]
            }
            Kind::String if entry.has(flag::AUX) => &self.aux[entry.start as usize..entry.end as usize],
            _ => &self.text[entry.start as usize..entry.end as usize],
        }
    }

    /// The member called `name` of the object at `index`.
    pub(crate) fn member(&self, index: u32, name: &str) -> Option<u32> {
        self.children(index).find(|&child| self.is_named(self.entry(child), name))
    }

    /// The children of the container at `index`, in the order of the text.
    pub(crate) fn children(&self, index: u32) -> Children<'a> {
        Children { entries: self.entries, at: index + 1, end: self.entry(index).next }
    }
}

/// Indices of a container's children.
#[derive(Clone)]
pub(crate) struct Children<'a> {
    entries: &'a [Entry],
    at: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        (self.at < self.end).then(|| {
            let index = self.at;
            self.at = self.entries[index as usize].next;
            index
        })
    }
}
