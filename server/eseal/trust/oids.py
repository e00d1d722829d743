"""Object identifiers that certificates of legal persons use and that ``cryptography`` has no names for."""

from __future__ import annotations

from cryptography.x509 import ObjectIdentifier

# RFC 3739 section 3.2.6; EN 319 412-5 clause 4.
ID_QC_STATEMENTS = ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_COMPLIANCE = ObjectIdentifier("0.4.0.1862.1.1")
QC_SSCD = ObjectIdentifier("0.4.0.1862.1.4")
QC_TYPE = ObjectIdentifier("0.4.0.1862.1.6")
QC_TYPE_ESIGN = ObjectIdentifier("0.4.0.1862.1.6.1")
QC_TYPE_ESEAL = ObjectIdentifier("0.4.0.1862.1.6.2")
QC_TYPE_WEB = ObjectIdentifier("0.4.0.1862.1.6.3")
QC_CC_LEGISLATION = ObjectIdentifier("0.4.0.1862.1.7")

# A certificate with either of these is never revoked: RFC 9608 and EN 319 412-1 clause 5.2.
NO_REV_AVAIL = ObjectIdentifier("2.5.29.56")
VALIDITY_ASSURED_SHORT_TERM = ObjectIdentifier("0.4.0.194121.2.1")
