"""The command line: options in, results out. Every command imports its worker in its own body, so help is quick."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from composer.errors import ComposerError, ExitCode

app = typer.Typer(
    add_completion=True, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Drums that follow your line: a MIDI sketch in, the same file with a drum track out.",
)  # fmt: skip

MAX_TICK = 2**31 - 1
# What typer raises for every wrong option or argument; its module is another in each version of typer.
WrongUsage: Any = typer.BadParameter.__mro__[1]

SketchPath = Annotated[Path, typer.Argument(metavar="SKETCH", help="MIDI file with a bass line or a melody.")]
OutputPath = Annotated[Path | None, typer.Option("-o", "--output", help="Output; <sketch>.drums.mid by default.")]
OutputFolder = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, another take; the same seed, the same bytes.")]
Style = Annotated[str | None, typer.Option(metavar="NAME", help="rock, funk, jazz, latin ...; a wrong one lists all.")]
Density = Annotated[str, typer.Option(metavar="auto|0..1", help="How much is played: 0.5 is an ordinary beat.")]
Follow = Annotated[str, typer.Option(metavar="auto|bass|lead|INDEX", help="The part that the drums follow.")]
TempoOption = Annotated[float | None, typer.Option("--tempo", metavar="BPM", help="Quarter notes a minute.")]
MeterOption = Annotated[str | None, typer.Option("--meter", metavar="N/D", help="For example 4/4 or 7/8.")]
FirstBar = Annotated[int | None, typer.Option(min=0, max=MAX_TICK, metavar="TICK", help="Where a bar begins.")]
KitOption = Annotated[
    str | None, typer.Option("--kit", metavar="NAME|FILE", help="standard, room, power, electronic, analog, jazz, brush, or JSON.")
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an output that exists; never the sketch.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Processes; one for each core by default.")]


@app.callback()
def _settings(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """``--debug`` is read by ``main``, which is where errors arrive."""


@app.command()
def drums(
    sketch: SketchPath,
    output: OutputPath = None,
    seed: Seed = 0,
    style: Style = None,
    density: Density = "auto",
    follow: Follow = "auto",
    tempo: TempoOption = None,
    meter: MeterOption = None,
    first_bar: FirstBar = None,
    kit: KitOption = None,
    as_json: AsJson = False,
    force: Force = False,
    replace_drums: Annotated[bool, typer.Option("--replace-drums", help="Take the sketch's own drums out.")] = False,
    preview: Annotated[bool, typer.Option("--preview/--no-preview", help="Show the grid.")] = True,
    verify: Annotated[
        bool, typer.Option("--verify", help="Print the proof that every byte of the sketch is kept.")
    ] = False,
) -> None:
    """Add a drum track that follows the line; every byte of the sketch is kept."""
    from composer import options as asked
    from composer import pipeline, terminal

    wanted = asked.DrumsOptions(
        seed=seed, style=asked.style(style), density=asked.density(density), follow=follow,
        tempo_bpm=asked.tempo(tempo), meter=asked.meter(meter), first_bar_tick=first_bar, kit=asked.kit(kit),
        force=force, replace_drums=replace_drums,
    )  # fmt: skip
    target = output or sketch.with_name(sketch.stem + ".drums.mid")
    made = pipeline.accompany(sketch, target, wanted)
    terminal.show_drums(made, as_json=as_json, preview=preview, verify=verify)


@app.command()
def analyze(
    sketch: SketchPath,
    follow: Follow = "auto",
    tempo: TempoOption = None,
    meter: MeterOption = None,
    first_bar: FirstBar = None,
    as_json: AsJson = False,
) -> None:
    """Show tempo, meter, bars, feel, sections and tracks as composer hears them."""
    from composer import options as asked
    from composer import read, terminal
    from composer.listen import analysis, listen

    wanted = asked.DrumsOptions(
        follow=follow, tempo_bpm=asked.tempo(tempo), meter=asked.meter(meter), first_bar_tick=first_bar
    )
    terminal.show_analysis(analysis(listen(read.sketch(sketch), wanted)), as_json=as_json)


@app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="MIDI file with drums.")],
    bars: Annotated[str | None, typer.Option(metavar="A-B", help="Only these bars, counted from 1.")] = None,
) -> None:
    """Draw the drums of a file as a grid."""
    from composer import options as asked
    from composer import show, terminal

    console = terminal.console()
    console.print(show.chart(file, bars=asked.bars(bars), width=terminal.width(console)))


@app.command()
def batch(
    folder: Annotated[Path, typer.Argument(help="Folder of sketches, searched with its subfolders.")],
    output: OutputFolder,
    jobs: Jobs = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run was stopped.")] = False,
    time_limit: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Give up a sketch that takes longer.")
    ] = 60.0,
    seed: Seed = 0,
    style: Style = None,
    density: Density = "auto",
    follow: Follow = "auto",
    kit: KitOption = None,
    as_json: AsJson = False,
    force: Force = False,
    replace_drums: Annotated[bool, typer.Option("--replace-drums", help="Take the sketches' own drums out.")] = False,
) -> None:
    """Add drums to every sketch of a folder; a bad file is reported and costs nothing else."""
    from composer import batch as worker
    from composer import options as asked
    from composer import terminal

    wanted = asked.DrumsOptions(
        seed=seed, style=asked.style(style), density=asked.density(density), follow=follow, kit=asked.kit(kit),
        force=force, replace_drums=replace_drums,
    )  # fmt: skip
    pairs = worker.sketches(folder, output)
    results = worker.run(pairs, output, wanted, jobs=terminal.jobs(jobs), resume=resume, time_limit_s=time_limit)
    failed = terminal.show_batch(results, len(pairs), as_json=as_json)
    if failed:
        raise ComposerError(f"{failed} of {len(pairs)} sketches failed; see {output / worker.REPORT}", ExitCode.BATCH)


@app.command()
def generate(
    output: OutputFolder,
    count: Annotated[int, typer.Option(min=1, help="How many patterns.")] = 16,
    bars: Annotated[int, typer.Option(min=1, max=512, help="Bars of each pattern.")] = 4,
    style: Style = None,
    density: Density = "auto",
    tempo: TempoOption = None,
    meter: MeterOption = "4/4",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Make patterns out of noise, without a sketch: what the 2018 seed of this project did."""
    from composer import options as asked
    from composer import patterns, terminal

    paths = patterns.write_patterns(
        output, count=count, bars=bars, style=asked.style(style), density=asked.density(density),
        bpm=asked.tempo(tempo) or patterns.DEFAULT_BPM, meter=asked.meter(meter) or (4, 4), seed=seed, force=force,
    )  # fmt: skip
    terminal.console().print(f"{len(paths)} patterns in {output}", highlight=False)


@app.command()
def encode(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE...", help="Folders, archives, or CSV indexes with splits.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DATASET", help="Dataset folder to write.")],
    jobs: Jobs = None,
    resume: Annotated[bool, typer.Option("--resume", help="Complete a run that was stopped.")] = False,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Encode on a Dask scheduler's workers, as tcp://host:8786.")
    ] = None,
) -> None:
    """Encode MIDI files with drums into a dataset for training."""
    from composer import networks

    networks.encode(sources, output, jobs=jobs, resume=resume, scheduler=scheduler)


@app.command()
def train(
    dataset: Annotated[Path, typer.Argument(help="Dataset made by 'composer encode'.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="RUN", help="Folder of the run.")],
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run with its own settings.")] = False,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time to train, in minutes.")] = 90.0,
    seed: Seed = 0,
    sources: Annotated[str, typer.Option(metavar="NAME=WEIGHT,...", help="How often each source is drawn.")] = "",
) -> None:
    """Train the networks (needs the 'train' extra)."""
    from composer import networks
    from composer import options as asked

    weights = asked.source_weights(sources)
    networks.train(dataset, output, resume=resume, minutes=minutes, seed=seed, source_weights=weights)


@app.command()
def evaluate(
    dataset: Annotated[Path, typer.Argument(help="Dataset made by 'composer encode'.")],
    weights: Annotated[Path | None, typer.Option(help="Weights (.onnx); the shipped ones by default.")] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure generated drums beside real drummers and baselines."""
    from composer import networks

    networks.evaluate(dataset, weights=weights, split=split, seed=seed, as_json=as_json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="WEIGHTS", help="The .onnx file to write.")],
) -> None:
    """Export a run's generator as weights that 'drums' can use (needs the 'train' extra)."""
    from composer import networks

    networks.export(run, output)


def main() -> None:
    """Entry point: every error ends here as one line on standard error and an exit code of its own."""
    debug = "--debug" in sys.argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text in any encoding
    try:
        sys.exit(app(standalone_mode=False))
    except WrongUsage as error:
        if len(sys.argv) == 1:  # no command: what typer has to say is the help
            error.show()
            sys.exit(ExitCode.USAGE)
        _fail(f"{error.format_message().rstrip('.')}; see '{error.ctx.command_path} --help'", ExitCode.USAGE)
    except ComposerError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _fail("stopped", ExitCode.STOPPED)
    except Exception as error:  # whatever it is, the user gets one line
        if debug:
            raise
        what = f"{type(error).__name__}: {error}"
        _fail(f"a bug in composer: {what}; run 'composer --debug ...' and report what it says", ExitCode.BUG)


def _fail(message: str, exit_code: int) -> NoReturn:
    line = " ".join(message.split())
    sys.stderr.write(f"composer: {line}\n")
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
