"""Whose process is at the other end of the control socket, as the kernel saw it when it connected. Believes nothing that is said."""

import socket
import struct

_PEERCRED = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


def uid_of(connection: socket.socket) -> int:
    """The uid at the other end. Raises OSError if the connection is gone."""
    return _credentials(connection)[1]


def pid_of(connection: socket.socket) -> int:
    """The process at the other end. Raises OSError if the connection is gone."""
    return _credentials(connection)[0]


def _credentials(connection: socket.socket) -> tuple[int, int]:
    pid, uid, _ = _PEERCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size))
    return int(pid), int(uid)
