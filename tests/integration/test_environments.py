"""`mlflow run` in the environments that MLflow makes from python_env.yaml. They need a package registry."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

OPTIONS = {"num_samples": 40, "epochs": 1}


def test_uv(place, tiny_encoder):
    if shutil.which("uv", path=place.environment["PATH"]) is None:
        pytest.skip("there is no uv on the PATH; the dev extra has it")
    links = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")  # uv reads none of pip's
    trained_by("uv", place, tiny_encoder, UV_FIND_LINKS=links)


def test_virtualenv(place, tiny_encoder):
    if os.environ.get("NEWSCLF_TEST_ENVS") != "1":
        pytest.skip("takes minutes; NEWSCLF_TEST_ENVS=1 runs it")
    if shutil.which("pyenv") is None:
        pytest.skip("there is no pyenv on the PATH, by which MLflow makes a virtualenv")
    trained_by("virtualenv", place, tiny_encoder)


def trained_by(env_manager: str, place, tiny_encoder, **environment: str | None) -> None:
    options = {**OPTIONS, "encoder": tiny_encoder}
    root = str(place.folder / env_manager)  # else the environment is kept in the user's home
    done = place.mlflow_run(
        "train", options, env_manager=env_manager, timeout=1400, MLFLOW_ENV_ROOT=root, **environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    run = place.runs()[0]
    assert (run.info.status, run.data.metrics["rows/train"]) == ("FINISHED", 40)
    wanted = yaml.safe_load((place.project / "python_env.yaml").read_text())
    assert run.data.tags["newsclf.python"] == wanted["python"]
    freeze = place.client().download_artifacts(run.info.run_id, "environment/freeze.txt")
    lines = Path(freeze).read_text(encoding="utf-8").splitlines()
    installed = {line.lower().replace("_", "-").partition("+")[0] for line in lines}
    pins = {pin.lower().replace("_", "-") for pin in wanted["dependencies"]}
    assert pins - installed == set()
