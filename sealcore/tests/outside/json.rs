//! Documents, edits and templates against slower ways to the same bytes.

use proptest::prelude::*;
use sealcore::{Document, Error, JsonRule, Limits, canonicalize, json::pointer::Pointer, template::Template};
use serde_json::{Value, json};

use crate::harness::{claims, documents, random::Random};

/// Any JSON value whose numbers a double holds.
fn values() -> impl Strategy<Value = Value> {
    let names = "[a-c\u{e000}\u{10000}é\"\\\\\n/~]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| serde_json::Number::from_f64(number).map(Value::Number)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn document(value: &Value) -> Document {
    Document::parse(value.to_string(), Limits::default()).expect("JSON")
}

/// Every pointer into `value`, the whole included.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, element)| pointers(element, &format!("{at}/{index}"), out));
        }
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            pointers(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), out);
        }),
        _ => {}
    }
}

fn some_pointer(value: &Value, choice: prop::sample::Index) -> String {
    let mut all = Vec::new();
    pointers(value, "", &mut all);
    all[choice.index(all.len())].clone()
}

/// What serde_json and a sort of our own make of it: the slow path of everything here.
fn slowly(value: &Value) -> Vec<u8> {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Array(elements) => {
                out.push('[');
                elements.iter().enumerate().for_each(|(position, element)| {
                    out.push_str(if position > 0 { "," } else { "" });
                    write(element, out);
                });
                out.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
                out.push('{');
                members.into_iter().enumerate().for_each(|(position, (name, member))| {
                    out.push_str(if position > 0 { "," } else { "" });
                    write(&Value::from(name.as_str()), out);
                    out.push(':');
                    write(member, out);
                });
                out.push('}');
            }
            scalar => out.push_str(
                &String::from_utf8(serde_json_canonicalizer::to_vec(scalar).expect("a scalar")).expect("UTF-8"),
            ),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out.into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// A value written by serde_json, tight or indented, has the canonical bytes that the slow path makes.
    #[test]
    fn canonical_bytes_are_those_of_the_slow_path(value in values()) {
        let expected = slowly(&value);
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")] {
            claims::check_json(text.as_bytes());
            let canonical = canonicalize(text.as_bytes(), Limits::default());
            prop_assert_eq!(Ok(&expected), canonical.as_ref());
        }
    }

    /// Any bytes, and any characters that JSON is made of, are read or refused, and every promise is kept.
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        text in "[\\[\\]{}\",:0-9eE+.\\-\\\\ a-u\u{d7ff}\u{1f600}]{0,48}",
    ) {
        claims::check_json(&bytes);
        claims::check_jws(&bytes);
        claims::check_json(text.as_bytes());
    }

    /// A lookup finds what serde_json finds; set, remove and append make the document that the same change to a
    /// serde_json value makes, and leave the one that they started from as it was.
    #[test]
    fn edits_equal_parsing_the_edited_text(value in values(), new in values(), choice: prop::sample::Index) {
        let before = document(&value);
        let pointer = some_pointer(&value, choice);
        let found = before.at(&pointer).expect("it is there");
        prop_assert_eq!(slowly(value.pointer(&pointer).expect("it is there")), &*found.canonical());
        prop_assert!(before.value(&Pointer::parse(&pointer).expect("a pointer")).is_some());

        let mut edited = value.clone();
        *edited.pointer_mut(&pointer).expect("it is there") = new.clone();
        let after = before.set(&pointer, &document(&new)).expect("set");
        prop_assert_eq!(slowly(&edited), &*after.canonical());

        if let Some(array) = edited.pointer_mut(&pointer).and_then(Value::as_array_mut) {
            array.push(new.clone());
            prop_assert_eq!(slowly(&edited), &*after.append(&pointer, &document(&new)).expect("append").canonical());
        }
        if let Some((parent, token)) = pointer.rsplit_once('/') {
            let mut removed = value.clone();
            match removed.pointer_mut(parent).expect("a parent") {
                Value::Array(elements) => drop(elements.remove(token.parse().expect("an index"))),
                Value::Object(members) => drop(members.remove(&token.replace("~1", "/").replace("~0", "~"))),
                _ => unreachable!("a parent is a container"),
            }
            prop_assert_eq!(slowly(&removed), &*before.remove(&pointer).expect("remove").canonical());
        }
        prop_assert_eq!(slowly(&value), &*before.canonical());
    }

    /// Many edits in one are the same edits one after another, and the document that they started from stays as it was.
    #[test]
    fn many_edits_equal_one_after_another(
        value in values(), new in prop::collection::vec(values(), 4), choices in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let before = document(&value);
        let new: Vec<_> = new.iter().map(document).collect();
        let pointers: Vec<_> = choices.iter().map(|choice| some_pointer(&value, *choice)).collect();
        let pairs = || pointers.iter().map(String::as_str).zip(&new);
        let slowly_set = pairs().try_fold(before.clone(), |edited, (pointer, value)| edited.set(pointer, value));
        prop_assert_eq!(&slowly_set, &before.set_many(pairs()));
        if let Ok(edited) = slowly_set {
            let again = before.set_many(pairs().take(2)).and_then(|half| half.set_many(pairs().skip(2)));
            prop_assert_eq!(Ok(edited), again);
        }
        prop_assert_eq!(slowly(&value), &*before.canonical());
    }

    /// A filled template has the bytes of the document with each hole set.
    #[test]
    fn a_filled_template_equals_the_slow_path(
        value in values(), new in prop::collection::vec(values(), 3), choices in prop::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        let mut holes: Vec<String> = Vec::new();
        for choice in choices {
            let pointer = some_pointer(&value, choice);
            let within = |one: &str, other: &str| one == other || one.starts_with(&format!("{other}/"));
            if !holes.iter().any(|hole| within(hole, &pointer) || within(&pointer, hole)) {
                holes.push(pointer);
            }
        }
        let template = Template::new(&document(&value), &holes).expect("a template");
        let filling: Vec<_> = new[..holes.len()].iter().map(document).collect();
        let mut slow = document(&value);
        for (hole, value) in holes.iter().zip(&new) {
            slow = slow.set(hole, &document(value)).expect("set");
        }
        let filled = template.fill(&filling).expect("filled");
        prop_assert_eq!(&*slow.canonical(), filled.as_slice());
    }
}

/// A hundred credentials with members in any order have one canonical form each, whatever the order and the layout.
#[test]
fn order_and_layout_do_not_matter() {
    let mut random = Random(5);
    for _ in 0..100 {
        let credential = documents::credential(&mut random, 2, 100);
        let expected = canonicalize(credential.to_text().as_bytes(), Limits::default()).unwrap();
        let shuffled = credential.shuffled(&mut random);
        for text in [shuffled.to_text(), shuffled.to_indented_text()] {
            assert_eq!(expected, canonicalize(text.as_bytes(), Limits::default()).unwrap());
        }
    }
}

/// Texts that cost careless readers dearly are read, and every promise holds of them.
#[test]
fn hostile_texts_are_read() {
    for (name, text) in documents::hostile(1 << 14) {
        assert!(canonicalize(text.as_bytes(), Limits::default()).is_ok(), "{name}");
        claims::check_json(text.as_bytes());
    }
}

/// The first duplicate in the text is reported, at the quote that opens its name, however the names are written.
#[test]
fn the_first_duplicate_is_the_one_reported() {
    let cases = [
        (r#"{"b":0,"a":0,"b":1,"a":1}"#, 13),
        (r#"{"a":0,"\u0061":1}"#, 7),
        (r#"{"\u0061":0,"a":1}"#, 12),
        (r#"{"\u0061":0,"z":1,"\u0061":1}"#, 18),
        (r#"{"longer than eight":0,"z":1,"longer than eight":1}"#, 29),
        (r#"{"longer than \u0065ight":0,"z":1,"longer than eight":1,"z":0}"#, 34),
        (r#"{"":0,"a":{"x":0,"x":1},"":1}"#, 17),
        (r#"{"a\u0000":0,"a":1,"a\u0000":2}"#, 19),
    ];
    for (text, offset) in cases {
        let refused = canonicalize(text.as_bytes(), Limits::default());
        assert_eq!(Err(Error::Json { offset, rule: JsonRule::DuplicateName }), refused, "{text}");
    }
}

/// What a parse leaves behind for the next one is no part of it: a large text, a refused one, and a small one in turn.
#[test]
fn parses_on_one_thread_do_not_know_of_each_other() {
    let large = documents::hostile(1 << 20).swap_remove(2).1;
    for _ in 0..3 {
        assert!(canonicalize(large.as_bytes(), Limits::default()).is_ok());
        assert!(canonicalize(br#"{"b":0,"\u0061":0,"b":[{"#, Limits::default()).is_err());
        assert_eq!(
            br#"{"a":0,"b":[]}"#,
            canonicalize(br#"{"b":[],"\u0061":0}"#, Limits::default()).unwrap().as_slice()
        );
    }
}

/// What stands in the canonical bytes is found, however the text wrote it; what does not is not.
#[test]
fn a_document_mentions_what_its_canonical_bytes_hold() {
    let document = Document::parse(r#"{ "b": "\u00e9\/x", "a" : [1.0, 2] }"#, Limits::default()).unwrap();
    for found in ["", "é/x", r#""a":[1,2],"b""#, "}"] {
        assert!(document.mentions(found), "{found}");
    }
    for missing in ["\\u00e9", "1.0", r#""b":"é/x","a""#, "é/y"] {
        assert!(!document.mentions(missing), "{missing}");
    }
    assert!(
        document
            .set("/a/-", &Document::parse("\"new\"", Limits::default()).unwrap())
            .unwrap()
            .mentions("[1,2,\"new\"]")
    );
}

/// An edit that would nest deeper than any document may is refused, and one that just does not is made.
#[test]
fn edits_stay_within_the_depth_limit() {
    let deep = |depth: usize| {
        let limits = Limits { max_depth: 512, ..Limits::default() };
        Document::parse("[".repeat(depth) + &"]".repeat(depth), limits).unwrap()
    };
    let holder = document(&json!({"a": [0]}));
    assert!(holder.set("/a/0", &deep(510)).is_ok());
    assert!(holder.append("/a", &deep(510)).is_ok());
    let too_deep = |pointer: &str| Error::Value { pointer: pointer.to_owned(), rule: JsonRule::TooDeep };
    assert_eq!(Err(too_deep("/a/0")), holder.set("/a/0", &deep(511)));
    assert_eq!(Err(too_deep("/a")), holder.append("/a", &deep(511)));
    let template = Template::new(&holder, &["/a/0"]).unwrap();
    assert!(template.fill(&[deep(510)]).is_ok());
    assert_eq!(Err(too_deep("/a/0")), template.fill(&[deep(511)]));
}
