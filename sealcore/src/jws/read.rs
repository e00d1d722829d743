//! Reading a JWS in any of its three serialisations, strictly: nothing is guessed, nothing is repaired.

use crate::{
    base64url,
    error::{Error, JsonRule},
    json::{
        document::Document,
        parse::Limits,
        value::{Content, Value},
    },
};

/// How the JWS is written (RFC 7515 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serialization {
    /// Section 7.2.1
    General,
    /// Section 7.2.2
    Flattened,
    /// Section 7.1
    Compact,
}

/// A JWS as received.
#[derive(Debug)]
pub struct Jws {
    /// How it is written.
    pub serialization: Serialization,
    /// The payload member's own bytes: UTF-8 where `b64` is false, else base64url text. None where it is detached.
    pub payload: Option<Vec<u8>>,
    /// The `b64` header (RFC 7797), the same in all signatures.
    pub b64: bool,
    /// At least one.
    pub signatures: Vec<Signature>,
    /// Top-level members that RFC 7515 does not define.
    pub extra: Vec<String>,
}

/// One signature of a JWS.
#[derive(Debug)]
pub struct Signature {
    /// The protected header, base64url text verbatim.
    pub protected: String,
    /// The protected header, parsed: an object.
    pub header: Document,
    /// The unprotected header, an object where it is there.
    pub unprotected: Option<Document>,
    /// The raw signature.
    pub signature: Vec<u8>,
    /// The signature's base64url text verbatim.
    pub signature_text: String,
    /// Members beside it that RFC 7515 does not define.
    pub extra: Vec<String>,
}

/// Read a JWS. The first byte that is not white space tells JSON from compact; white space around either, as an editor
/// leaves at the end of a file, belongs to neither.
///
/// # Errors
/// [`Error::Jws`] with a pointer to the member at fault.
pub fn parse(data: &[u8], limits: Limits) -> Result<Jws, Error> {
    if data.starts_with(b"\xEF\xBB\xBF") {
        return Err(Error::jws("", Error::json(0, JsonRule::ByteOrderMark).to_string()));
    }
    let text = trim(data);
    match text.first() {
        Some(b'{') => parse_json(data, limits),
        Some(_) => parse_compact(text, limits),
        None => Err(Error::jws("", "the document is empty")),
    }
}

fn trim(mut data: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    while let Some((first, rest)) = data.split_first()
        && is_space(first)
    {
        data = rest;
    }
    while let Some((last, rest)) = data.split_last()
        && is_space(last)
    {
        data = rest;
    }
    data
}

fn parse_compact(text: &[u8], limits: Limits) -> Result<Jws, Error> {
    if text.len() > limits.max_bytes {
        return Err(Error::jws("", "the document is larger than the limit"));
    }
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b'.').collect();
    let &[protected, payload, signature] = &parts[..] else {
        return Err(Error::jws(
            "",
            "this is neither a JSON object nor three base64url texts with full stops between (RFC 7515 section 7)",
        ));
    };
    let signature = Signature {
        header: protected_header(protected, "", limits)?,
        protected: ascii(protected),
        unprotected: None,
        signature: signature_bytes(signature, "")?,
        signature_text: ascii(signature),
        extra: Vec::new(),
    };
    let b64 = b64_of(&signature, "")?;
    if b64 {
        check_encoded_payload(payload, "")?;
    } else if !payload.iter().all(|&byte| super::is_compact_payload(byte)) {
        return Err(Error::jws("", "an unencoded compact payload is printable ASCII (RFC 7797 section 5.2)"));
    }
    // RFC 7515 appendix F: nothing between the full stops is a detached payload.
    let payload = (!payload.is_empty()).then(|| payload.to_vec());
    Ok(Jws { serialization: Serialization::Compact, payload, b64, signatures: vec![signature], extra: Vec::new() })
}

fn parse_json(data: &[u8], limits: Limits) -> Result<Jws, Error> {
    let document = Document::parse(data.to_vec(), limits).map_err(|error| Error::jws("", error.to_string()))?;
    let mut top = Top::default();
    let Content::Object(members) = document.root().content() else {
        return Err(Error::jws("", "a JWS JSON document is an object"));
    };
    for (name, value) in members {
        match &*name {
            "payload" => top.payload = Some(string_member(value, "/payload")?.into_bytes()),
            "signatures" => top.signatures = Some(value),
            "protected" | "header" | "signature" => top.flattened = true,
            _ => top.extra.push(name.into_owned()),
        }
    }
    let (serialization, signatures) = match (top.signatures, top.flattened) {
        (Some(_), true) => {
            return Err(Error::jws(
                "/signatures",
                "a general JWS has no protected, header or signature member beside it (RFC 7515 section 7.2.2)",
            ));
        }
        (Some(value), false) => (Serialization::General, general_signatures(&document, value, limits)?),
        (None, true) => (Serialization::Flattened, vec![json_signature(&document, document.root(), "", limits)?]),
        (None, false) => return Err(Error::jws("", "there is no signature and there are no signatures")),
    };
    let b64 = common_b64(&signatures, serialization)?;
    if let (true, Some(payload)) = (b64, &top.payload) {
        check_encoded_payload(payload, "/payload")?;
    }
    Ok(Jws { serialization, payload: top.payload, b64, signatures, extra: top.extra })
}

#[derive(Default)]
struct Top<'a> {
    payload: Option<Vec<u8>>,
    signatures: Option<Value<'a>>,
    flattened: bool,
    extra: Vec<String>,
}

fn general_signatures(document: &Document, value: Value<'_>, limits: Limits) -> Result<Vec<Signature>, Error> {
    let Content::Array(elements) = value.content() else {
        return Err(Error::jws("/signatures", "signatures is an array"));
    };
    let read = |(position, element)| json_signature(document, element, &format!("/signatures/{position}"), limits);
    let signatures: Vec<_> = elements.enumerate().map(read).collect::<Result<_, _>>()?;
    if signatures.is_empty() {
        return Err(Error::jws("/signatures", "signatures is empty"));
    }
    Ok(signatures)
}

/// The members of one signature: an element of `signatures`, or the flattened document itself.
fn json_signature(document: &Document, value: Value<'_>, pointer: &str, limits: Limits) -> Result<Signature, Error> {
    let Content::Object(members) = value.content() else {
        return Err(Error::jws(pointer, "a signature is an object"));
    };
    let (mut protected, mut signature, mut unprotected, mut extra) = (None, None, None, Vec::new());
    for (name, value) in members {
        match &*name {
            "protected" => protected = Some(string_member(value, &format!("{pointer}/protected"))?),
            "signature" => signature = Some(string_member(value, &format!("{pointer}/signature"))?),
            "header" => unprotected = Some(value),
            // A flattened document is its own signature.
            "payload" if pointer.is_empty() => {}
            _ => extra.push(name.into_owned()),
        }
    }
    let protected = protected.ok_or_else(|| {
        Error::jws(
            pointer,
            "the signature has no protected header, which JAdES requires (ETSI TS 119 182-1 clause 5.1)",
        )
    })?;
    let signature_text = signature.ok_or_else(|| Error::jws(pointer, "the signature has no signature member"))?;
    let header = protected_header(protected.as_bytes(), &format!("{pointer}/protected"), limits)?;
    if let Some(unprotected) = unprotected {
        check_unprotected(unprotected, &header, &format!("{pointer}/header"))?;
    }
    Ok(Signature {
        signature: signature_bytes(signature_text.as_bytes(), &format!("{pointer}/signature"))?,
        unprotected: unprotected.map(|_| document.at(&format!("{pointer}/header"))).transpose()?,
        protected,
        header,
        signature_text,
        extra,
    })
}

fn string_member(value: Value<'_>, pointer: &str) -> Result<String, Error> {
    let text =
        value.as_str().ok_or_else(|| Error::jws(pointer, "the member is not a string (RFC 7515 section 7.2)"))?;
    Ok(text.into_owned())
}

fn protected_header(text: &[u8], pointer: &str, limits: Limits) -> Result<Document, Error> {
    let bytes = base64url::decode(text).map_err(|error| Error::jws(pointer, format!("protected header: {error}")))?;
    let header = Document::parse(bytes, limits)
        .map_err(|error| Error::jws(pointer, format!("protected header, decoded: {error}")))?;
    if !matches!(header.root().content(), Content::Object(_)) {
        return Err(Error::jws(pointer, "the protected header is not a JSON object (RFC 7515 section 4)"));
    }
    Ok(header)
}

/// RFC 7515 section 7.2.1: the names in the two headers are disjoint; RFC 7797 section 3: `b64` is protected.
fn check_unprotected(unprotected: Value<'_>, protected: &Document, pointer: &str) -> Result<(), Error> {
    let Content::Object(members) = unprotected.content() else {
        return Err(Error::jws(pointer, "the unprotected header is not an object"));
    };
    for (name, _) in members {
        if protected.root().member(&name).is_some() {
            return Err(Error::jws(pointer, "a header parameter is both protected and unprotected"));
        }
        if matches!(&*name, "crit" | "b64") {
            return Err(Error::jws(
                pointer,
                "crit and b64 are protected (RFC 7515 section 4.1.11, RFC 7797 section 3)",
            ));
        }
    }
    Ok(())
}

fn signature_bytes(text: &[u8], pointer: &str) -> Result<Vec<u8>, Error> {
    base64url::decode(text).map_err(|error| Error::jws(pointer, format!("signature: {error}")))
}

fn check_encoded_payload(payload: &[u8], pointer: &str) -> Result<(), Error> {
    match base64url::decode(payload) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::jws(pointer, format!("payload: {error}"))),
    }
}

fn b64_of(signature: &Signature, pointer: &str) -> Result<bool, Error> {
    match signature.header.root().member("b64").map(|value| value.content()) {
        None => Ok(true),
        Some(Content::Bool(b64)) => Ok(b64),
        Some(_) => Err(Error::jws(pointer, "the b64 header is not a boolean (RFC 7797 section 3)")),
    }
}

/// RFC 7797 section 3: `b64` has the same value in every signature.
fn common_b64(signatures: &[Signature], serialization: Serialization) -> Result<bool, Error> {
    let mut common = None;
    for (position, signature) in signatures.iter().enumerate() {
        let pointer = match serialization {
            Serialization::General => format!("/signatures/{position}/protected"),
            _ => "/protected".to_owned(),
        };
        let b64 = b64_of(signature, &pointer)?;
        if *common.get_or_insert(b64) != b64 {
            return Err(Error::jws(pointer, "the signatures do not agree about b64 (RFC 7797 section 3)"));
        }
    }
    Ok(common.unwrap_or(true))
}

fn ascii(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
