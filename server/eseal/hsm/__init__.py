"""The key and nothing but the key: digests in, signatures out. The only room that knows PKCS#11, and the CSC API.

The life of a signature::

    room.sign(key, digests)         a batch waits in one of two lanes (queued)
      -> a worker takes a turn      a thread with a session of its own, so that no caller hangs in the module (worker)
      -> C_SignInit, C_Sign         with the key handle that was looked up once in that session (session)
      -> r and s, or the RSA bytes  in the caller's order

As long as nothing goes wrong all of that is native (``sealcore/cryptoki``), from the caller's wait to the signature;
what goes wrong comes to the worker. Beside it are the keeper, one thread that opens sessions and climbs the recovery
ladder when they fail, and the watch, which gives up calls that do not come back. ``docs/hsm.md`` has the ladder and the
vendors.

Where the key is a trust service provider's, ``csc.room`` is the key room: the same callers, lanes and deadlines, and HTTPS in
place of the module.

Nothing here checks a signature, save the trial that shows that key and certificate belong together: what the HSM
returns is proven by issuance, which alone knows what was to be signed.
"""

from eseal.hsm.algorithms import public_key_of
from eseal.hsm.bench import Rate, bench
from eseal.hsm.generation import generate_key
from eseal.hsm.inventory import ListedKey, ListedToken, list_keys, list_tokens
from eseal.hsm.practice import practice_token
from eseal.hsm.request import request_certificate
from eseal.hsm.room import Pkcs11KeyRoom
from eseal.hsm.settings import HsmSettings, QuirkSettings, RecoverySettings, SealKeySettings

__all__ = [
    "HsmSettings",
    "ListedKey",
    "ListedToken",
    "Pkcs11KeyRoom",
    "QuirkSettings",
    "Rate",
    "RecoverySettings",
    "SealKeySettings",
    "bench",
    "generate_key",
    "list_keys",
    "list_tokens",
    "practice_token",
    "public_key_of",
    "request_certificate",
]
