//! A batch of PKCS#11 signatures in one session: `C_SignInit` and `C_Sign` in a loop, and nothing else.

use std::{
    error::Error,
    ffi::OsStr,
    fmt,
    mem::size_of,
    ptr,
    time::{Duration, Instant},
};

use cryptoki_sys::{
    CK_BYTE, CK_FUNCTION_LIST, CK_MECHANISM, CK_RSA_PKCS_PSS_PARAMS, CK_RV, CK_ULONG, CKR_OK, CKR_SIGNATURE_LEN_RANGE,
    Pkcs11,
};

/// A handle, a mechanism or another number of PKCS#11's, as wide as the module takes it.
pub type Number = CK_ULONG;

/// CKM_RSA_PKCS_PSS's parameters (PKCS#11 v2.40, mechanisms, section 2.1.10).
#[derive(Clone, Copy, Debug)]
pub struct Pss {
    /// The digest's mechanism, such as CKM_SHA256.
    pub hash: Number,
    /// The mask generation function, such as CKG_MGF1_SHA256.
    pub mgf: Number,
    /// The salt's length in bytes.
    pub salt_length: Number,
}

/// What is signed with, and how long a signature is.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    /// The session, which no other thread may use meanwhile (section 5.11: a session holds one operation).
    pub session: Number,
    /// The private key's object handle.
    pub key: Number,
    /// CKM_ECDSA, CKM_RSA_PKCS or CKM_RSA_PKCS_PSS.
    pub mechanism: Number,
    /// The parameters of CKM_RSA_PKCS_PSS.
    pub pss: Option<Pss>,
    /// The length that every signature of this key has; another one is an error.
    pub signature_length: usize,
    /// The output buffer's length in bytes. It is never asked for: on a network HSM that could be one more round trip.
    pub buffer: usize,
}

/// What came of a batch: a signature for each item up to the one that failed or came too late.
#[derive(Debug, Default)]
pub struct Signed {
    /// The signatures, in order.
    pub signatures: Vec<Vec<u8>>,
    /// How long each took.
    pub took: Vec<Duration>,
    /// The call that failed and its return value.
    pub failure: Option<(&'static str, CK_RV)>,
}

/// Why a module cannot be called.
#[derive(Debug)]
pub struct NotLoaded(String);

impl fmt::Display for NotLoaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for NotLoaded {}

/// The signing functions of a module, which others load, start and stop.
#[derive(Clone, Copy, Debug)]
pub struct Signer {
    sign_init: unsafe extern "C" fn(CK_ULONG, *mut CK_MECHANISM, CK_ULONG) -> CK_RV,
    sign: unsafe extern "C" fn(CK_ULONG, *mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV,
}

impl Signer {
    /// Look the functions up in the module at `path`. It stays loaded until the process ends.
    pub fn load(path: impl AsRef<OsStr>) -> Result<Self, NotLoaded> {
        // SAFETY: loading runs the library's own initialisers, which is what an operator configures it for.
        let module = unsafe { Pkcs11::new(path) }.map_err(|error| NotLoaded(error.to_string()))?;
        let module: &'static Pkcs11 = Box::leak(Box::new(module));
        let Ok(function_list) = &module.C_GetFunctionList else {
            return Err(NotLoaded("it has no C_GetFunctionList".to_owned()));
        };
        let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
        // SAFETY: C_GetFunctionList may be called at any time and writes one pointer (section 5.4).
        let value = unsafe { function_list(&raw mut list) };
        // SAFETY: the module owns the list, which stays as it is for as long as the module is loaded (section 5.4).
        let functions = unsafe { list.as_ref() };
        match functions.map(|functions| (functions.C_SignInit, functions.C_Sign)) {
            Some((Some(sign_init), Some(sign))) if value == CKR_OK => Ok(Self { sign_init, sign }),
            _ => Err(NotLoaded(format!("C_GetFunctionList returned {value:#x} or an incomplete list"))),
        }
    }

    /// Sign each of `data`, until one fails or `within` has passed; at least one is tried.
    pub fn sign_many<T: AsRef<[u8]>>(&self, signing: &Signing, data: &[T], within: Duration) -> Signed {
        let mut buffer = vec![0; signing.buffer];
        let mut signed =
            Signed { signatures: Vec::with_capacity(data.len()), took: Vec::with_capacity(data.len()), failure: None };
        let started = Instant::now();
        let mut before = started;
        for item in data {
            match self.sign_one(signing, item.as_ref(), &mut buffer) {
                Ok(signature) => signed.signatures.push(signature),
                Err(failure) => {
                    signed.failure = Some(failure);
                    break;
                }
            }
            let now = Instant::now();
            signed.took.push(now - before);
            before = now;
            if now - started >= within {
                break;
            }
        }
        signed
    }

    fn sign_one(&self, signing: &Signing, data: &[u8], buffer: &mut [u8]) -> Result<Vec<u8>, (&'static str, CK_RV)> {
        // Made anew each time: modules may write into both.
        let mut pss =
            signing.pss.map(|pss| CK_RSA_PKCS_PSS_PARAMS { hashAlg: pss.hash, mgf: pss.mgf, sLen: pss.salt_length });
        let mut mechanism = CK_MECHANISM {
            mechanism: signing.mechanism,
            pParameter: pss.as_mut().map_or(ptr::null_mut(), |pss| (&raw mut *pss).cast()),
            ulParameterLen: if pss.is_some() { size_of::<CK_RSA_PKCS_PSS_PARAMS>() as CK_ULONG } else { 0 },
        };
        // SAFETY: the mechanism and its parameters outlive the call; the module checks both handles.
        let value = unsafe { (self.sign_init)(signing.session, &raw mut mechanism, signing.key) };
        if value != CKR_OK {
            return Err(("C_SignInit", value));
        }
        let mut length = buffer.len() as CK_ULONG;
        // SAFETY: both buffers are as long as is said; the module only reads the data although its type lacks const.
        let value = unsafe {
            (self.sign)(
                signing.session,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG,
                buffer.as_mut_ptr(),
                &raw mut length,
            )
        };
        if value != CKR_OK {
            return Err(("C_Sign", value));
        }
        match buffer.get(..signing.signature_length) {
            Some(signature) if length as usize == signing.signature_length => Ok(signature.to_vec()),
            _ => Err(("C_Sign", CKR_SIGNATURE_LEN_RANGE)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use cryptoki_sys::CKR_DEVICE_ERROR;

    use super::*;

    /// The device fails to sign data that begin with this.
    pub(crate) const FAILS: u8 = 0xFF;
    /// Data that begin with this are signed after as many milliseconds as the next byte says.
    pub(crate) const SLOW: u8 = 0xFE;
    static INITIALISED: AtomicU64 = AtomicU64::new(0);

    unsafe extern "C" fn sign_init(session: CK_ULONG, mechanism: *mut CK_MECHANISM, _key: CK_ULONG) -> CK_RV {
        // SAFETY: the caller's mechanism outlives the call.
        let mechanism = unsafe { &*mechanism };
        INITIALISED.fetch_add(1, Ordering::SeqCst);
        if session == 0 { cryptoki_sys::CKR_SESSION_HANDLE_INVALID } else { mechanism.mechanism }
    }

    unsafe extern "C" fn sign(
        _session: CK_ULONG,
        data: *mut CK_BYTE,
        length: CK_ULONG,
        signature: *mut CK_BYTE,
        room: *mut CK_ULONG,
    ) -> CK_RV {
        // SAFETY: the caller says how long the data are, and how long the buffer is.
        let (data, buffer) = unsafe {
            (
                std::slice::from_raw_parts(data, length as usize),
                std::slice::from_raw_parts_mut(signature, *room as usize),
            )
        };
        match data[..] {
            [FAILS, ..] => return CKR_DEVICE_ERROR,
            [SLOW, milliseconds, ..] => std::thread::sleep(Duration::from_millis(milliseconds.into())),
            _ => {}
        }
        buffer[..data.len()].copy_from_slice(data);
        // SAFETY: it is the caller's.
        unsafe { *room = length };
        CKR_OK
    }

    /// A module that signs two bytes with the same two bytes.
    pub(crate) const ECHO: Signer = Signer { sign_init, sign };

    pub(crate) const SIGNING: Signing =
        Signing { session: 1, key: 1, mechanism: CKR_OK, pss: None, signature_length: 2, buffer: 8 };

    /// The batch stops at the first failure, and says which call failed with what.
    #[test]
    fn stops_at_a_failure() {
        let signed = ECHO.sign_many(&SIGNING, &[[1, 2], [3, 4], [FAILS, 0], [5, 6]], Duration::MAX);
        assert_eq!(vec![vec![1, 2], vec![3, 4]], signed.signatures);
        assert_eq!(2, signed.took.len());
        assert_eq!(Some(("C_Sign", CKR_DEVICE_ERROR)), signed.failure);
        let signed = ECHO.sign_many(&Signing { session: 0, ..SIGNING }, &[[1, 2]], Duration::MAX);
        assert_eq!(Some(("C_SignInit", cryptoki_sys::CKR_SESSION_HANDLE_INVALID)), signed.failure);
    }

    /// It stops when the time is over, after one at the least.
    #[test]
    fn stops_when_time_is_over() {
        let signed = ECHO.sign_many(&SIGNING, &[[1, 2], [3, 4]], Duration::ZERO);
        assert_eq!((1, None), (signed.signatures.len(), signed.failure));
    }

    /// A signature of another length than the key's is none.
    #[test]
    fn refuses_another_length() {
        let signed = ECHO.sign_many(&SIGNING, &[&[1, 2, 3][..]], Duration::MAX);
        assert_eq!(Some(("C_Sign", CKR_SIGNATURE_LEN_RANGE)), signed.failure);
    }
}
