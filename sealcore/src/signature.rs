//! Verifying JWS signatures (RFC 7518 section 3) with keys from `SubjectPublicKeyInfo`.

use std::sync::OnceLock;

use aws_lc_rs::{
    digest,
    signature::{self as aws, ParsedPublicKey, VerificationAlgorithm},
};
use spki::{
    ObjectIdentifier, SubjectPublicKeyInfoRef,
    der::{Encode, Reader, SliceReader, asn1::UintRef},
};

use crate::{batch, digest::Algorithm as Digest, error::Error, jws::SigningInput};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P_521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// A JWS signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names are those of RFC 7518 section 3.1
pub enum Algorithm {
    Es256,
    Es384,
    Es512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Algorithm {
    /// The algorithm of an `alg` header, if it is one that is verified here.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            _ => return None,
        })
    }

    /// The digest that is signed.
    #[must_use]
    pub fn digest(self) -> Digest {
        match self {
            Self::Es256 | Self::Rs256 | Self::Ps256 => Digest::Sha256,
            Self::Es384 | Self::Rs384 | Self::Ps384 => Digest::Sha384,
            Self::Es512 | Self::Rs512 | Self::Ps512 => Digest::Sha512,
        }
    }

    /// The kind of key it belongs to, the length of its signatures where that is fixed, and how it is computed.
    /// PSS takes a salt as long as the digest, as RFC 7518 section 3.5 demands.
    fn facts(self) -> (Kind, Option<usize>, &'static dyn VerificationAlgorithm) {
        match self {
            Self::Es256 => (Kind::P256, Some(64), &aws::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => (Kind::P384, Some(96), &aws::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => (Kind::P521, Some(132), &aws::ECDSA_P521_SHA512_FIXED),
            Self::Rs256 => (Kind::Rsa, None, &aws::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => (Kind::Rsa, None, &aws::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => (Kind::Rsa, None, &aws::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => (Kind::Rsa, None, &aws::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => (Kind::Rsa, None, &aws::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => (Kind::Rsa, None, &aws::RSA_PSS_2048_8192_SHA512),
        }
    }
}

/// The kinds of key that seals are verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// NIST P-521
    P521,
    /// RSA of 2048 to 8192 bits
    Rsa,
}

/// A public key, checked once and used from any thread.
pub struct PublicKey {
    kind: Kind,
    bits: usize,
    /// The EC point, or the `RSAPublicKey` structure (RFC 8017 appendix A.1.1).
    material: Box<[u8]>,
    /// The key made ready for each algorithm it is used with.
    ready: [OnceLock<Option<ParsedPublicKey>>; 9],
}

impl PublicKey {
    /// Read a `SubjectPublicKeyInfo` (RFC 5280 section 4.1), DER.
    ///
    /// # Errors
    /// [`Error::Argument`] for anything but P-256, P-384, P-521 and RSA of 2048 to 8192 bits.
    pub fn from_spki(der: &[u8]) -> Result<Self, Error> {
        let refuse = |message: &str| Error::Argument(message.to_owned());
        let info = SubjectPublicKeyInfoRef::try_from(der)
            .map_err(|_| refuse("the key is not a DER SubjectPublicKeyInfo (RFC 5280 section 4.1)"))?;
        let material = info.subject_public_key.as_bytes().ok_or_else(|| refuse("the key's bit string is cut"))?;
        let (kind, bits, algorithm) = match info.algorithm.oid {
            EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
                Ok(P_256) => (Kind::P256, 256, Algorithm::Es256),
                Ok(P_384) => (Kind::P384, 384, Algorithm::Es384),
                Ok(P_521) => (Kind::P521, 521, Algorithm::Es512),
                _ => return Err(refuse("the key's curve is none of P-256, P-384 and P-521")),
            },
            RSA_ENCRYPTION => (Kind::Rsa, rsa_bits(material)?, Algorithm::Rs256),
            _ => return Err(refuse("the key is neither an EC nor an RSA key")),
        };
        let key = Self { kind, bits, material: material.into(), ready: Default::default() };
        if key.ready(algorithm).is_none() {
            return Err(refuse("the key's numbers are not those of a public key"));
        }
        Ok(key)
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The size of the field or of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// Whether `signature` is this key's over `input`; no where algorithm and key do not belong together. ECDSA
    /// signatures are r and s at their full width (RFC 7518 section 3.4).
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, input: &SigningInput<'_>, signature: &[u8]) -> bool {
        let (kind, length, _) = algorithm.facts();
        if kind != self.kind || length.is_some_and(|length| length != signature.len()) {
            return false;
        }
        let digest = input.digest(algorithm.digest());
        self.verifies_digest(algorithm, &digest, signature)
    }

    /// As [`PublicKey::verifies`], over a signing input that is already put together.
    #[must_use]
    pub fn verifies_bytes(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        let (kind, length, _) = algorithm.facts();
        if kind != self.kind || length.is_some_and(|length| length != signature.len()) {
            return false;
        }
        let digest = digest::digest(algorithm.digest().implementation(), signing_input);
        self.verifies_digest(algorithm, &digest, signature)
    }

    fn verifies_digest(&self, algorithm: Algorithm, digest: &digest::Digest, signature: &[u8]) -> bool {
        self.ready(algorithm).is_some_and(|key| key.verify_digest_sig(digest, signature).is_ok())
    }

    fn ready(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.ready[algorithm as usize]
            .get_or_init(|| ParsedPublicKey::new(algorithm.facts().2, &self.material).ok())
            .as_ref()
    }
}

/// A signature that is claimed to be a key's over an input.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// Whose it is said to be.
    pub key: &'a PublicKey,
    /// How it was made; None for what is not verified here.
    pub algorithm: Option<Algorithm>,
    /// What it is said to cover.
    pub input: SigningInput<'a>,
    /// The raw signature.
    pub signature: &'a [u8],
}

/// Whether each claim holds, on at most `threads` threads (None: as many as there are cores).
#[must_use]
pub fn verify_many(claims: &[Claim<'_>], threads: Option<usize>) -> Vec<bool> {
    const NANOSECONDS: u64 = 50_000;
    batch::map(claims.len(), claims.len() as u64 * NANOSECONDS, threads, |index| {
        let Claim { key, algorithm, input, signature } = &claims[index];
        algorithm.is_some_and(|algorithm| key.verifies(algorithm, input, signature))
    })
}

fn rsa_bits(material: &[u8]) -> Result<usize, Error> {
    let modulus = SliceReader::new(material).and_then(|mut reader| {
        let modulus = reader.sequence(|reader| {
            let modulus = reader.decode::<UintRef<'_>>()?;
            reader.decode::<UintRef<'_>>()?;
            Ok(modulus)
        })?;
        reader.finish(modulus)
    });
    let modulus = modulus.map_err(|_| Error::Argument("the RSA key is not a DER RSAPublicKey (RFC 8017)".into()))?;
    let bytes = modulus.as_bytes();
    let bits = bytes.len() * 8 - bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(Error::Argument(format!("the RSA key has {bits} bits; seals have 2048 to 8192")));
    }
    Ok(bits)
}

/// An ECDSA signature from r and s at full width (RFC 7518 section 3.4) to DER (RFC 3279 section 2.2.3).
///
/// # Errors
/// [`Error::Argument`] where the length is odd or none.
pub fn ecdsa_to_der(raw: &[u8]) -> Result<Vec<u8>, Error> {
    if raw.is_empty() || raw.len() % 2 == 1 {
        return Err(Error::Argument("a raw ECDSA signature is r and s, equally wide".into()));
    }
    let (r, s) = raw.split_at(raw.len() / 2);
    let integers = || [UintRef::new(r)?, UintRef::new(s)?].to_vec().to_der();
    integers().map_err(|_| Error::Argument("the ECDSA signature is too long".into()))
}

/// An ECDSA signature from DER to r and s, each `size` bytes wide: 32, 48 or 66.
///
/// # Errors
/// [`Error::Argument`] for another size, for what is not DER, or a number that is wider.
pub fn ecdsa_from_der(der: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let refuse = |message: &str| Error::Argument(message.to_owned());
    if !matches!(size, 32 | 48 | 66) {
        return Err(refuse("r and s are 32, 48 or 66 bytes wide (P-256, P-384, P-521)"));
    }
    let numbers = SliceReader::new(der).and_then(|mut reader| {
        let numbers = reader.sequence(|reader| Ok([reader.decode::<UintRef<'_>>()?, reader.decode()?]))?;
        reader.finish(numbers)
    });
    let numbers = numbers.map_err(|_| refuse("the ECDSA signature is not DER (RFC 3279 section 2.2.3)"))?;
    let mut raw = Vec::with_capacity(2 * size);
    for number in numbers {
        let bytes = number.as_bytes();
        let padding = size.checked_sub(bytes.len()).ok_or_else(|| refuse("r or s is wider than the curve"))?;
        raw.resize(raw.len() + padding, 0);
        raw.extend_from_slice(bytes);
    }
    Ok(raw)
}
