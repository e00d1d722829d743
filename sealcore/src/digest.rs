//! SHA-2 digests.

use aws_lc_rs::digest;

use crate::error::Error;

/// A SHA-2 digest algorithm that seals use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Algorithm {
    /// `sha256`, `sha384` or `sha512`.
    ///
    /// # Errors
    /// [`Error::Argument`] for any other name.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "sha256" => Ok(Self::Sha256),
            "sha384" => Ok(Self::Sha384),
            "sha512" => Ok(Self::Sha512),
            _ => Err(Error::Argument(format!("{name:?} is not a digest; there are sha256, sha384 and sha512"))),
        }
    }

    pub(crate) fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// The digest of `data`.
#[must_use]
pub fn digest(algorithm: Algorithm, data: &[u8]) -> Vec<u8> {
    digest::digest(algorithm.implementation(), data).as_ref().to_vec()
}
