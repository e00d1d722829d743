//! A pointer, a value and a document, one line each: an edited document has the bytes of its own text parsed again.
#![no_main]

use sealcore::{Document, Limits, canonicalize};

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &str)| {
    let (pointer, value, document) = input;
    let parse = |text: &str| Document::parse(text.to_owned(), Limits::default());
    let (Ok(document), Ok(value)) = (parse(document), parse(value)) else { return };
    let before = document.canonical();
    for edited in [
        document.set(pointer, &value),
        document.set_many([(pointer, &value), (pointer, &document)]),
        document.append(pointer, &value),
        document.remove(pointer),
    ] {
        let Ok(edited) = edited else { continue };
        let canonical = edited.canonical();
        let deep = Limits { max_depth: 512, ..Limits::default() };
        assert_eq!(Ok(&*canonical), canonicalize(&canonical, deep).as_deref());
    }
    assert_eq!(before, document.canonical());
});
