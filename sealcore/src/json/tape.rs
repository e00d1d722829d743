//! What a parse leaves behind: one entry for each value, in document order, each a span of the input.

use std::{borrow::Cow, sync::Arc};

use super::{pointer, string};

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

/// What a parse has found. Every span lies within the text or `aux` on character boundaries: the parser is the only maker.
#[derive(Clone, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// Canonical texts of the strings and numbers that are not written canonically.
    pub(crate) aux: Vec<u8>,
    /// Containers within containers: 0 for a scalar, 1 for `[]`.
    pub(crate) height: u32,
}

impl Found {
    #[inline]
    pub(crate) fn entry(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    /// The children of the container at `index`, in the order of the text.
    #[inline]
    pub(crate) fn children(&self, index: u32) -> Children<'_> {
        Children { found: self, at: index + 1, end: self.entry(index).next }
    }

    /// The child of the object at `index` whose name `is_named` knows.
    #[inline]
    fn member(&self, index: u32, is_named: impl Fn(&Entry) -> bool) -> Option<u32> {
        self.children(index).find(|&child| is_named(self.entry(child)))
    }
}

/// A parsed text.
pub(crate) struct Tape {
    pub(crate) source: Source,
    pub(crate) found: Found,
}

impl Tape {
    pub(crate) fn view(&self) -> View<'_> {
        View { text: (*self.source).as_ref(), found: &self.found }
    }
}

/// A text, and what was found in it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) found: &'a Found,
}

impl<'a> View<'a> {
    pub(crate) fn entry(&self, index: u32) -> &'a Entry {
        self.found.entry(index)
    }

    /// The name of a member as it is written, with its quotes; escapes are canonical or as in the input.
    pub(crate) fn name_text(&self, entry: &Entry) -> &'a [u8] {
        let buffer = if entry.has(flag::NAME_AUX) { &self.found.aux } else { self.text };
        &buffer[entry.name_start as usize..entry.name_end as usize]
    }

    /// The member's name, unescaped.
    pub(crate) fn name(&self, entry: &Entry) -> Cow<'a, str> {
        string::unescape(string::inside(self.name_text(entry)), entry.has(flag::NAME_ESCAPED))
    }

    /// The canonical text of a scalar.
    pub(crate) fn scalar(&self, entry: &Entry) -> &'a [u8] {
        match entry.kind {
            Kind::Number if entry.has(flag::AUX) => {
                let start = entry.extra as usize;
                &self.found.aux[start..start + usize::from(entry.aux_length)]
            }
            Kind::String if entry.has(flag::AUX) => &self.found.aux[entry.start as usize..entry.end as usize],
            _ => &self.text[entry.start as usize..entry.end as usize],
        }
    }

    /// The child that a reference token of a pointer names.
    pub(crate) fn child(&self, index: u32, token: &str) -> Option<u32> {
        match self.entry(index).kind {
            Kind::Object => self.found.member(index, |entry| is_name(self.name_text(entry), entry, token)),
            Kind::Array => self.children(index).nth(pointer::array_index(token)?),
            _ => None,
        }
    }

    /// The children of the container at `index`, in the order of the text.
    pub(crate) fn children(&self, index: u32) -> Children<'a> {
        self.found.children(index)
    }
}

/// Whether `written` is `name`, without unescaping where nothing is escaped.
#[inline]
fn is_name(written: &[u8], entry: &Entry, name: &str) -> bool {
    if entry.has(flag::NAME_ESCAPED) {
        return string::unescape(string::inside(written), true) == name;
    }
    // Most names differ in length already; the quotes are two more.
    written.len() == name.len() + 2 && string::inside(written) == name.as_bytes()
}

/// A view of one value of a tape, to read strings from: the parser has validated the whole text as UTF-8, and what the
/// value spans is validated once more, so that each string in it costs no more than a look at where it begins and ends.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) found: &'a Found,
    characters: &'a str,
    /// Where they begin in the text.
    from: u32,
    /// The value's entry.
    pub(crate) index: u32,
}

impl<'a> Reader<'a> {
    /// To read the value at `index`.
    pub(crate) fn of(view: View<'a>, index: u32) -> Self {
        let entry = view.entry(index);
        // The span of a string with escapes may lie in `aux`; no character of the text is then asked for.
        let bytes = view.text.get(entry.start as usize..entry.end as usize).unwrap_or_default();
        let characters = simdutf8::basic::from_utf8(bytes).unwrap_or_default();
        Self { found: view.found, characters, from: entry.start, index }
    }

    /// The same for a value inside this one.
    #[inline]
    pub(crate) fn inside(self, index: u32) -> Self {
        Self { index, ..self }
    }

    #[inline]
    pub(crate) fn entry(&self) -> &'a Entry {
        self.found.entry(self.index)
    }

    #[inline]
    pub(crate) fn children(&self) -> Children<'a> {
        self.found.children(self.index)
    }

    /// The member called `name`.
    #[inline]
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let named = |entry: &Entry| is_name(self.name_text(entry), entry, name);
        self.found.member(self.index, named).map(|index| self.inside(index))
    }

    /// The value as it is written.
    pub(crate) fn written(&self) -> &'a [u8] {
        let entry = self.entry();
        self.bytes(entry.start, entry.end, entry.kind == Kind::String && entry.has(flag::AUX))
    }

    /// The name by which this value is a member, unescaped.
    #[inline]
    pub(crate) fn name(&self) -> Cow<'a, str> {
        let entry = self.entry();
        if entry.has(flag::NAME_ESCAPED) {
            return string::unescape(string::inside(self.name_text(entry)), true);
        }
        Cow::Borrowed(self.slice(entry.name_start + 1, entry.name_end - 1))
    }

    /// The string's value, unescaped.
    #[inline]
    pub(crate) fn string(&self) -> Cow<'a, str> {
        let entry = self.entry();
        if entry.has(flag::ESCAPED) {
            return string::unescape(string::inside(self.written()), true);
        }
        Cow::Borrowed(self.slice(entry.start + 1, entry.end - 1))
    }

    /// The number as it is written.
    pub(crate) fn number(&self) -> &'a str {
        let entry = self.entry();
        self.slice(entry.start, entry.end)
    }

    #[inline]
    fn name_text(&self, entry: &Entry) -> &'a [u8] {
        self.bytes(entry.name_start, entry.name_end, entry.has(flag::NAME_AUX))
    }

    #[inline]
    fn slice(&self, start: u32, end: u32) -> &'a str {
        self.characters.get(self.place(start)..self.place(end)).unwrap_or_default()
    }

    #[inline]
    fn bytes(&self, start: u32, end: u32, aux: bool) -> &'a [u8] {
        if aux {
            return &self.found.aux[start as usize..end as usize];
        }
        self.characters.as_bytes().get(self.place(start)..self.place(end)).unwrap_or_default()
    }

    #[inline]
    fn place(&self, at: u32) -> usize {
        at.wrapping_sub(self.from) as usize
    }
}

/// Indices of a container's children.
#[derive(Clone)]
pub(crate) struct Children<'a> {
    found: &'a Found,
    at: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        (self.at < self.end).then(|| {
            let index = self.at;
            self.at = self.found.entries[index as usize].next;
            index
        })
    }
}
