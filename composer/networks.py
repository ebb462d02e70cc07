"""The commands for those who train: corpora, training runs, measures, weights. Errors become lines for the user."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from composer import terminal
from composer.errors import ComposerError, ExitCode, OutputError, SketchError, UsageError
from composer.progress import progress_bar

EXTRAS = {"pypianoroll": "pianoroll", "distributed": "cluster"}


@contextmanager
def _errors() -> Iterator[None]:
    """What the packages below raise, as the user's exit codes: inputs 3, outputs 4, missing extra 2."""
    try:
        yield
    except FileExistsError as error:
        raise OutputError(str(error)) from error
    except ConnectionError as error:
        raise UsageError(str(error)) from error
    except (FileNotFoundError, ValueError) as error:
        raise SketchError(str(error)) from error
    except OSError as error:
        raise OutputError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    except ArithmeticError as error:
        raise ComposerError(f"training stopped: {error}; the last checkpoint stays", ExitCode.BUG) from error
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "", "train")
        raise UsageError(f"{error.name} is not there: install composer with its '{extra}' extra") from error


def encode(sources: list[Path], output: Path, *, jobs: int | None, resume: bool, scheduler: str | None) -> None:
    """Sources -> dataset folder, with progress; prints what the dataset holds."""
    from encoding import corpus
    from encoding import sources as places

    with _errors(), progress_bar("songs") as bar:
        found = [places.find(source) for source in sources]
        task = bar.add_task("Encoding", total=sum(len(source.items) for source in found))
        try:
            manifest = corpus.write(
                found, output, jobs=terminal.jobs(jobs), resume=resume, scheduler=scheduler,
                progress=lambda done: bar.advance(task, done),
            )  # fmt: skip
        except KeyboardInterrupt as error:
            raise OutputError(f"stopped; complete {output} with --resume") from error
    terminal.console().print(_dataset_table(manifest))


def _dataset_table(manifest: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    splits = ", ".join(f"{count:,} {name}" for name, count in manifest["songs_by_split"].items())
    table.add_row("Songs", f"{manifest['songs']:,} ({splits})")
    table.add_row("Bars", f"{manifest['bars']:,}")
    table.add_row("Hits", f"{manifest['hits']:,}")
    table.add_row(
        "Not kept", f"{manifest['hits_merged']:,} hits on a hit of the same part, {manifest['hits_outside']:,} outside "
        f"the bars, {manifest['notes_of_no_part']:,} notes of no part",
    )  # fmt: skip
    table.add_row("Skipped", f"{len(manifest['skipped']):,} files; reasons in manifest.json")
    return table


def train(dataset: Path, output: Path, *, resume: bool, minutes: float, seed: int, source_weights: str) -> None:
    """Train for so many minutes; prints the losses as it goes."""
    with _errors():
        from encoding.dataset import Dataset
        from gan.config import ModelConfig, TrainConfig
        from gan.train import run

        console = Console(stderr=True)

        def report(row: dict[str, float]) -> None:
            terms = "  ".join(f"{name} {value:.4g}" for name, value in row.items())
            console.print(terms, highlight=False)

        config = TrainConfig(minutes=minutes, seed=seed, source_weights=source_weights)
        windows = Dataset(dataset, {"train"}, bars=config.window_bars)
        run(windows, output, model=ModelConfig(), config=config, resume=resume, report=report)


def evaluate(dataset: Path, *, weights: Path | None, split: str, seed: int, as_json: bool) -> None:
    """Measures of one split beside real drummers and baselines, as a table or JSON."""
    from encoding.dataset import Dataset
    from gan import evaluate as measures
    from gan.generate import network

    with _errors(), progress_bar("songs") as bar:
        songs = Dataset(dataset, {split})
        task = bar.add_task("Songs", total=len(songs.songs))
        result = measures.evaluate(songs, network(weights), seed=seed, progress=lambda: bar.advance(task))
    rows: Any = result["rows"]
    if as_json:
        terminal.print_json(_without_nan(result))
        return
    table = Table("Measure", *rows, box=None, title=f"{result['songs']} songs, split {split}", title_justify="left")
    for measure in next(iter(rows.values())):
        table.add_row(measure, *(f"{row[measure]:.4f}" for row in rows.values()))
    console = terminal.console()
    console.print(table)
    console.print(f"Density, requested against measured: rank correlation {result['density_rank_correlation']:.3f}")


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: what could not be measured becomes null."""
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def export(run: Path, output: Path) -> None:
    """Weights from a run's checkpoint."""
    if output.suffix != ".onnx":
        raise UsageError(f"-o {output}: name a file that ends in .onnx")
    with _errors():
        from gan import export as worker

        output.parent.mkdir(parents=True, exist_ok=True)
        worker.export(run, output)
    terminal.console().print(f"{output} and {output.with_suffix('.json')}", highlight=False)
