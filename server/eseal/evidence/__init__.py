"""Time-stamp authorities, OCSP and CRL: the network that levels above B-B need. Nothing lives here yet."""
