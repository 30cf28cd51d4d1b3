"""A model of the user's own that the skills of one layer can reach: what an edit may set a lane to.

Source of who sees which providers: getsentry/warden pull request 416, ``config/loader.ts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.warden.chains import LANES
from core.warden.config import split_selector
from core.warden.scene import providers_seen

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.warden.chains import Layer
    from core.warden.config import Provider
    from core.warden.scene import Scene


def reachable(scene: Scene, layer: Layer, chosen: Collection[str]) -> str | None:
    """A selector that works in ``layer``, or None: a provider has to be added there first.

    What the layer's own lanes use, else what the other layer's use, else the first model of the
    providers that it sees. ``chosen`` are the providers that may be meant. One that only the other
    layer declares is not seen; one that no layer declares stands in Pi's ``models.json``, and so
    do all of stock Warden's, which drops every map.
    """
    stock = scene.variant == "stock"
    seen = declared_for(scene, layer)
    hidden = {one.name for other in ("repo", "base") for one in _declared(scene, other)}
    hidden -= {one.name for one in seen}
    lanes = [scene.lanes, scene.base_lanes or {}]
    used: list[str | None] = []
    for found in reversed(lanes) if layer == "base" else lanes:
        used += [found[lane].selector for lane in LANES if lane in found]
    used += [one.selector for one in scene.overrides]
    for selector in used:
        parts = split_selector(selector or "")
        if parts and parts[0] in chosen and (stock or parts[0] not in hidden):
            return selector
    everywhere = (*_declared(scene, "repo"), *_declared(scene, "base")) if stock else ()
    for provider in (*seen, *everywhere):
        if provider.models:
            return f"{provider.name}/{provider.models[0].id}"
    return None


def declared_for(scene: Scene, layer: Layer) -> tuple[Provider, ...]:
    """The providers that the layer's skills get: the repository's map, else the base's whole one;
    the base's skills get the base's own."""
    return providers_seen(scene.config, scene.base) if layer == "repo" else _declared(scene, layer)


def _declared(scene: Scene, layer: str) -> tuple[Provider, ...]:
    if layer == "repo":
        return scene.config.providers
    return () if scene.base is None else scene.base.providers
