//! A document with holes: what a whole course has in common is canonicalised once, each learner adds the rest.

use crate::{
    error::Error,
    json::document::{Document, write_node},
};

/// Canonical bytes with places left open. Names do not change when values do, so the order of members is settled.
pub struct Template {
    constant: Vec<u8>,
    /// Where in `constant` which value goes, in the order of the bytes.
    holes: Vec<(usize, u32)>,
}

impl Template {
    /// Leave open what stands at each pointer.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing is there, [`Error::Argument`] where one hole lies within another.
    pub fn new(document: &Document, pointers: &[impl AsRef<str>]) -> Result<Self, Error> {
        let root = document.with_holes(pointers)?;
        let (mut constant, mut holes) = (Vec::new(), Vec::new());
        write_node(&root, &mut constant, &mut holes);
        if holes.len() != pointers.len() {
            return Err(Error::Argument("two holes of the template are the same, or one lies within another".into()));
        }
        Ok(Self { constant, holes })
    }

    /// How many values fill it.
    #[must_use]
    pub fn holes(&self) -> usize {
        self.holes.len()
    }

    /// The canonical bytes of the document with its holes filled; `values` are canonical bytes, in the order of the
    /// pointers.
    ///
    /// # Errors
    /// [`Error::Argument`] where there are more or fewer values than holes.
    pub fn fill(&self, values: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, Error> {
        if values.len() != self.holes.len() {
            return Err(Error::Argument(format!(
                "the template has {} holes, and {} values were given",
                self.holes.len(),
                values.len()
            )));
        }
        let filling: usize = values.iter().map(|value| value.as_ref().len()).sum();
        let mut out = Vec::with_capacity(self.constant.len() + filling);
        let mut done = 0;
        for &(at, hole) in &self.holes {
            out.extend_from_slice(&self.constant[done..at]);
            out.extend_from_slice(values[hole as usize].as_ref());
            done = at;
        }
        out.extend_from_slice(&self.constant[done..]);
        Ok(out)
    }
}
