"""Puts Volens together: daemon, command line, tray, view."""
