"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Started in the background of a shell without job control, children would inherit this and
    # never hear the interruptions that tests send them.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine stalls for longer than the 200 ms that one example may take by default.
settings.register_profile("turnkey", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("turnkey")
