"""Who may have what sealed on whose behalf: the register of members and mandates, and the policy over it."""
