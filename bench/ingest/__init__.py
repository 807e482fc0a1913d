"""How fast one receiver takes envelopes in, beside nginx and the disk itself. Not in the wheel."""
