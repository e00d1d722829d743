"""Whom a seal may be believed: trust anchors, certificate facts, path validation at a time.

``practice`` makes the certificates of a practice PKI; nothing else here makes anything.
"""
