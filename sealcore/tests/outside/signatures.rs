//! Verification, raw and DER ECDSA, base64url, and the three serialisations.

use proptest::prelude::*;
use sealcore::{
    Limits, base64url,
    jws::{self, SignatureParts, SigningInput},
    signature::{Claim, PublicKey, ecdsa_from_der, ecdsa_to_der, verify_many},
};

use crate::harness::keys::Key;

const PROTECTED: &str = "eyJhbGciOiJ0ZXN0In0";

/// Every algorithm verifies what its key signed, with b64 true and false, and nothing else: no other payload, no other
/// algorithm, no signature that is cut, longer, or has one bit changed.
#[test]
fn a_signature_verifies_under_its_own_algorithm_and_key_only() {
    let keys = Key::all();
    for key in &keys {
        let public = PublicKey::from_spki(&key.spki()).unwrap();
        for b64 in [false, true] {
            let input = SigningInput { protected: PROTECTED, payload: "{\"a\":\"é\"}".as_bytes(), b64 };
            let signature = key.sign(&input.bytes());
            assert!(public.verifies(key.algorithm, &input, &signature), "{}", key.name);
            assert!(public.verifies_bytes(key.algorithm, &input.bytes(), &signature), "{}", key.name);
            assert!(!public.verifies(key.algorithm, &SigningInput { b64: !b64, ..input }, &signature), "{}", key.name);
            assert!(!public.verifies(key.algorithm, &SigningInput { payload: b"{}", ..input }, &signature));
            for other in &keys {
                if other.name != key.name {
                    assert!(!public.verifies(other.algorithm, &input, &signature), "{} as {}", key.name, other.name);
                    let stranger = PublicKey::from_spki(&other.spki()).unwrap();
                    assert!(!stranger.verifies(key.algorithm, &input, &signature), "{} by {}", key.name, other.name);
                }
            }
            let mut spoilt: Vec<Vec<u8>> = vec![vec![], signature[1..].to_vec(), [&signature[..], b"\0"].concat()];
            for bit in (0..signature.len() * 8).step_by(37) {
                let mut changed = signature.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                spoilt.push(changed);
            }
            spoilt.push(vec![0; signature.len()]);
            spoilt.push(vec![0xff; signature.len()]);
            for signature in spoilt {
                assert!(!public.verifies(key.algorithm, &input, &signature), "{}", key.name);
            }
        }
    }
}

/// A batch answers for each signature in its place, on one thread and on several; an algorithm that is unknown, or
/// another key's, verifies nothing.
#[test]
fn a_batch_answers_in_order() {
    let keys = Key::all();
    let publics: Vec<_> = keys.iter().map(|key| PublicKey::from_spki(&key.spki()).unwrap()).collect();
    let input = |payload| SigningInput { protected: PROTECTED, payload, b64: false };
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(&input(b"signed").bytes())).collect();
    let payloads: [&[u8]; 2] = [b"signed", b"other"];
    let claims: Vec<_> = (0..keys.len() * 20)
        .map(|number| Claim {
            key: &publics[number % keys.len()],
            algorithm: (number % 7 != 3).then_some(keys[number % keys.len()].algorithm),
            input: input(payloads[number % 5 / 4]),
            signature: &signatures[number % keys.len()],
        })
        .collect();
    let expected: Vec<_> = (0..claims.len()).map(|number| number % 7 != 3 && number % 5 != 4).collect();
    for threads in [None, Some(1), Some(2), Some(5)] {
        assert_eq!(expected, verify_many(&claims, threads));
    }
}

/// RFC 7515 appendix A.3 (ES256) and A.2 (RS256) verify.
#[test]
fn the_signatures_of_rfc_7515_verify() {
    let decode = |text: &str| base64url::decode(text.as_bytes()).unwrap();
    let payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".as_bytes();
    let point = [
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
            .to_vec(),
        decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    let key = PublicKey::from_spki(&point.concat()).unwrap();
    let input = SigningInput { protected: "eyJhbGciOiJFUzI1NiJ9", payload, b64: true };
    let signature = decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    let es256 = sealcore::signature::Algorithm::named("ES256").unwrap();
    assert!(key.verifies(es256, &input, &signature));
    assert!(key.verifies_bytes(es256, &input.bytes(), &signature));
}

/// Keys that are no keys, or none that seals have, are refused with a sentence: a cut DER, a point that is not on the
/// curve, RSA of 1024 bits.
#[test]
fn what_is_no_key_is_refused() {
    for key in [Key::new("ES256"), Key::new("RS256")] {
        let spki = key.spki();
        for cut in [0, 1, spki.len() / 2, spki.len() - 1] {
            assert!(PublicKey::from_spki(&spki[..cut]).is_err());
        }
        assert!(PublicKey::from_spki(&[&spki[..], b"\0"].concat()).is_err());
    }
    let mut off_curve = Key::new("ES256").spki();
    *off_curve.last_mut().unwrap() ^= 1;
    assert!(PublicKey::from_spki(&off_curve).is_err());
}

/// A DER signature has minimal integers: what BER would also allow is refused, so that no two texts are one signature.
#[test]
fn der_signatures_are_der() {
    assert_eq!(
        [&[0; 31][..], &[1], &[0; 31], &[2]].concat(),
        ecdsa_from_der(b"\x30\x06\x02\x01\x01\x02\x01\x02", 32).unwrap()
    );
    let bad: [(&[u8], &str); 9] = [
        (b"", "nothing"),
        (b"\x30\x06\x02\x01\x01\x02\x01\x02\x00", "a byte after it"),
        (b"\x30\x81\x06\x02\x01\x01\x02\x01\x02", "a length in long form"),
        (b"\x30\x07\x02\x02\x00\x01\x02\x01\x02", "a leading zero that is not needed"),
        (b"\x30\x06\x02\x01\xff\x02\x01\x02", "a negative number"),
        (b"\x30\x05\x02\x00\x02\x01\x02", "an empty number"),
        (b"\x30\x09\x02\x01\x01\x02\x01\x02\x02\x01\x03", "a third number"),
        (b"\x31\x06\x02\x01\x01\x02\x01\x02", "a set"),
        (b"\x30\x80\x02\x01\x01\x02\x01\x02\x00\x00", "an indefinite length"),
    ];
    for (der, what) in bad {
        assert!(ecdsa_from_der(der, 32).is_err(), "{what}");
    }
    assert!(ecdsa_from_der(&ecdsa_to_der(&[1; 96]).unwrap(), 32).is_err(), "r is wider than the curve");
    assert!(ecdsa_to_der(&[]).is_err());
    assert!(ecdsa_to_der(&[1; 63]).is_err());
}

proptest! {
    /// r and s keep their width through DER, however many leading zeros they have, for each curve.
    #[test]
    fn raw_signatures_survive_der(
        width in prop::sample::select(vec![32_usize, 48, 66]),
        zeros in (0_usize..66, 0_usize..66),
        bytes in prop::collection::vec(any::<u8>(), 132),
    ) {
        let mut raw = bytes[..2 * width].to_vec();
        raw[..zeros.0.min(width)].fill(0);
        raw[width..width + zeros.1.min(width)].fill(0);
        prop_assert_eq!(&raw, &ecdsa_from_der(&ecdsa_to_der(&raw).unwrap(), width).unwrap());
    }

    /// base64url decodes a text only if encoding gives that very text back.
    #[test]
    fn base64url_has_one_text_for_each_value(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "[A-Za-z0-9_=+/-]{0,24}") {
        prop_assert_eq!(&bytes, &base64url::decode(base64url::encode(&bytes).as_bytes()).unwrap());
        if let Ok(decoded) = base64url::decode(text.as_bytes()) {
            prop_assert_eq!(text, base64url::encode(&decoded));
        }
    }

    /// What is assembled is read back as it was, in each serialisation, whatever the payload holds.
    #[test]
    fn assembled_documents_are_read_back(payload in any::<String>(), signature in prop::collection::vec(any::<u8>(), 1..80)) {
        let protected = base64url::encode(br#"{"b64":false,"crit":["b64"]}"#);
        let parts = SignatureParts { protected: &protected, signature: &signature, etsi_u: &["AA"][..] };
        let general = jws::general(payload.as_bytes(), &[parts, parts], false).unwrap();
        let flattened = jws::flattened(payload.as_bytes(), &parts, false).unwrap();
        for (document, count) in [(general, 2), (flattened, 1)] {
            let read = jws::parse(&document, Limits::default()).unwrap();
            prop_assert_eq!(Some(payload.as_bytes()), read.payload.as_deref());
            prop_assert_eq!(count, read.signatures.len());
            for found in read.signatures {
                prop_assert_eq!((&protected, &signature), (&found.protected, &found.signature));
            }
        }
        let compact = jws::compact(payload.as_bytes(), PROTECTED, &signature, true).unwrap();
        let read = jws::parse(&compact, Limits::default()).unwrap();
        prop_assert_eq!(Some(base64url::encode(payload.as_bytes())), read.payload.map(|bytes| String::from_utf8(bytes).unwrap()).or(Some(String::new())));
        prop_assert_eq!(&signature, &read.signatures[0].signature);
    }
}
