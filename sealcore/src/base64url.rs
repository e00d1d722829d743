//! base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strict: one text for each byte sequence.

use crate::error::Error;

const CODEC: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// Encode; the result is ASCII.
#[must_use]
pub fn encode(data: &[u8]) -> String {
    CODEC.encode_to_string(data)
}

pub(crate) fn encode_into(data: &[u8], out: &mut Vec<u8>) {
    CODEC.encode_append(data, out);
}

/// Decode. Padding, line breaks, the standard alphabet's `+` and `/`, and bits that do not count but are set are all
/// refused, so that no two texts decode to the same bytes.
///
/// # Errors
/// [`Error::Argument`] with the offset of what is not base64url.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    CODEC.decode_to_vec(text).map_err(|_| Error::Argument(format!("byte {}: {}", fault_at(text), RULE)))
}

const RULE: &str = "this is not base64url without padding (RFC 7515 section 2)";

/// The first byte outside the alphabet, or the last byte where the length or the last bits are wrong.
fn fault_at(text: &[u8]) -> usize {
    let outside = text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    outside.unwrap_or(text.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_is_accepted() {
        assert_eq!(b"f", decode(b"Zg").unwrap().as_slice());
        assert_eq!(b"fo", decode(b"Zm8").unwrap().as_slice());
        assert_eq!(b"foo", decode(b"Zm9v").unwrap().as_slice());
        assert_eq!(b"\xff\xfe\xfd", decode(b"__79").unwrap().as_slice());
        for bad in ["Zg==", "Zg=", "Zh", "Zm9", "Z", "Zm9v\n", " Zm9v", "Zm9vZ", "//79", "Zm 9v", "Zm9v="] {
            assert!(decode(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    /// Every text of up to three characters decodes only if encoding gives it back.
    #[test]
    fn short_texts_round_trip_or_are_refused() {
        let alphabet: Vec<u8> = (0..=255).collect();
        let check = |text: &[u8]| {
            if let Ok(bytes) = decode(text) {
                assert_eq!(text, encode(&bytes).as_bytes());
            }
        };
        for &a in &alphabet {
            check(&[a]);
            for &b in &alphabet {
                check(&[a, b]);
                for c in [b'A', b'E', b'Q', b'g', b'-', b'_', b'='] {
                    check(&[a, b, c]);
                }
            }
        }
    }
}
