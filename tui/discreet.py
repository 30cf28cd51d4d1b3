"""An app that says nothing of what passes through it: no key in a traceback, a log or a console.

Textual 8.2 prints the local variables of every frame when an app ends by an error, sends each
message to its developer console, and writes them to the file that ``TEXTUAL_LOG`` names. A key is
a local variable while it is read, and a message while it is typed or pasted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from textual import constants
from textual.app import App

if TYPE_CHECKING:
    import inspect

    from textual._log import LogGroup, LogVerbosity

ReturnType = TypeVar("ReturnType")


class DiscreetApp(App[ReturnType]):
    """Tracebacks without local variables, and nothing for the developer console or a log file."""

    def __init__(self) -> None:
        # Read at every message (Textual 8.2); it was taken from TEXTUAL_LOG.
        vars(constants)["LOG_FILE"] = None
        super().__init__()

    def _log(
        self,
        group: LogGroup,
        verbosity: LogVerbosity,
        _textual_calling_frame: inspect.Traceback,
        *objects: object,
        **kwargs: object,
    ) -> None:
        """Write nothing."""

    def _fatal_error(self) -> None:
        """End by an error: where it was, without what was in the variables."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self.bell()
        trace = Traceback(show_locals=False, width=None, suppress=["textual"])
        self._exit_renderables.append(Segments(self.console.render(trace, self.console.options)))
        self._close_messages_no_wait()
