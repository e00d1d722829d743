//! The one error of the crate: what is wrong with the bytes, where, and the rule they break.
//!
//! Sentences name places and rules and never quote the document, because documents hold learner data.

use std::fmt;

/// Why a document, a signature, a key or a schema is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The bytes are not JSON as `docs/canonical-json.md` decides.
    Json {
        /// The byte where that shows, counted from 0.
        offset: usize,
        /// The rule that is broken there.
        rule: JsonRule,
    },
    /// A value from elsewhere is not one that JSON has, or not as these rules allow it.
    Value {
        /// RFC 6901 pointer to it.
        pointer: String,
        /// The rule that is broken there.
        rule: JsonRule,
    },
    /// The bytes are not a JWS (RFC 7515).
    Jws {
        /// RFC 6901 pointer to the member at fault; empty for the whole document or a compact JWS.
        pointer: String,
        /// What is wrong there, as a sentence.
        message: String,
    },
    /// A JSON pointer leads to nothing, or to something that cannot be edited so.
    NotFound {
        /// The pointer as given.
        pointer: String,
        /// What is missing or of the wrong kind.
        message: &'static str,
    },
    /// An argument is not what the function takes: a pointer's syntax, a key, a text that is not base64url, lengths
    /// that differ.
    Argument(String),
    /// A JSON Schema does not compile.
    Schema(String),
}

impl Error {
    pub(crate) fn json(offset: usize, rule: JsonRule) -> Self {
        Self::Json { offset, rule }
    }

    pub(crate) fn jws(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Jws { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { offset, rule } => write!(f, "byte {offset}: {rule}"),
            Self::Value { pointer, rule } if pointer.is_empty() => rule.fmt(f),
            Self::Value { pointer, rule } => write!(f, "{pointer}: {rule}"),
            Self::Jws { pointer, message } if pointer.is_empty() => f.write_str(message),
            Self::Jws { pointer, message } => write!(f, "{pointer}: {message}"),
            Self::NotFound { pointer, message } => write!(f, "{pointer:?}: {message}"),
            Self::Argument(message) | Self::Schema(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// The rules of strict JSON, one for each way of breaking them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)] // as wide as an offset: the parser hands both up in registers
pub enum JsonRule {
    /// RFC 8259 section 8.1: no byte order mark.
    ByteOrderMark,
    /// RFC 8259 section 8.1: UTF-8.
    InvalidUtf8,
    /// The text ends before the value does.
    UnexpectedEnd,
    /// No value can start with this byte.
    ExpectedValue,
    /// An object wants a member name here.
    ExpectedName,
    /// A member name is followed by a colon.
    ExpectedColon,
    /// Members are followed by a comma or the closing brace.
    ExpectedCommaOrBrace,
    /// Elements are followed by a comma or the closing bracket.
    ExpectedCommaOrBracket,
    /// Nothing follows the value.
    TrailingBytes,
    /// RFC 8259 section 7: control characters are escaped.
    ControlCharacter,
    /// RFC 8259 section 7: the escapes there are.
    InvalidEscape,
    /// RFC 7493 section 2.1: no lone surrogate.
    LoneSurrogate,
    /// RFC 7493 section 2.3: member names are unique, after unescaping.
    DuplicateName,
    /// RFC 8259 section 6: no leading zero.
    LeadingZero,
    /// RFC 8259 section 6: the grammar of numbers.
    InvalidNumber,
    /// No number is NaN or an infinity.
    NotFinite,
    /// The number is beyond the largest IEEE 754 double.
    NumberOverflow,
    /// The integer is not one that an IEEE 754 double holds exactly.
    InexactInteger,
    /// Containers are nested deeper than the limit.
    TooDeep,
    /// The document is larger than the limit.
    TooLarge,
    /// A member name that is not a string (only from Python values).
    NameNotString,
    /// A value of a type that JSON does not have (only from Python values).
    NotJson,
}

impl JsonRule {
    /// The rule as a sentence for the person who must mend the document.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::ByteOrderMark => "the text starts with a byte order mark; JSON has none (RFC 8259 section 8.1)",
            Self::InvalidUtf8 => "the bytes are not valid UTF-8 (RFC 8259 section 8.1)",
            Self::UnexpectedEnd => "the text ends before the value is complete",
            Self::ExpectedValue => "a JSON value is expected here",
            Self::ExpectedName => "a member name in double quotes is expected here",
            Self::ExpectedColon => "a colon is expected after the member name",
            Self::ExpectedCommaOrBrace => "a comma or a closing brace is expected after the member",
            Self::ExpectedCommaOrBracket => "a comma or a closing bracket is expected after the element",
            Self::TrailingBytes => "bytes follow the end of the JSON value",
            Self::ControlCharacter => "a control character stands in a string unescaped (RFC 8259 section 7)",
            Self::InvalidEscape => "this is not an escape sequence of JSON (RFC 8259 section 7)",
            Self::LoneSurrogate => {
                "an escaped surrogate has no partner, so the string is not Unicode (RFC 7493 section 2.1)"
            }
            Self::DuplicateName => "the object has this member name already (RFC 7493 section 2.3)",
            Self::LeadingZero => "a number has no leading zeros (RFC 8259 section 6)",
            Self::InvalidNumber => "this is not a number of JSON (RFC 8259 section 6)",
            Self::NotFinite => "NaN and infinities are not numbers of JSON (RFC 8259 section 6)",
            Self::NumberOverflow => "the number is larger than any IEEE 754 double (RFC 7493 section 2.2)",
            Self::InexactInteger => {
                "an IEEE 754 double cannot hold this integer exactly (RFC 7493 section 2.2); write it as a string"
            }
            Self::TooDeep => "arrays and objects are nested deeper than the limit",
            Self::TooLarge => "the document is larger than the limit",
            Self::NameNotString => "a member name is a string",
            Self::NotJson => "JSON has no value of this type",
        }
    }
}

impl fmt::Display for JsonRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
