"""The ledger: intent before the key is touched, outcome before the answer leaves, the same answer ever after.

It holds no learner data. A request is (caller, request id); sealing it is an *attempt*, and an attempt is two rows that
are never changed: the intent and the outcome. Two unique constraints decide every race, on SQLite and PostgreSQL alike:
one intent for each (request, attempt), one outcome for each intent.

::

    (none) --intend--> INTENDED --conclude(signature)--> SEALED        final; every later call is answered from it
                           |-----conclude(failure)-----> FAILED        may be attempted again (also where a quota is used up)
                           '-----taken over------------> ABANDONED     by whoever intends next, in the same transaction

An attempt may be taken over once its lease has run out, or when its worker is seen to be dead. Taking over is always
safe: it writes the attempt's one outcome, so the slow worker's own conclude finds its place taken (``Lost``) and its
signature never leaves. A new attempt must carry the first one's credential id, so a request has one for ever; ``recall``
hands it out before the credential is built. Its issue time may be another one, because nothing of the attempts before it
left the house: the key that seals by now may not have been valid then.

How issuance uses it::

    ledger.recall(keys)        None: new | SEALED: replay | else: build with entry.intent.credential_id
    ledger.intend(intents)     Admitted(claim) | Settled(entry) | Resume(entry) | Busy(retry_after) | Reused(entry)
    ledger.conclude(outcomes)  Release | Lost | OverQuota(quota)

Each call is one transaction for its whole batch, durable before it returns; calls that arrive while another commits
share the next transaction. All of it may be called from any thread, and from several processes on one database.
When the database cannot be used the calls raise :class:`eseal.errors.Unavailable`, and nothing of the batch is written.
"""

from eseal.ledger.ledger import Ledger
from eseal.ledger.records import (
    Admission,
    Admitted,
    Busy,
    Claim,
    Conclusion,
    Entry,
    Intent,
    Lost,
    Outcome,
    OverQuota,
    Release,
    Resume,
    Reused,
    Settled,
    State,
)
from eseal.ledger.settings import LedgerSettings

__all__ = [
    "Admission",
    "Admitted",
    "Busy",
    "Claim",
    "Conclusion",
    "Entry",
    "Intent",
    "Ledger",
    "LedgerSettings",
    "Lost",
    "Outcome",
    "OverQuota",
    "Release",
    "Resume",
    "Reused",
    "Settled",
    "State",
]
