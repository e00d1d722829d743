//! Keys that sign, of every algorithm that is verified.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self as aws, EcdsaKeyPair, KeyPair, RsaKeyPair},
};
use sealcore::signature::Algorithm;

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn aws::RsaEncoding),
}

/// A fresh key and how it signs.
pub struct Key {
    pub name: &'static str,
    pub algorithm: Algorithm,
    /// What the crypto library verifies it with.
    pub verification: &'static dyn aws::VerificationAlgorithm,
    pair: Pair,
}

impl Key {
    /// One for each algorithm.
    pub fn all() -> Vec<Self> {
        let names = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
        names.into_iter().map(Self::new).collect()
    }

    pub fn new(name: &'static str) -> Self {
        let ec = |signing| Pair::Ec(EcdsaKeyPair::generate(signing).expect("an EC key"));
        let rsa = |encoding| Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"), encoding);
        let (verification, pair): (&'static dyn aws::VerificationAlgorithm, _) = match name {
            "ES256" => (&aws::ECDSA_P256_SHA256_FIXED, ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING)),
            "ES384" => (&aws::ECDSA_P384_SHA384_FIXED, ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING)),
            "ES512" => (&aws::ECDSA_P521_SHA512_FIXED, ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING)),
            "RS256" => (&aws::RSA_PKCS1_2048_8192_SHA256, rsa(&aws::RSA_PKCS1_SHA256)),
            "RS384" => (&aws::RSA_PKCS1_2048_8192_SHA384, rsa(&aws::RSA_PKCS1_SHA384)),
            "RS512" => (&aws::RSA_PKCS1_2048_8192_SHA512, rsa(&aws::RSA_PKCS1_SHA512)),
            "PS256" => (&aws::RSA_PSS_2048_8192_SHA256, rsa(&aws::RSA_PSS_SHA256)),
            "PS384" => (&aws::RSA_PSS_2048_8192_SHA384, rsa(&aws::RSA_PSS_SHA384)),
            "PS512" => (&aws::RSA_PSS_2048_8192_SHA512, rsa(&aws::RSA_PSS_SHA512)),
            _ => unreachable!("{name}"),
        };
        Self { name, algorithm: Algorithm::named(name).expect(name), verification, pair }
    }

    /// SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_der().expect("SPKI"),
            Pair::Rsa(pair, _) => pair.public_key().as_der().expect("SPKI"),
        };
        der.as_ref().to_vec()
    }

    /// The crypto library's own key, made ready.
    pub fn raw(&self) -> aws::ParsedPublicKey {
        let material = match &self.pair {
            Pair::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
        };
        aws::ParsedPublicKey::new(self.verification, material).expect("a public key")
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }
}
