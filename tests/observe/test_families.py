"""Parameter families hold no words of clients."""

import pytest

from adapter.observe.families import families_of


@pytest.mark.parametrize(
    ("paths", "families"),
    [
        ((), ()),
        (("tools[2].strict", "tools[10].strict"), ("tools.strict",)),
        (("top_k", "reasoning.effort"), ("top_k", "reasoning.effort")),
        (("input[3].content[0].image_url",), ("input.content.image_url",)),
        (("my_secret", "metadata.secret"), ("*", "metadata.*")),
        (("call_abc123",), ("*",)),
        (("tools[0].parameters.properties.secret.type",), ("tools.parameters.*",)),
        (("input[" + "9" * 500 + "].x",), ("input.*",)),
    ],
)
def test_a_path_has_a_family(paths: tuple[str, ...], families: tuple[str, ...]) -> None:
    assert families_of(paths) == families
