"""The errors of transport: one base, and sentences that say whose fault it is and what to do. None ever holds a payload byte or a key."""


class TransportError(Exception):
    """Something about leaving the workstation went wrong; the message is fit to be shown to a person."""
