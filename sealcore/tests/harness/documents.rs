//! Documents to measure and to test with: credentials in the shape of the European Learner Model, and hostile ones.

use std::fmt::Write;

use super::random::Random;

/// A JSON value whose members keep the order they were given.
#[derive(Clone)]
pub enum Json {
    /// Any text of JSON.
    Raw(String),
    /// A string without anything to escape.
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The same value with the members of every object in any order.
    pub fn shuffled(mut self, random: &mut Random) -> Self {
        self.shuffle(random);
        self
    }

    fn shuffle(&mut self, random: &mut Random) {
        match self {
            Self::Array(elements) => elements.iter_mut().for_each(|element| element.shuffle(random)),
            Self::Object(members) => {
                random.shuffle(members);
                members.iter_mut().for_each(|(_, value)| value.shuffle(random));
            }
            Self::Raw(_) | Self::Text(_) => {}
        }
    }

    /// The text, without white space.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// The text, a line for each member and element.
    pub fn to_indented_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        let line = |out: &mut String, deeper: usize| {
            if let Some(indent) = indent {
                write!(out, "\n{:1$}", "", indent + deeper).unwrap();
            }
        };
        let inner = indent.map(|indent| indent + 2);
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Text(text) => write!(out, "\"{text}\"").unwrap(),
            Self::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    line(out, 2);
                    element.write(out, inner);
                }
                line(out, 0);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    out.push_str(if position > 0 { "," } else { "" });
                    line(out, 2);
                    write!(out, "\"{name}\":{}", if indent.is_some() { " " } else { "" }).unwrap();
                    value.write(out, inner);
                }
                line(out, 0);
                out.push('}');
            }
        }
    }
}

/// A credential of one award. With 7 `outcomes` and a small badge (1,400 bytes of `media`) it has the shape of one that
/// eseal builds: about 15 KB, 150 objects, 430 members; each further outcome is 1.1 KB more.
pub fn credential(random: &mut Random, outcomes: usize, media: usize) -> Json {
    let person = Json::object([
        ("id", id(random, "person")),
        ("type", Json::text("Person")),
        ("givenName", label(random, 1)),
        ("familyName", label(random, 1)),
        ("fullName", label(random, 2)),
        ("dateOfBirth", Json::text(format!("19{}-10-01T00:00:00Z", 70 + random.below(30)))),
        ("hasClaim", achievement(random, outcomes)),
    ]);
    Json::object([
        ("id", Json::text(format!("urn:credential:{:08x}-0000-4000-8000-{:012x}", random.below(1 << 32), 7))),
        ("type", Json::Array(vec![Json::text("VerifiableCredential"), Json::text("EuropeanDigitalCredential")])),
        ("credentialProfiles", concept(random, "credential")),
        ("displayParameter", display(random, media)),
        ("issuer", organisation(random)),
        ("issuanceDate", Json::text("2026-06-01T12:00:00Z")),
        ("issued", Json::text("2026-06-01T12:00:00Z")),
        ("validFrom", Json::text("2026-06-01T12:00:00Z")),
        ("credentialSubject", person),
        (
            "credentialSchema",
            Json::object([
                ("id", Json::text("http://data.europa.eu/snb/model/ap/edc-generic-full")),
                ("type", Json::text("ShaclValidator2017")),
            ]),
        ),
        (
            "@context",
            Json::Array(vec![
                Json::text("https://www.w3.org/2018/credentials/v1"),
                Json::text("http://data.europa.eu/snb/model/context/edc-ap"),
            ]),
        ),
    ])
}

fn achievement(random: &mut Random, outcomes: usize) -> Json {
    Json::object([
        ("id", id(random, "learningAchievement")),
        ("type", Json::text("LearningAchievement")),
        ("title", label(random, 5)),
        ("description", label(random, 100)),
        (
            "awardedBy",
            Json::object([
                ("id", id(random, "awardingProcess")),
                ("type", Json::text("AwardingProcess")),
                ("awardingBody", organisation(random)),
                ("awardingDate", Json::text("2026-05-31T00:00:00Z")),
            ]),
        ),
        (
            "specifiedBy",
            Json::object([
                ("id", id(random, "learningAchievementSpec")),
                ("type", Json::text("Qualification")),
                ("title", label(random, 5)),
                ("EQFLevel", concept(random, "eqf")),
                ("volumeOfLearning", Json::text("PT125H")),
                ("maximumDuration", Json::Raw(random.below(24).to_string())),
                ("learningOutcome", Json::Array((0..outcomes).map(|_| learning_outcome(random)).collect())),
                ("mode", Json::Array(vec![concept(random, "mode"), concept(random, "mode")])),
            ]),
        ),
    ])
}

fn learning_outcome(random: &mut Random) -> Json {
    Json::object([
        ("id", id(random, "learningOutcome")),
        ("type", Json::text("LearningOutcome")),
        ("title", label(random, 6)),
        ("relatedSkill", concept(random, "skill")),
        ("relatedESCOSkill", Json::Array(vec![concept(random, "esco"), concept(random, "esco")])),
        ("reusabilityLevel", concept(random, "skill-reuse-level")),
    ])
}

fn organisation(random: &mut Random) -> Json {
    Json::object([
        ("id", id(random, "org")),
        ("type", Json::text("Organisation")),
        ("legalName", label(random, 4)),
        (
            "location",
            Json::object([
                ("id", id(random, "location")),
                ("type", Json::text("Location")),
                (
                    "address",
                    Json::object([
                        ("id", id(random, "address")),
                        ("type", Json::text("Address")),
                        ("countryCode", concept(random, "country")),
                    ]),
                ),
            ]),
        ),
        (
            "identifier",
            Json::object([
                ("id", id(random, "identifier")),
                ("type", Json::text("Identifier")),
                ("notation", Json::text(random.below(1 << 30).to_string())),
                ("schemeName", Json::text("PIC")),
            ]),
        ),
    ])
}

fn display(random: &mut Random, media: usize) -> Json {
    let pages = (0..2).map(|page| {
        Json::object([
            ("id", id(random, "displayDetail")),
            ("type", Json::text("DisplayDetail")),
            (
                "image",
                Json::object([
                    ("id", id(random, "mediaObject")),
                    ("type", Json::text("MediaObject")),
                    ("content", Json::Text(base64(random, media / 2))),
                    ("contentType", concept(random, "file-type")),
                    ("contentEncoding", concept(random, "encoding")),
                ]),
            ),
            ("page", Json::Raw((page + 1).to_string())),
        ])
    });
    let pages = pages.collect();
    Json::object([
        ("id", id(random, "displayParameter")),
        ("type", Json::text("DisplayParameter")),
        ("language", Json::Array(vec![concept(random, "language")])),
        ("title", label(random, 5)),
        ("individualDisplay", Json::Array(pages)),
    ])
}

fn concept(random: &mut Random, scheme: &str) -> Json {
    let scheme = format!("http://data.europa.eu/snb/{scheme}");
    Json::object([
        ("id", Json::text(format!("{scheme}/{:010x}", random.below(1 << 40)))),
        ("type", Json::text("Concept")),
        (
            "inScheme",
            Json::object([("id", Json::text(format!("{scheme}/25831c2"))), ("type", Json::text("ConceptScheme"))]),
        ),
        ("prefLabel", label(random, 2)),
    ])
}

fn id(random: &mut Random, kind: &str) -> Json {
    Json::text(format!("urn:epass:{kind}:{}", random.below(1000)))
}

fn label(random: &mut Random, words: usize) -> Json {
    let mut members: Vec<_> = ["en", "de", "fr", "fi"][..1 + random.below(2)].to_vec();
    members.reverse();
    Json::Object(members.into_iter().map(|language| (language.to_owned(), Json::Text(prose(random, words)))).collect())
}

fn prose(random: &mut Random, words: usize) -> String {
    const WORDS: [&str; 16] = [
        "of",
        "learning",
        "University",
        "and",
        "européenne",
        "Sciences",
        "Größe",
        "the",
        "micro-credential",
        "in",
        "assessment",
        "Tiedekasvatus",
        "skills",
        "für",
        "data",
        "outcome",
    ];
    let words: Vec<_> = (0..words).map(|_| *random.pick(&WORDS)).collect();
    words.join(" ")
}

fn base64(random: &mut Random, length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..length).map(|_| char::from(ALPHABET[random.below(64)])).collect()
}

/// Numbers of every notation and strings of every escape, `bytes` of them.
pub fn numbers_and_escapes(random: &mut Random, bytes: usize) -> String {
    let mut out = String::from("[");
    while out.len() < bytes {
        match random.below(8) {
            0 => write!(out, "{:?}", random.double()),
            1 => write!(out, "{:e}", random.double()),
            2 => write!(out, "{}", random.bits() >> 11),
            3 => write!(out, "{}.{}", random.below(100_000), random.below(1000)),
            4 => write!(out, "{}", random.below(1000)),
            5 => write!(out, "\"line\\nquote\\\"slash\\/{}\\\\\"", prose(random, 2)),
            6 => write!(out, "\"\\u00e9\\u20AC\\ud83d\\ude00{}\\u0001\\u001F\"", prose(random, 1)),
            _ => write!(out, "{{\"b\\u0061\":\"\\t\",\"\\u0061\":{:.3}}}", random.below(1 << 20) as f64 / 1000.0),
        }
        .unwrap();
        out.push(',');
    }
    out.push_str("0]");
    out
}

/// An integer that a double holds, all digits of it: 53 bits, the last of them from `n`, and `zeros` more bits.
fn integer(n: usize, zeros: i32) -> String {
    let bits = (1_u64 << 53) - 1 - n as u64 % 1_000_000;
    format!("{:.0}", bits as f64 * 2_f64.powi(zeros))
}

/// Texts that cost a careless reader more than their length, each about `bytes` long.
pub fn hostile(bytes: usize) -> Vec<(&'static str, String)> {
    let joined = |open: char, close: char, each: usize, item: &dyn Fn(usize) -> String| {
        let items: Vec<_> = (0..(bytes / each).max(1)).map(item).collect();
        format!("{open}{}{close}", items.join(","))
    };
    // An odd factor permutes the 36-bit numbers: no two are equal.
    let scattered: Vec<u64> =
        (0..bytes as u64 / 14 + 1).map(|n| n.wrapping_mul(0x9_e377_9b97) & 0xf_ffff_ffff).collect();
    let count = bytes / 14;
    let deep = |width: usize| "[".repeat(width) + &"]".repeat(width);
    vec![
        ("keys in order", joined('{', '}', 14, &|n| format!("\"{n:09}\":0"))),
        ("keys in reverse", joined('{', '}', 14, &|n| format!("\"{:09}\":0", count - n))),
        ("keys at random", joined('{', '}', 14, &|n| format!("\"{:09x}\":0", scattered[n]))),
        ("keys with equal first eight bytes", joined('{', '}', 22, &|n| format!("\"prefixed{:09x}\":0", scattered[n]))),
        (
            "keys with 64 equal bytes",
            joined('{', '}', 78, &|n| format!("\"{}{:09x}\":0", "p".repeat(64), scattered[n])),
        ),
        ("keys of one long prefix each", {
            let longest = bytes.isqrt();
            let names: Vec<_> = (0..longest).rev().map(|n| format!("\"{}\":0", "a".repeat(n))).collect();
            format!("{{{}}}", names.join(","))
        }),
        ("escapes", format!("\"{}\"", "\\u0041".repeat(bytes / 6))),
        ("canonical escapes", format!("\"{}\"", "\\n".repeat(bytes / 2))),
        ("surrogate pairs", format!("\"{}\"", "\\ud83d\\ude00".repeat(bytes / 12))),
        ("escaped keys", joined('{', '}', 19, &|n| format!("\"\\u0061{:09x}\":0", scattered[n]))),
        ("nesting to the limit", joined('[', ']', 255, &|_| deep(127))),
        ("nested objects to the limit", joined('[', ']', 64 * 6, &|_| "{\"z\":".repeat(64) + "0" + &"}".repeat(64))),
        ("small objects in reverse", joined('[', ']', 20, &|_| "{\"b\":0,\"a\":0,\"A\":0}".to_owned())),
        ("empty objects", joined('[', ']', 3, &|_| "{}".to_owned())),
        ("white space", format!("[{}0]", " \t\r\n".repeat(bytes / 4))),
        ("digits of one number", format!("[0.{}1]", "3".repeat(bytes.min(1 << 20)))),
        ("numbers near a halfway", joined('[', ']', 26, &|n| format!("1.00000000000000011102230{}", n % 10))),
        ("integers of 60 digits", joined('[', ']', 61, &|n| integer(n, 147))),
        ("integers of 300 digits", joined('[', ']', 301, &|n| integer(n, 943))),
        ("numbers near the largest", joined('[', ']', 23, &|n| format!("1.79769313486231{:02}e308", n % 57))),
        ("subnormal numbers", joined('[', ']', 25, &|n| format!("4.940656458412{:04}4e-320", n % 10000))),
    ]
}
