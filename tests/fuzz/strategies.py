"""Cases by their structure: sound files with something changed, and what hypothesis thinks of."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.targets import CONTRACTS, MODELS, PAYLOADS, sealed
from tests.runtime import bad_pictures

_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 1, 2**31, 2**63, 10**400, 1e308]), st.booleans(), st.none()
)
_TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["../../x", "/etc/passwd", "\x1b[2J", "\u202e", "tflite", "onnx"])
)
_JSON = st.recursive(
    _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


def seeds(target: str) -> list[bytes]:
    """Sound and odd files to begin with."""
    if target == "image":
        kinds = (
            bad_pictures.disguised,
            bad_pictures.modes,
            bad_pictures.turned,
            bad_pictures.odd_exif,
            bad_pictures.moving,
        )
        small = [each.data for kind in kinds for each in kind() if len(each.data) < 4000]
        return small + [each.data for each in bad_pictures.bombs()]
    if target == "contract":
        return [*map(_text, MODELS), *CONTRACTS.values(), bad_pictures.encoded(bad_pictures.scene(8, 8), "WEBP")]
    return [*MODELS.values(), *PAYLOADS.values()]


def cases(target: str) -> st.SearchStrategy[bytes]:
    """Bytes for a target."""
    changed = st.builds(
        _changed, st.sampled_from(seeds(target)), st.lists(_edits(), min_size=1, max_size=3), st.integers(0, 19)
    )
    if target == "image":
        return st.one_of(changed, changed, changed, st.binary(max_size=300))
    contracts = st.builds(_contract, st.sampled_from(sorted(MODELS)), _changes())
    if target == "contract":
        return st.one_of(contracts, contracts, changed, _JSON.map(_encoded))
    return st.one_of(
        changed, changed, st.builds(sealed, st.sampled_from(sorted(MODELS)), contracts), st.binary(max_size=300)
    )


def _edits() -> st.SearchStrategy[tuple[int, int, bytes]]:
    interesting = st.sampled_from(
        [b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f"]
    )
    return st.tuples(st.integers(0, 1 << 16), st.integers(0, 6), interesting | st.binary(max_size=6))


def _changed(data: bytes, edits: list[tuple[int, int, bytes]], end: int) -> bytes:
    for place, removed, added in edits:
        start = place * len(data) >> 16
        data = data[:start] + added + data[start + removed :]
    # Most cases keep their end: a cut file is refused early.
    return data[: place * len(data) >> 16] if end == 19 else data


def _changes() -> st.SearchStrategy[dict[str, Any]]:
    golden = st.fixed_dictionaries(
        {
            "count": st.integers(-1, 5) | _NUMBERS,
            "images": st.just("") | _TEXTS,
            "reference": st.lists(st.lists(_NUMBERS, max_size=3), max_size=3) | _JSON,
            "exported": st.dictionaries(_TEXTS, st.lists(st.lists(_NUMBERS, max_size=3), max_size=3), max_size=2)
            | _JSON,
        }
    )
    spec = st.fixed_dictionaries(
        {"height": st.just(4) | st.integers(-1, 5000), "width": st.just(4) | _NUMBERS},
        optional={"filter": _TEXTS, "fit": _TEXTS, "colour": _TEXTS, "more": _JSON},
    )
    values = {
        "labels": st.lists(_TEXTS, min_size=3, max_size=3) | _JSON,
        "input": spec | _JSON,
        "golden": golden | _JSON,
        "schema": st.integers(0, 2) | _JSON,
        **dict.fromkeys(("model", "format", "precision", "output", "training", "parity", "tools", "author"), _JSON),
    }
    return st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: values[key] for key in keys})
    )


def _contract(name: str, changes: dict[str, Any]) -> bytes:
    return _encoded(json.loads(_text(name)) | changes)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _text(name: str) -> bytes:
    from edgecnn_runtime import container

    return container.parse(MODELS[name])[0].to_json().encode()
