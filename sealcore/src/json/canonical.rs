//! RFC 8785 bytes from a tape: spans of the input, joined. Neighbouring spans become one copy, so a document that is
//! canonical already costs a single one.

use super::tape::{Entry, Kind, View, flag};

/// Append the canonical form of the value at `index`.
pub(crate) fn write(view: View<'_>, index: u32, out: &mut Vec<u8>) {
    let mut writer = Writer { view, out, start: 0, end: 0 };
    writer.value(view.entry(index), index);
    writer.flush();
}

struct Writer<'a, 'out> {
    view: View<'a>,
    out: &'out mut Vec<u8>,
    /// The span of the input that is due, but not copied yet.
    start: usize,
    end: usize,
}

impl<'a> Writer<'a, '_> {
    fn flush(&mut self) {
        if self.start < self.end {
            self.out.extend_from_slice(&self.view.text[self.start..self.end]);
        }
    }

    /// A span of the input is due.
    #[inline]
    fn span(&mut self, start: u32, end: u32) {
        if self.end != start as usize {
            self.flush();
            self.start = start as usize;
        }
        self.end = end as usize;
    }

    /// A punctuation mark is due; where the input has it next, the pending span grows instead.
    #[inline]
    fn mark(&mut self, mark: u8) {
        if self.view.text.get(self.end) == Some(&mark) {
            self.end += 1;
        } else {
            self.flush();
            self.out.push(mark);
            self.start = self.end;
        }
    }

    /// Text that does not stand in the input.
    fn text(&mut self, text: &[u8]) {
        self.flush();
        self.out.extend_from_slice(text);
        self.start = self.end;
    }

    fn value(&mut self, entry: &'a Entry, index: u32) {
        if entry.has(flag::CANONICAL) {
            return self.span(entry.start, entry.end);
        }
        match entry.kind {
            Kind::Array => self.array(entry, index),
            Kind::Object => self.object(entry, index),
            _ => self.text(self.view.scalar(entry)),
        }
    }

    fn array(&mut self, entry: &Entry, index: u32) {
        self.jump(entry.start);
        self.mark(b'[');
        for (position, child) in self.view.children(index).enumerate() {
            if position > 0 {
                self.mark(b',');
            }
            self.value(self.view.entry(child), child);
        }
        self.mark(b']');
    }

    fn object(&mut self, entry: &Entry, index: u32) {
        self.jump(entry.start);
        self.mark(b'{');
        if entry.has(flag::SORTED) {
            for (position, child) in self.view.children(index).enumerate() {
                self.member(child, position > 0);
            }
        } else {
            let mut child = entry.extra;
            while child != 0 {
                self.member(child, child != entry.extra);
                child = self.view.entry(child).after;
            }
        }
        self.mark(b'}');
    }

    /// Move an empty pending span to `start`, so that a container's opening mark joins what follows it.
    fn jump(&mut self, start: u32) {
        if self.end != start as usize {
            self.flush();
            self.start = start as usize;
            self.end = self.start;
        }
    }

    fn member(&mut self, index: u32, follows: bool) {
        let entry = self.view.entry(index);
        if entry.has(flag::MEMBER) {
            // In most places the member's own comma is the one that is due: one span less.
            let comma = entry.name_start - 1;
            if follows && self.view.text[comma as usize] == b',' {
                return self.span(comma, entry.end);
            }
            if follows {
                self.mark(b',');
            }
            return self.span(entry.name_start, entry.end);
        }
        if follows {
            self.mark(b',');
        }
        if entry.has(flag::NAME_AUX) {
            self.text(self.view.name_text(entry));
        } else {
            self.span(entry.name_start, entry.name_end);
        }
        self.mark(b':');
        self.value(entry, index);
    }
}
