//! JWS bytes (RFC 7515, RFC 7797): what is signed, and the three serialisations written.

mod read;

use aws_lc_rs::digest;
pub use read::{Jws, Serialization, Signature, parse};

use crate::{
    base64url,
    digest::Algorithm as Digest,
    error::Error,
    json::{document::Document, parse::Limits, string, value::Content},
};

/// What a signature covers (RFC 7515 section 5.1, RFC 7797 section 3).
#[derive(Debug, Clone, Copy)]
pub struct SigningInput<'a> {
    /// The protected header as it stands in the document: base64url text.
    pub protected: &'a str,
    /// The payload's bytes.
    pub payload: &'a [u8],
    /// Whether the payload is base64url encoded before it is signed.
    pub b64: bool,
}

impl SigningInput<'_> {
    /// The bytes themselves.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(self.protected.len() + 1 + self.payload.len() * (3 + usize::from(self.b64)) / 3);
        out.extend_from_slice(self.protected.as_bytes());
        out.push(b'.');
        self.append_payload(&mut out);
        out
    }

    fn append_payload(&self, out: &mut Vec<u8>) {
        if self.b64 {
            base64url::encode_into(self.payload, out);
        } else {
            out.extend_from_slice(self.payload);
        }
    }

    /// The digest of the bytes, which are not put together for it.
    pub(crate) fn digest(&self, algorithm: Digest) -> digest::Digest {
        let mut context = digest::Context::new(algorithm.implementation());
        context.update(self.protected.as_bytes());
        context.update(b".");
        if self.b64 {
            // A multiple of three bytes at a time encodes without padding in between.
            let mut text = Vec::with_capacity(4 << 12);
            for chunk in self.payload.chunks(3 << 12) {
                text.clear();
                base64url::encode_into(chunk, &mut text);
                context.update(&text);
            }
        } else {
            context.update(self.payload);
        }
        context.finish()
    }
}

/// One signature to be written.
#[derive(Debug, Clone, Copy)]
pub struct SignatureParts<'a, S> {
    /// The protected header, base64url text.
    pub protected: &'a str,
    /// The raw signature.
    pub signature: &'a [u8],
    /// The elements of `etsiU` (ETSI TS 119 182-1 clause 5.3.1), base64url texts.
    pub etsi_u: &'a [S],
}

/// A general JWS JSON document (RFC 7515 section 7.2.1), `payload` first. `header` is left out where `etsiU` would be
/// empty, which its schema forbids.
///
/// # Errors
/// [`Error::Argument`] for a header that is not a JSON object in base64url or whose `b64` says otherwise, or an unencoded
/// payload that is not UTF-8.
pub fn general<S: AsRef<str>>(
    payload: &[u8],
    signatures: &[SignatureParts<'_, S>],
    b64: bool,
) -> Result<Vec<u8>, Error> {
    let mut out = start_document(payload, signatures, b64)?;
    out.extend_from_slice(b",\"signatures\":[");
    for (position, signature) in signatures.iter().enumerate() {
        out.extend_from_slice(if position > 0 { b",{" } else { b"{" });
        append_signature(signature, b64, &mut out)?;
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

/// A flattened JWS JSON document (RFC 7515 section 7.2.2), `payload` first.
///
/// # Errors
/// As [`general`].
pub fn flattened<S: AsRef<str>>(
    payload: &[u8],
    signature: &SignatureParts<'_, S>,
    b64: bool,
) -> Result<Vec<u8>, Error> {
    let mut out = start_document(payload, std::slice::from_ref(signature), b64)?;
    out.push(b',');
    append_signature(signature, b64, &mut out)?;
    out.push(b'}');
    Ok(out)
}

/// A compact JWS (RFC 7515 section 7.1).
///
/// # Errors
/// As [`general`], and for an unencoded payload with characters that RFC 7797 section 5.2 does not let stand there.
pub fn compact(payload: &[u8], protected: &str, signature: &[u8], b64: bool) -> Result<Vec<u8>, Error> {
    check_protected(protected, b64)?;
    if !b64 && !payload.iter().all(|byte| is_compact_payload(*byte)) {
        return Err(Error::Argument(
            "a compact JWS takes an unencoded payload of printable ASCII without a full stop (RFC 7797 section 5.2)"
                .into(),
        ));
    }
    let mut out = SigningInput { protected, payload, b64 }.bytes();
    out.push(b'.');
    base64url::encode_into(signature, &mut out);
    Ok(out)
}

pub(crate) fn is_compact_payload(byte: u8) -> bool {
    matches!(byte, 0x20..=0x2D | 0x2F..=0x7E)
}

fn start_document<S: AsRef<str>>(
    payload: &[u8],
    signatures: &[SignatureParts<'_, S>],
    b64: bool,
) -> Result<Vec<u8>, Error> {
    let size = |signature: &SignatureParts<'_, S>| {
        let etsi_u: usize = signature.etsi_u.iter().map(|element| element.as_ref().len() + 3).sum();
        signature.protected.len() + signature.signature.len() * 4 / 3 + etsi_u + 64
    };
    let size: usize = signatures.iter().map(size).sum();
    let mut out = Vec::with_capacity(payload.len() * 4 / 3 + size + 64);
    out.extend_from_slice(b"{\"payload\":");
    if b64 {
        out.push(b'"');
        base64url::encode_into(payload, &mut out);
        out.push(b'"');
    } else {
        let text = simdutf8::basic::from_utf8(payload).map_err(|_| {
            Error::Argument("an unencoded payload is UTF-8 (RFC 7797 section 5.3); encode it or mend it".into())
        })?;
        string::write(text, &mut out);
    }
    Ok(out)
}

fn append_signature<S: AsRef<str>>(
    signature: &SignatureParts<'_, S>,
    b64: bool,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    check_protected(signature.protected, b64)?;
    out.extend_from_slice(b"\"protected\":\"");
    out.extend_from_slice(signature.protected.as_bytes());
    out.push(b'"');
    for (position, element) in signature.etsi_u.iter().enumerate() {
        out.extend_from_slice(if position > 0 { b"," } else { b",\"header\":{\"etsiU\":[" });
        string::write(element.as_ref(), out);
    }
    if !signature.etsi_u.is_empty() {
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b",\"signature\":\"");
    base64url::encode_into(signature.signature, out);
    out.push(b'"');
    Ok(())
}

/// Whether a protected header may stand over a payload that is encoded, or is not (RFC 7797 section 3).
fn check_protected(protected: &str, b64: bool) -> Result<(), Error> {
    let refuse = |what: String| Error::Argument(format!("the protected header {what}"));
    let text = base64url::decode(protected.as_bytes()).map_err(|error| refuse(format!("is not base64url: {error}")))?;
    let header = Document::parse(text, Limits::default()).map_err(|error| refuse(format!("is not JSON: {error}")))?;
    let Content::Object(_) = header.root().content() else {
        return Err(refuse("is not a JSON object".to_owned()));
    };
    let encoded = !matches!(header.root().member("b64").map(|value| value.content()), Some(Content::Bool(false)));
    if encoded == b64 {
        return Ok(());
    }
    let (said, done) = if encoded { ("is", "is not") } else { ("is not", "is") };
    Err(refuse(format!("says that the payload {said} base64url encoded, and it {done} (RFC 7797 section 3)")))
}
