//! Members in canonical order (RFC 8785 section 3.2.3), where the text has them in another.

use super::{
    parse::{Fault, span},
    string,
    tape::{Found, View, flag},
};
use crate::error::JsonRule;

/// Puts an object's members in order; kept by the parser, so that memory is asked for once.
#[derive(Default)]
pub(super) struct Orderer {
    ranks: Vec<Rank>,
    names: Vec<Name>,
    unescaped: Vec<u8>,
    /// Where the names begin in the text whose entries point into `aux`, by entry.
    places: Vec<(u32, u32)>,
}

/// A member's place among the others, as far as eight bytes of its name tell.
#[derive(Clone, Copy)]
struct Rank {
    chunk: u64,
    entry: u32,
}

/// A name that others resemble.
#[derive(Clone, Copy)]
struct Name {
    /// The next eight bytes that the order depends on.
    chunk: u64,
    /// Unescaped name: a span of the text, or of `Orderer::unescaped`.
    start: u32,
    length: u32,
    escaped: bool,
    /// The member's entry.
    entry: u32,
}

impl Name {
    /// How many bytes of the name there are from `from` on, where all above eight are alike.
    fn rest(&self, from: u32) -> u32 {
        self.length.saturating_sub(from).min(9)
    }
}

impl Orderer {
    pub(super) fn clear(&mut self) {
        self.places.clear();
    }

    /// Whether it holds memory that only a large text needs.
    pub(super) fn is_large(&self) -> bool {
        const ITEMS: usize = 1 << 13;
        let items =
            [self.ranks.capacity(), self.names.capacity(), self.places.capacity(), self.unescaped.capacity() / 16];
        items.into_iter().any(|items| items > ITEMS)
    }

    /// Remember where the name of `entry` begins in the text.
    pub(super) fn note_place(&mut self, entry: u32, at: u32) {
        self.places.push((entry, at));
    }

    /// Link the members of the object at `index` in canonical order; its entry is complete but for that. Refuses a name
    /// that is there twice.
    #[inline(never)]
    pub(super) fn link_members(&mut self, text: &[u8], found: &mut Found, index: u32) -> Result<(), Fault> {
        let view = View { text, found };
        self.ranks.clear();
        self.ranks.extend(view.children(index).map(|entry| Rank { chunk: first_chunk(view, entry), entry }));
        sort(&mut self.ranks);
        if self.ranks.windows(2).any(|pair| pair[0].chunk == pair[1].chunk) {
            self.sort_alike(view)?;
        }
        let mut after = 0;
        for rank in self.ranks.iter().rev() {
            found.entries[rank.entry as usize].after = after;
            after = rank.entry;
        }
        found.entries[index as usize].extra = after;
        Ok(())
    }

    /// Sort on where the first eight bytes do not tell all names apart.
    #[cold]
    fn sort_alike(&mut self, view: View<'_>) -> Result<(), Fault> {
        self.names.clear();
        self.unescaped.clear();
        for rank in &self.ranks {
            let entry = view.entry(rank.entry);
            let (mut start, mut length) = (entry.name_start + 1, entry.name_end - entry.name_start - 2);
            let escaped = entry.has(flag::NAME_ESCAPED);
            if escaped {
                start = span(self.unescaped.len());
                string::unescape_into(string::inside(view.name_text(entry)), &mut self.unescaped);
                length = span(self.unescaped.len()) - start;
            }
            self.names.push(Name { chunk: rank.chunk, start, length, escaped, entry: rank.entry });
        }
        let mut names = std::mem::take(&mut self.names);
        let duplicate = self.sort_names(view, &mut names);
        self.names = names;
        if let Some(at) = duplicate {
            return Err(Fault::new(at as usize, JsonRule::DuplicateName));
        }
        for (rank, name) in self.ranks.iter_mut().zip(&self.names) {
            rank.entry = name.entry;
        }
        Ok(())
    }

    /// Sort names, eight bytes at a time: a million names with a long common prefix cost one look at each chunk.
    /// Returns the place of the first duplicate, if any.
    fn sort_names(&self, view: View<'_>, names: &mut [Name]) -> Option<u32> {
        let mut first_duplicate: Option<u32> = None;
        let mut todo = vec![(0, names.len(), 0)];
        while let Some((start, end, from)) = todo.pop() {
            let names = &mut names[start..end];
            names.sort_unstable_by_key(|name| (name.chunk, name.rest(from), name.entry));
            let mut at = start;
            for group in names.chunk_by_mut(|a, b| a.chunk == b.chunk && a.rest(from) == b.rest(from)) {
                let group_start = at;
                at += group.len();
                if group.len() == 1 {
                    continue;
                }
                if group[0].rest(from) <= 8 {
                    let place = self.place(view, group[1].entry);
                    first_duplicate = Some(first_duplicate.map_or(place, |first| first.min(place)));
                    continue;
                }
                for name in &mut *group {
                    name.chunk = string::rank_chunk(self.bytes(view, name), from as usize + 8);
                }
                todo.push((group_start, at, from + 8));
            }
        }
        first_duplicate
    }

    fn bytes<'a>(&'a self, view: View<'a>, name: &Name) -> &'a [u8] {
        let buffer = if name.escaped { &self.unescaped[..] } else { view.text };
        &buffer[name.start as usize..(name.start + name.length) as usize]
    }

    /// Where the name of `entry` begins in the text.
    fn place(&self, view: View<'_>, entry: u32) -> u32 {
        match self.places.binary_search_by_key(&entry, |&(entry, _)| entry) {
            Ok(found) => self.places[found].1,
            Err(_) => view.entry(entry).name_start,
        }
    }
}

#[inline]
fn first_chunk(view: View<'_>, index: u32) -> u64 {
    let entry = view.entry(index);
    if entry.has(flag::NAME_ESCAPED) {
        return string::escaped_rank_chunk(string::inside(view.name_text(entry)));
    }
    string::first_rank_chunk(view.text, entry.name_start as usize + 1, entry.name_end - entry.name_start - 2)
}

/// Most objects have few members.
#[inline]
fn sort(ranks: &mut [Rank]) {
    if ranks.len() > 16 {
        return ranks.sort_unstable_by_key(|rank| rank.chunk);
    }
    for end in 1..ranks.len() {
        let rank = ranks[end];
        let mut at = end;
        while at > 0 && ranks[at - 1].chunk > rank.chunk {
            ranks[at] = ranks[at - 1];
            at -= 1;
        }
        ranks[at] = rank;
    }
}
