"""What live test and race share: keys that mean the same, and when escape stops or leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input, OptionList

from tui.widgets.shell import TurnkeyScreen

if TYPE_CHECKING:
    from core.live.watching import Progress


class StreamingScreen(TurnkeyScreen[None]):
    """A screen on which requests run, in a worker of the group ``stream``."""

    @property
    def _busy(self) -> bool:
        return any(
            worker.group == "stream" and worker.is_running
            for worker in self.workers
            if worker.node is self
        )

    @property
    def explained(self) -> Progress:
        """The progress whose figures ``=`` explains."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape stops while a stream runs, and goes back else."""
        if not self.is_mounted:
            return True
        if action == "stop":
            return self._busy
        if action == "back":
            return not self._busy
        if action == "edit":  # whoever writes, or looks for a model, means the letter
            return not isinstance(self.focused, Input | OptionList)
        return True

    def free(self, what: str) -> bool:
        """Whether nothing runs; says why ``what`` is not possible where something does."""
        if self._busy:
            self.notify(f"A stream runs: esc stops it, then {what}.", markup=False)
            return False
        return True

    def go_on(self) -> bool:
        """A stream that runs is not left out by chance."""
        return not self.free("ctrl+n goes on")

    def action_history(self) -> None:
        """Show the runs of this session."""
        from tui.widgets.runs import RunsScreen

        if len(self.workspace.history):
            self.app.push_screen(RunsScreen(self.workspace.history))
        else:
            self.notify("There is no run yet: enter makes one.", markup=False)

    def action_figures(self) -> None:
        """Explain the figures."""
        from tui.widgets.explain import ExplainFigures

        progress = self.explained
        self.app.push_screen(ExplainFigures(progress.figures, progress.counts_from))
