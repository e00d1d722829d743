"""The e-sealing service for university alliances."""
