//! A document with holes: what a whole course has in common is canonicalised once, each learner adds the rest.

use crate::{
    error::{Error, JsonRule},
    json::{
        document::{Document, write_node},
        pointer::Pointer,
    },
};

/// Canonical bytes with places left open. Names do not change when values do, so the order of members is settled.
pub struct Template {
    constant: Vec<u8>,
    /// Where in `constant` which value goes, in the order of the bytes.
    holes: Vec<(usize, u32)>,
    /// The pointer of each hole, and how many containers are around it.
    places: Vec<(String, usize)>,
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
        let place = |pointer: &str| Ok((pointer.to_owned(), Pointer::parse(pointer)?.tokens().len()));
        let places = pointers.iter().map(|pointer| place(pointer.as_ref())).collect::<Result<_, Error>>()?;
        Ok(Self { constant, holes, places })
    }

    /// How many values fill it.
    #[must_use]
    pub fn holes(&self) -> usize {
        self.holes.len()
    }

    /// The canonical bytes of the document with its holes filled; `values` are in the order of the pointers.
    ///
    /// # Errors
    /// [`Error::Argument`] where there are more or fewer values than holes, [`Error::Value`] where the result is too deep.
    pub fn fill(&self, values: &[Document]) -> Result<Vec<u8>, Error> {
        if values.len() != self.holes.len() {
            return Err(Error::Argument(format!(
                "the template has {} holes, and {} values were given",
                self.holes.len(),
                values.len()
            )));
        }
        for (value, (pointer, above)) in values.iter().zip(&self.places) {
            if !value.fits_below(*above) {
                return Err(Error::Value { pointer: pointer.clone(), rule: JsonRule::TooDeep });
            }
        }
        let values: Vec<_> = values.iter().map(Document::canonical).collect();
        let filling: usize = values.iter().map(|value| value.len()).sum();
        let mut out = Vec::with_capacity(self.constant.len() + filling);
        let mut done = 0;
        for &(at, hole) in &self.holes {
            out.extend_from_slice(&self.constant[done..at]);
            out.extend_from_slice(&values[hole as usize]);
            done = at;
        }
        out.extend_from_slice(&self.constant[done..]);
        Ok(out)
    }
}
