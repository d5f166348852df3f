"""How requests for a route are translated, as far as its settings say."""

from functools import partial

from adapter.asgi.route import Route
from adapter.asgi.sealer import LateSealer
from adapter.compaction import Translations
from adapter.config import Settings
from adapter.tools.kept import KeptTools
from adapter.translate.request import Options, to_chat_request


class Translating:
    """Knows how requests are translated.

    Args:
        settings: the settings.
        runs: types of hosted tools that are run here.
        sealer: opens what was sealed here.
    """

    def __init__(self, settings: Settings, runs: frozenset[str], sealer: LateSealer) -> None:
        self._settings = settings
        self._runs = runs
        self._sealer = sealer
        self._known: dict[tuple[str, bool], Options] = {}
        self._kept_tools = KeptTools()

    def options(self, route: Route, *, compacts: bool = False) -> Options:
        """Return what is the same for all requests for a route.

        Args:
            route: of the model.
            compacts: what `context_management` asks for is done.
        """
        known = self._known.get((route.name, compacts))
        if known is None:
            known = self._known[route.name, compacts] = self._options(route, compacts=compacts)
        return known

    def _options(self, route: Route, *, compacts: bool) -> Options:
        settings = self._settings
        return Options(
            unknown=settings.unknown_fields,
            hosted=settings.hosted_tools,
            runs=self._runs,
            custom_grammars=settings.custom_grammars,
            downgrades=settings.downgrades,
            pass_fields=frozenset(route.settings.pass_fields),
            body=route.settings.body,
            open_sealed=partial(self._sealer.open, "reasoning"),
            open_compaction=partial(self._sealer.open, "compaction"),
            compacts=compacts,
            seals=self._sealer.can_seal,
            kept_tools=self._kept_tools,
        )

    def translations(self, route: Route, model: str) -> Translations:
        """Return what translates requests that are made here, such as for a summary."""
        options = self.options(route)
        return lambda request, history: partial(
            to_chat_request, request, model=model, history=history, options=options
        )
