"""Every verb that takes a model or an encoder, given a hostile one: one line, exit code 2, and none of its code is run.

What may be wrong with a folder: tests/tracking/artifacts/test_models_hostile.py.
"""

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

pytestmark = pytest.mark.integration

TRAIN = {"epochs": 1, "max_length": 16, "batch_size": 64}
TEXTS = "text,label\n" + "".join(
    f"item {number} of the day,{'World' if number % 2 else 'Sports'}\n" for number in range(80)
)


@pytest.fixture(scope="module")
def sound(place, in_process, tiny_encoder, tmp_path_factory) -> Path:
    """The folder of a model, as it is downloaded."""
    assert in_process("train", encoder=tiny_encoder, **TRAIN) == 0
    downloaded = tmp_path_factory.mktemp("downloaded")
    uri = f"runs:/{place.runs()[0].info.run_id}/model"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(downloaded)))


@pytest.fixture
def hostile(sound, tmp_path) -> Path:
    """A copy of it whose encoder asks for its own code to be run."""
    folder = Path(shutil.copytree(sound, tmp_path / "hostile"))
    encoder = folder / "artifacts" / "classifier" / "encoder"
    config = encoder / "config.json"
    own = dict.fromkeys(("AutoConfig", "AutoModel"), "own.Own") | {"AutoTokenizer": ["own.Own", "own.Own"]}
    config.write_text(json.dumps(json.loads(config.read_text()) | {"model_type": "own", "auto_map": own}))
    harm = f"import pathlib; pathlib.Path({str(tmp_path / 'trace')!r}).touch()\n"
    for file in (encoder / "own.py", *(folder / "code").rglob("*.py")):
        file.write_text(harm)
    return folder


@pytest.fixture
def refused(place, in_process, capfd, tmp_path, monkeypatch) -> Callable[..., str]:
    """Runs a verb, with yes as the answer to any question; its one line."""

    def run(verb: str, **options: object) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
        monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
        capfd.readouterr()
        code = in_process(verb, output_dir=tmp_path / "out", **options)
        (line,) = capfd.readouterr().err.splitlines()
        assert code == 2, line
        assert place.runs()[0].info.status == "FAILED"
        assert not (tmp_path / "trace").exists()
        assert not (tmp_path / "modules").exists()
        return line

    return run


@pytest.fixture
def rows(tmp_path) -> Path:
    (tmp_path / "news.csv").write_text(TEXTS)
    return tmp_path / "news.csv"


def test_evaluate(hostile, sound, refused):
    assert "supported are bert" in refused("evaluate", model=hostile)
    assert "supported are bert" in refused("evaluate", model=sound, baseline=hostile, bootstrap_samples=100)


def test_promote(hostile, place, refused):
    client = place.client()
    client.create_registered_model("harm")
    version = client.create_model_version("harm", source=hostile.as_uri())
    client.set_registered_model_alias("harm", "challenger", version.version)
    assert "supported are bert" in refused("promote", name="harm", old_dataset="sample", bootstrap_samples=100)


def test_profile(hostile, rows, refused):
    assert "supported are bert" in refused("profile", dataset=rows, model=hostile)
    assert "supported are bert" in refused("profile", dataset=rows, reference=rows, model=hostile)


def test_a_reference_that_names_it(hostile, sound, rows, refused):
    """The reference of a model names the model that it was fitted with, which is then loaded."""
    reference = hostile / "artifacts" / "reference"
    facts = json.loads((reference / "reference.json").read_text())
    (reference / "reference.json").write_text(json.dumps(facts | {"predictor_name": str(hostile)}))
    assert "supported are bert" in refused("profile", dataset=rows, reference=reference)
    assert "supported are bert" in refused("monitor", stream=rows, reference=reference)


def test_train_on_its_encoder(hostile, refused):
    encoder = hostile / "artifacts" / "classifier" / "encoder"
    assert "supported are bert" in refused("train", encoder=encoder, **TRAIN)
    (encoder / "config.json").unlink()
    (encoder / "config.json").symlink_to("/etc/hostname")
    assert "config.json is a link to outside" in refused("train", encoder=encoder, **TRAIN)


def test_the_server_that_mlflow_starts(hostile, place, tmp_path):
    """It runs the code of the model's folder, by MLflow's design; the sound code refuses the harmful encoder."""
    shutil.rmtree(hostile / "code")
    script = "import mlflow, sys; mlflow.pyfunc.load_model(sys.argv[1])"
    done = place.run("python", "-c", script, hostile, PYTHONPATH=str(place.project))
    assert done.returncode != 0
    assert "supported are bert" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "trace").exists()
