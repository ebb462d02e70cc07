"""Sampling through ONNX Runtime, and the weights that it accepts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from songs import made_song
from tiny import MODEL

from composer import read
from composer.listen import conditions, listen
from composer.options import DrumsOptions
from encoding.conditions import Conditions
from encoding.grid import allowed_slots
from encoding.windows import whole_song
from gan import generate
from gan.config import FORMAT
from gan.generate import Network, WeightsError, latents


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Conditions:
    """A song of 60 bars without drums."""
    path = tmp_path_factory.mktemp("song") / "song.mid"
    path.write_bytes(made_song(3, bars=60, drums=False))
    options = DrumsOptions()
    return conditions(listen(read.sketch(path), options), options)


@pytest.mark.parametrize("chunk", [1, 7, 59])
def test_chunks_give_what_the_whole_song_gives(
    tiny_weights: Path, asked: Conditions, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    network, windows = Network(tiny_weights), whole_song(asked)
    latent = latents(windows.section[0], windows.section_bar[0], MODEL, np.random.default_rng(0))[None]
    whole = network.logits(windows, latent)
    monkeypatch.setattr(generate, "CHUNK_BARS", chunk)
    assert whole.shape[1] == 60
    assert np.abs(network.logits(windows, latent) - whole).max() < 1e-4


def test_drums_are_struck_on_steps_only_and_follow_the_seed(tiny_weights: Path, asked: Conditions) -> None:
    first, again, other = (
        generate.drums(asked, np.random.default_rng(seed), weights=tiny_weights) for seed in (0, 0, 1)
    )
    assert first.shape[0] == asked.grid.beats
    assert first.any()
    assert not (first & ~allowed_slots(asked.grid.ternary)[:, :, None]).any()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_sections_of_one_label_share_their_latents() -> None:
    section = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0])
    section_bar = np.array([0, 1, 2] * 3)
    found = latents(section, section_bar, MODEL, np.random.default_rng(0))
    assert found.dtype == np.float32
    assert np.array_equal(found[:3], found[6:])
    song = found[:, : MODEL.song_latent]
    assert (song[:3] == song[0]).all()
    assert not (song[3] == song[0]).any()
    assert not np.array_equal(found[0], found[1])


def test_latents_vary_as_stated_and_sections_of_a_song_are_kin() -> None:
    drawn = np.array([
        latents(np.array([0, 1]), np.array([0, 0]), MODEL, np.random.default_rng(seed)) for seed in range(4000)
    ])  # fmt: skip
    spread = np.array([1.0] * MODEL.song_latent + [generate.BAR_STRENGTH] * MODEL.bar_latent)
    assert drawn.std(0) == pytest.approx(np.tile(spread, (2, 1)), rel=0.05)
    a, b = drawn[:, 0, : MODEL.song_latent], drawn[:, 1, : MODEL.song_latent]
    assert (a * b).mean() == pytest.approx(1 - generate.SECTION_SHARE, abs=0.05)


def foreign_network() -> bytes:
    """A valid ONNX model that adds two numbers."""
    number = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("a", "b", "c")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["a", "b"], ["c"])], "sum", number[:2], number[2:])
    opset = onnx.helper.make_opsetid("", 17)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


def described(path: Path, data: bytes, **changed: object) -> Path:
    """Weights with a description whose checksum is right."""
    path.write_bytes(data)
    facts = {"format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(), "model": asdict(MODEL)} | changed
    path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    return path


def test_weights_that_cannot_be_used_are_refused(tmp_path: Path, tiny_weights: Path) -> None:
    good, path = tiny_weights.read_bytes(), tmp_path / "w.onnx"
    with pytest.raises(WeightsError, match="no weights there"):
        Network(path)
    path.write_bytes(good)
    with pytest.raises(WeightsError, match="no weights there"):
        Network(path)
    for damaged in (good[:-1], good[:200] + bytes((good[200] ^ 1,)) + good[201:], b""):
        described(path, good)
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"w\.onnx: damaged or of another version"):
            Network(path)
    with pytest.raises(WeightsError, match="damaged or of another version"):
        Network(described(path, good, format=FORMAT + 1))
    for data in (b"", b"\x80\x04not onnx", good[:-2000]):
        with pytest.raises(WeightsError, match="not a network that can be run"):
            Network(described(path, data))
    with pytest.raises(WeightsError, match="not a generator of drums"):
        Network(described(path, foreign_network()))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "sha256": "", "model": {"depth": 3}}']
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, tiny_weights: Path, content: str) -> None:
    path = tmp_path / "w.onnx"
    path.write_bytes(tiny_weights.read_bytes())
    path.with_suffix(".json").write_text(content, encoding="utf-8")
    with pytest.raises(WeightsError, match=r"w\.json: not the description of a generator"):
        Network(path)


@pytest.mark.parametrize("size", ["cells", "features"])
def test_weights_of_another_size_are_refused(tmp_path: Path, tiny_weights: Path, size: str) -> None:
    model = asdict(MODEL) | {size: 84}
    with pytest.raises(WeightsError, match=f"made for .*84 {size}.*this version has"):
        Network(described(tmp_path / "w.onnx", tiny_weights.read_bytes(), model=model))


def test_shipped_weights_are_those_that_their_description_names() -> None:
    network = generate.network()
    assert network is generate.network()
    folder = Path(generate.__file__).parent / "weights"
    facts = json.loads((folder / "generator.json").read_text(encoding="utf-8"))
    assert facts["sha256"] == hashlib.sha256((folder / generate.SHIPPED).read_bytes()).hexdigest()
    assert asdict(network.config) == facts["model"]


def test_export_describes_what_it_writes(tiny_weights: Path) -> None:
    facts = json.loads(tiny_weights.with_suffix(".json").read_text(encoding="utf-8"))
    assert facts["format"] == FORMAT
    assert facts["model"] == asdict(MODEL)
    assert facts["training"]["steps"] == 0
    onnx.checker.check_model(onnx.load_from_string(tiny_weights.read_bytes()))
