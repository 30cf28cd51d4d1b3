"""Lane trials: what each of Warden's lanes will really do, tried in Warden's own manner.

The door is :mod:`core.verify.trials.registry`: ``trials_for(lane)`` and ``run_trial(...)``.
"""
