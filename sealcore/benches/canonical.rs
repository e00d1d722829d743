//! Canonicalising against the hash and against serde_json with serde_json_canonicalizer, as ratios within one run.
//!
//!     cargo bench --no-default-features --bench canonical [-- documents | sizes | hostile]
//!
//! documents   credentials of 15 KB and 110 KB, 256 different ones, numbers and escapes; the Commission's samples where
//!             ESEAL_VECTORS (default ../shared/vectors) has them
//! sizes       a nanosecond figure for each byte, 1 KB to 16 MB
//! hostile     the same for texts made to be slow, at 256 KB and at 16 MB

use std::{hint::black_box, path::Path};

use sealcore::{
    Document, Limits, canonicalize,
    digest::{Algorithm, digest},
};

#[path = "../tests/harness/mod.rs"]
mod harness;
mod race;

use harness::{documents, random::Random};
use race::{contestant, race};

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let runs = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if runs("documents") {
        measure_documents();
    }
    if runs("sizes") {
        measure_sizes();
    }
    if runs("hostile") {
        measure_hostile();
    }
}

fn measure_documents() {
    println!(
        "{:<34}{:>9}{:>9}{:>9}{:>9}{:>9}{:>12}{:>9}",
        "document", "bytes", "MB/s", "peer", "ratio", "SHA-256", "with SHA-256", "of it"
    );
    let mut random = Random(1);
    let small = documents::credential(&mut random, 7, 1400);
    compare("credential, 15 KB", &[small.to_text()]);
    compare("the same, members at random", &[small.clone().shuffled(&mut random).to_text()]);
    compare("the same, canonical already", &[canonical(&small.to_text())]);
    compare("the same, indented", &[small.to_indented_text()]);
    let large = documents::credential(&mut random, 16, 83_000);
    compare("credential with media, 110 KB", &[large.to_text()]);
    compare("the same, members at random", &[large.shuffled(&mut random).to_text()]);
    compare("numbers and escapes, 200 KB", &[documents::numbers_and_escapes(&mut random, 200_000)]);
    let mut corpus = |order: &dyn Fn(documents::Json, &mut Random) -> documents::Json| -> Vec<String> {
        let credentials = (0..256).map(|_| {
            let outcomes = 6 + random.below(13);
            let credential = documents::credential(&mut random, outcomes, 1400);
            order(credential, &mut random).to_text()
        });
        credentials.collect()
    };
    compare("256 credentials, members at random", &corpus(&|credential, random| credential.shuffled(random)));
    compare("256 credentials, an issuer's order", &corpus(&|credential, _| credential));
    let vectors = std::env::var("ESEAL_VECTORS").unwrap_or_else(|_| "../shared/vectors".into());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(vectors).join("edc");
    let mut samples: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().collect();
    samples.sort_by_key(std::fs::DirEntry::file_name);
    if samples.is_empty() {
        println!("the Commission's samples are not there: set ESEAL_VECTORS to the folder of the vectors");
    }
    for sample in samples {
        let text = std::fs::read_to_string(sample.path()).expect("a readable sample");
        compare(&sample.file_name().to_string_lossy(), &[text]);
    }
}

fn canonical(text: &str) -> String {
    String::from_utf8(canonicalize(text.as_bytes(), Limits::default()).expect("JSON")).expect("UTF-8")
}

fn peer(text: &str) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    serde_json_canonicalizer::to_vec(&value).expect("canonical")
}

fn ours(text: &str) -> Vec<u8> {
    canonicalize(text.as_bytes(), Limits::default()).expect("JSON")
}

/// One line: rates over all texts, and what canonicalising leaves of the hash's own speed.
fn compare(name: &str, texts: &[String]) {
    let outputs: Vec<_> = texts.iter().map(|text| ours(text)).collect();
    for (text, output) in texts.iter().zip(&outputs) {
        assert_eq!(String::from_utf8(peer(text)), String::from_utf8(output.clone()), "{name}");
    }
    let hash = |bytes: &[u8]| digest(Algorithm::Sha256, bytes);
    let each = |work: &dyn Fn(&str) -> Vec<u8>| texts.iter().for_each(|text| drop(black_box(work(text))));
    let seconds = race(&mut [
        contestant("ours", || each(&ours)),
        contestant("peer", || each(&peer)),
        contestant("hash", || outputs.iter().for_each(|output| drop(black_box(hash(output))))),
        contestant("ours and hash", || each(&|text| hash(&ours(text)))),
    ]);
    let bytes: usize = texts.iter().map(String::len).sum();
    let rate = |place: usize| bytes as f64 / seconds[place] / 1e6;
    println!(
        "{name:<34}{:>9}{:>9.0}{:>9.0}{:>8.1}x{:>9.0}{:>12.0}{:>9.2}",
        bytes / texts.len(),
        rate(0),
        rate(1),
        seconds[1] / seconds[0],
        rate(2),
        rate(3),
        seconds[2] / seconds[3]
    );
}

fn measure_sizes() {
    println!("\n{:<34}{:>9}{:>13}{:>13}{:>13}", "size", "bytes", "ns/byte", "peer", "Document");
    for exponent in (10..=24).step_by(2) {
        let mut random = Random(exponent);
        let mut elements = Vec::new();
        let mut size = 0;
        while size < 1 << exponent {
            let outcomes = if exponent < 14 { 0 } else { 9 };
            let element = documents::credential(&mut random, outcomes, 0).shuffled(&mut random).to_text();
            size += element.len();
            elements.push(element);
        }
        let mut text = format!("[{}]", elements.join(","));
        if exponent == 10 {
            text = documents::Json::object([("id", documents::Json::text("x".repeat(1000)))]).to_text();
        }
        per_byte(&format!("credentials, 2^{exponent} bytes"), &text, exponent <= 20);
    }
}

fn measure_hostile() {
    println!("\n{:<34}{:>9}{:>13}{:>13}{:>13}", "hostile text", "bytes", "ns/byte", "peer", "Document");
    let (short, long) = (documents::hostile(1 << 18), documents::hostile(1 << 24));
    for ((name, short), (_, long)) in short.iter().zip(&long) {
        per_byte(name, short, true);
        per_byte(name, long, false);
    }
}

/// One line; the peer is asked only where that does not take minutes.
fn per_byte(name: &str, text: &str, ask_peer: bool) {
    let document = || Document::parse(text.as_bytes().to_vec(), Limits::default()).expect("JSON");
    let mut contestants = vec![contestant("ours", || ours(text)), contestant("document", document)];
    let peer_reads = ask_peer && serde_json::from_str::<serde_json::Value>(text).is_ok();
    if peer_reads {
        contestants.push(contestant("peer", || peer(text)));
    }
    let seconds = race(&mut contestants);
    let per_byte = |place: usize| seconds[place] * 1e9 / text.len() as f64;
    let peer = if peer_reads { format!("{:.2}", per_byte(2)) } else { "-".to_owned() };
    println!("{name:<34}{:>9}{:>13.2}{peer:>13}{:>13.2}", text.len(), per_byte(0), per_byte(1));
}
