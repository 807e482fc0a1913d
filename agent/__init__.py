"""Volens, put together: daemon, command line, tray and view. The only folder that sees consent, collectors and transport."""
