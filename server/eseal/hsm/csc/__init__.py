"""A remote QSCD: the seal key is a trust service provider's, and signs over the CSC API (v1.0.4.0 or v2).

A second key room beside the token's, for the same callers::

    room.sign(key, digests)         a batch becomes a job in one of two lanes, as at a token
      -> a sender takes a turn      jobs of one key together, up to the credential's multisign (room)
      -> credentials/authorize      signature activation data for these digests and no others (SCAL2) (service)
      -> signatures/signHash        one request for all of them
      -> r and s, or the RSA bytes  in the caller's order

``room`` is imported where the configuration has a ``[qscd]``: its HTTP and OAuth 2.0 clients are much to load.
"""
