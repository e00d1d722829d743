"""Other people's software, asked about what we make."""
