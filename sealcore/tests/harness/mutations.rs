//! Texts that are nearly JSON: good ones, cut, joined and spoilt.

use super::{documents, random::Random};

const FRAGMENTS: [&[u8]; 48] = [
    b"\\u0061",
    b"\\ud83d\\ude00",
    b"\\ud83d",
    b"\\ude00",
    b"\\u001F",
    b"\\u000a",
    b"\\n",
    b"\\/",
    b"\\x",
    b"\\",
    b"{\"a\":1,\"\\u0061\":2}",
    b"{\"b\":0,\"a\":{}}",
    b"\"\":0,",
    b"\"b\":[],",
    b"\"bbbbbbbbb\":[],",
    b"\"bbbbbbbba\":{},",
    b"\"\xf0\x9f\x98\x80\":1,\"\xef\xac\xb3\":2,",
    b"NaN",
    b"-",
    b"-Infinity",
    b"1e400",
    b"1E-400",
    b"00",
    b"-0",
    b"0.1",
    b"1.50",
    b"1E5",
    b"9007199254740992",
    b"9007199254740993",
    b"123456789012345678901",
    b"0.000001",
    b"0.0000001",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b",",
    b":",
    b"\n        ",
    b"\x01",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xc0\xaf",
    b"\xee\x80\x80",
    b"null",
    b"true",
    b"fals",
];

/// An endless supply of texts, the same for the same seed.
pub struct Mutations {
    random: Random,
    seeds: Vec<Vec<u8>>,
}

impl Mutations {
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut seeds: Vec<Vec<u8>> = Vec::new();
        for outcomes in [0, 0, 1] {
            let credential = documents::credential(&mut random, outcomes, 40);
            seeds.push(credential.to_indented_text().into());
            seeds.push(credential.shuffled(&mut random).to_text().into());
        }
        seeds.extend((0..20).map(|_| documents::numbers_and_escapes(&mut random, 200).into()));
        seeds.extend(documents::hostile(400).into_iter().map(|(_, text)| text.into_bytes()));
        Self { random, seeds }
    }

    /// The next text.
    pub fn next_text(&mut self) -> Vec<u8> {
        let random = &mut self.random;
        let mut text = random.pick(&self.seeds).clone();
        if text.len() > 400 && random.below(8) != 0 {
            let start = random.below(text.len() - 200);
            text = [b"[", &text[start..start + 200], b"]"].concat();
        }
        for _ in 0..random.below(5) {
            let at = random.below(text.len() + 1);
            let end = (at + random.below(30)).min(text.len());
            match random.below(6) {
                0 if at < text.len() => text[at] = random.bits() as u8,
                1 => drop(text.drain(at..end)),
                2 => {
                    let copy = text[at..end].to_vec();
                    let place = random.below(text.len() + 1);
                    text.splice(place..place, copy);
                }
                3 => {
                    let fragment = *random.pick(&FRAGMENTS);
                    let end = (at + fragment.len()).min(text.len());
                    text.splice(at..end, fragment.iter().copied());
                }
                _ => {
                    let fragment = *random.pick(&FRAGMENTS);
                    text.splice(at..at, fragment.iter().copied());
                }
            }
        }
        text
    }
}
