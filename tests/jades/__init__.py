"""Tests of the signature format."""
