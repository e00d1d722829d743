//! RFC 6901 JSON pointers.

use crate::error::Error;

/// A pointer, taken apart into unescaped reference tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Read a pointer's text: empty for the whole document, else `/` before each token.
    ///
    /// # Errors
    /// [`Error::Argument`] where RFC 6901 section 3 is broken.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(Error::Argument(format!("{text:?} is not a JSON pointer: it starts with a slash or is empty")));
        };
        let tokens = rest.split('/').map(|token| {
            unescape(token)
                .ok_or_else(|| Error::Argument(format!("{text:?} is not a JSON pointer: ~ is followed by 0 or 1")))
        });
        Ok(Self { tokens: tokens.collect::<Result<_, _>>()? })
    }

    /// The reference tokens, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push(match part.as_bytes().first()? {
            b'0' => '~',
            b'1' => '/',
            _ => return None,
        });
        out.push_str(&part[1..]);
    }
    Some(out)
}

/// A token as an array index: digits without leading zeros (RFC 6901 section 4).
pub(crate) fn array_index(token: &str) -> Option<usize> {
    let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (token.len() > 1 && token.starts_with('0')) {
        return None;
    }
    token.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6901 section 5.
    #[test]
    fn tokens_are_unescaped() {
        assert_eq!(["a/b", "m~n", "~1", ""], *Pointer::parse("/a~1b/m~0n/~01/").unwrap().tokens());
        assert!(Pointer::parse("").unwrap().tokens().is_empty());
        for bad in ["a", "/~", "/~2", "/a~"] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn indices_have_no_leading_zeros() {
        assert_eq!(Some(10), array_index("10"));
        assert_eq!(Some(0), array_index("0"));
        for bad in ["", "01", "-", "+1", "1e0", "99999999999999999999999"] {
            assert_eq!(None, array_index(bad), "{bad}");
        }
    }
}
