"""What decoding bytes from elsewhere can raise; whoever decodes catches all of it, and says whose fault it was. Pure."""

UNREADABLE = (ValueError, RecursionError)
"""msgspec's own errors are ValueErrors, and so is the UnicodeDecodeError that it lets through for text that is no UTF-8. In a field
that nobody reads it descends as deep as the bytes say, until Python's own bound."""
