"""The signature format: JAdES (ETSI TS 119 182-1) over RFC 7515 and RFC 7797.

``header`` and ``writing`` make what we seal; ``reading`` takes what anybody sealed and says, part by part, what holds:
``rules`` for the protected header, ``detached`` for sigD, ``etsi_u`` for the unprotected header, ``timestamps`` and
``tokens`` for RFC 3161, ``levels`` for the baseline level that the structure reaches. Nobody is trusted or mistrusted
here: certificates are bytes that name a key.
"""
