"""What holds for every test."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Started in the background of a shell without job control, children would inherit this and
    # never hear the interruptions that tests send them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
