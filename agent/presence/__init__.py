"""The facts of the session and the machine that exempt without asking: who tells them, and what they amount to."""
