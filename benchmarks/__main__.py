"""`python -m benchmarks [part, or all] [--data_dir ../shared/data] [--repeats 3]`; without a part, all of them.

speed    the machine's sgemm peak, a fine-tuning step against it and where its time goes; bf16 beside float32 (3 min)
compile  torch.compile of the encoder against eager (3 min; needs a C++ compiler)
trainer  side by side with transformers' Trainer (15 min; needs `pip install accelerate`)
quality  accuracy, seconds and peak memory of real runs (35 min on 2 cores)
recipes  each way of fine-tuning alone beside none of them, over --repeats seeds (40 min for 3)
profiling  rows a second and memory of profiles, beside bare whylogs (5 min); with --against COMMIT, profile and monitor
         beside those of that commit (10 min more)
streaming  memory of profile for 10^5 to 10^7 rows: a file, a folder, an object in S3, a prefix (1 hour)
serving  rows a second of a served model, with and without profiles (8 min; needs `apt install apache2-utils`)
drift    how often a change that was put in is found, and named (60 min); --only words: small changes of words (15 min)
retrain  accuracy over drifting streams: never retrained, by the loop, by an oracle after every batch
sweep    the study's ten runs as one sweep, cold; and killed in the middle (25 min)
journal  what logging costs a training whose server is 50 ms away (5 min)

--only takes the cases of trainer, quality, recipes, drift or retrain by a part of their name.

Prints markdown; figures are medians over the repeats (quality: one run each). Leave the machine alone meanwhile.
"""

import argparse
from pathlib import Path

PARTS = (
    "speed",
    "compile",
    "trainer",
    "quality",
    "recipes",
    "profiling",
    "streaming",
    "drift",
    "serving",
    "retrain",
    "sweep",
    "journal",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="?", default="all", choices=(*PARTS, "all"))
    parser.add_argument("--data_dir", default="../shared/data", help="folder of 20newsgroups/ and ag_news/")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="the cases whose name holds this, of the parts above")
    parser.add_argument("--against", default="", help="profiling: a commit whose profile and monitor are timed as well")
    given = parser.parse_args()
    parts = PARTS if given.part == "all" else (given.part,)
    # Each part imports what it measures: trainer alone needs accelerate.
    if "speed" in parts:
        from benchmarks import speed

        speed.main(given.repeats)
    if "compile" in parts:
        from benchmarks import compile

        compile.main(given.data_dir, given.repeats)
    if "trainer" in parts:
        from benchmarks import rival

        rival.main(given.data_dir, given.repeats, given.only)
    if "quality" in parts:
        from benchmarks import quality

        quality.main(Path(given.data_dir), given.only)
    if "recipes" in parts:
        from benchmarks import recipes

        recipes.main(Path(given.data_dir), given.repeats, given.only)
    if "profiling" in parts:
        from benchmarks import profiling, reading

        profiling.main(given.data_dir, given.repeats)
        if given.against:
            reading.main(given.data_dir, given.repeats, given.against)
    if "streaming" in parts:
        from benchmarks import streaming

        streaming.main()
    if "drift" in parts:
        from benchmarks import drift, drift_streams, drift_words

        if given.only in ("", "words"):
            drift_words.main(Path(given.data_dir))
        if given.only != "words":
            drift.main(Path(given.data_dir), given.only)
            drift_streams.main(Path(given.data_dir), given.repeats)
    if "serving" in parts:
        from benchmarks import serving

        serving.main(given.repeats)
    if "retrain" in parts:
        from benchmarks import retrain

        retrain.main(Path(given.data_dir), given.repeats, given.only)
    if "sweep" in parts:
        from benchmarks import sweep

        sweep.main(Path(given.data_dir))
    if "journal" in parts:
        from benchmarks import journal

        journal.main(given.repeats)


if __name__ == "__main__":
    main()
