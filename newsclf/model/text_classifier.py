"""A classifier with its tokenizer: from texts to probabilities, and to a folder and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from newsclf.errors import InputError
from newsclf.files import file_checksum
from newsclf.messages import one_line
from newsclf.model import encoder as encoders
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.device import choose, uses_bf16
from newsclf.model.encoder_config import LIMITS
from newsclf.model.fusion import ENCODER_ALONE, Fusion, Said
from newsclf.model.linear import LinearClassifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.untrusted import BITS, check_file, check_inside, load_json_object, tensors

MAX_CLASSES = 10_000  # of a model that is loaded
MAX_WEIGHT, MAX_MEMBERS = 1e4, 20  # of its fusion
MEMBERS = "members"  # their folders lie in this one


class TextClassifier:
    """Texts to probabilities.

    classes: in the order of the probabilities' columns. name: what it is loaded by again, such as
    runs:/<run id>/model; bf16: whether matrix products are in bf16, of the weights as they are now: it predicts with a
    copy that has them in bf16, and saves the float32 ones. fusion: how the encoder's probabilities become the model's;
    linear: the classifier of words that takes part in it, None of an encoder alone; members: other classifiers of the
    same classes that do (an ensemble), which have none themselves.
    """

    def __init__(
        self,
        classifier: Classifier,
        tokenizer: Tokenizer,
        name: str = "",
        bf16: bool = False,
        fusion: Fusion = ENCODER_ALONE,
        linear: LinearClassifier | None = None,
        members: Sequence[TextClassifier] = (),
    ) -> None:
        self.classifier, self.tokenizer, self.name, self.bf16 = classifier, tokenizer, name, bf16
        self.fusion, self.linear, self.members = fusion, linear, tuple(members)
        self.classes: tuple[str, ...] = classifier.classes
        self._reader = encoders.in_bf16(classifier) if bf16 else classifier

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities [texts, classes], float64, each row of sum 1. Raises InputError where weights give none."""
        dataset = TokenDataset(self.tokenizer(texts), pad_id=self.tokenizer.pad_id)
        encoder = self._reader.probabilities(dataset, self.bf16)
        margins = None if self.linear is None else self.linear.margins(texts)
        members = tuple(member.predict_proba(texts) for member in self.members)
        probabilities = self.fusion.probabilities(Said(encoder, margins, members))
        if not np.isfinite(probabilities).all():
            row = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
            raise InputError(f"model {self.name}: its weights give no number for text {row}: take another model")
        return probabilities

    def save(self, folder: Path) -> None:
        """Write encoder/ (the hub's own layout), head.safetensors, the other parts and classifier.json; no pickle."""
        # Where layers were computed from the cache, the encoder may still be on another device.
        self.classifier.encoder.transformer.save_pretrained(folder / "encoder", safe_serialization=True)  # type: ignore[operator]
        self.tokenizer.save(folder / "encoder")
        head = self.classifier.head.state_dict()
        save_file({name: tensor.contiguous() for name, tensor in head.items()}, folder / "head.safetensors")
        if self.linear is not None:
            self.linear.save(folder)
        for number, member in enumerate(self.members):
            place = folder / MEMBERS / str(number)
            place.mkdir(parents=True)
            member.save(place)
        sums = {path.relative_to(folder).as_posix(): file_checksum(path) for path in sorted(folder.rglob("*.*"))}
        about = {"classes": self.classes, "max_length": self.tokenizer.max_length, "fusion": vars(self.fusion)}
        about |= {"sha256": sums}
        (folder / "classifier.json").write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", name: str = "", precision: str = "auto") -> TextClassifier:
        """What `save` wrote, in eval mode. Raises InputError when it cannot be read.

        None of the folder's code is run, and nothing is built before its sizes are checked.
        device, precision: as of the options.
        """
        return cls._read(folder, device, name, precision)

    @classmethod
    def _read(
        cls, folder: Path, device: str, name: str, precision: str, member_of: Path | None = None
    ) -> TextClassifier:
        try:
            check_inside(folder / "encoder", folder)
            classes, max_length, fusion = _about(folder / "classifier.json")
            if member_of and fusion.members:  # links may lead in a circle
                raise ValueError(f"it is a member of {member_of}, and must have none itself")
            head = _head(folder / "head.safetensors", len(classes))
            encoder = encoders.load(folder / "encoder", dropout=0.0, attention_dropout=0.0)
            classifier = Classifier(encoder, classes, dropout=0.0)
            classifier.head.load_state_dict(head)
            linear = LinearClassifier.load(folder, len(classes)) if fusion.linear else None
            places = [folder / MEMBERS / str(number) for number in range(len(fusion.members))]
            members = [cls._read(place, device, name, precision, folder) for place in places]
            if any(member.classes != classes for member in members):
                raise ValueError("its members have other classes")
            _check_sums(folder)
        except (OSError, ValueError, SafetensorError, RuntimeError) as error:
            raise InputError(f"model folder {folder} is no whole classifier ({one_line(error, 200)})") from error
        tokenizer = Tokenizer(folder / "encoder", max_length)
        encoder.check_reads(tokenizer, f"model folder {folder}: max_length")
        kind = choose(device).type
        return cls(classifier.eval().to(kind), tokenizer, name, uses_bf16(precision, kind), fusion, linear, members)


def _about(file: Path) -> tuple[tuple[str, ...], int, Fusion]:
    """The classes, max_length and the fusion (until 0.3.0 there was none) of classifier.json. Raises ValueError."""
    about = load_json_object(file)
    classes, max_length = about.get("classes"), about.get("max_length")
    if not isinstance(classes, list) or not all(isinstance(name, str) and name for name in classes):
        raise ValueError(f"{file.name}: classes must be a list of names")
    if not 2 <= len(set(classes)) == len(classes) <= MAX_CLASSES:
        raise ValueError(f"{file.name}: classes must be 2 to {MAX_CLASSES:,} different names")
    if type(max_length) is not int or not 2 <= max_length <= LIMITS["max_position_embeddings"]:
        raise ValueError(f"{file.name}: max_length is {one_line(repr(max_length), 40)}, and must be a number of tokens")
    return tuple(classes), max_length, _fusion(about.get("fusion", {}), file.name)


def _fusion(weights: Any, file: str) -> Fusion:
    match weights:
        case {} if not weights:
            return ENCODER_ALONE
        case {"encoder": encoder, "linear": linear, "members": list(members)} if (
            len(weights) == 3 and len(members) <= MAX_MEMBERS
        ):
            every = (encoder, linear, *members)
            if all(isinstance(weight, int | float) and 0 <= weight <= MAX_WEIGHT for weight in every):
                return Fusion(encoder, linear, tuple(members))
    raise ValueError(f"{file}: fusion must be weights, from 0 to {MAX_WEIGHT:g}, of at most {MAX_MEMBERS} members")


def _check_sums(folder: Path) -> None:
    """Raises ValueError where a file is not the one that was saved. Until 0.2.0 no sums were."""
    sums = load_json_object(folder / "classifier.json").get("sha256", {})
    if not isinstance(sums, dict):
        raise ValueError("classifier.json: sha256 must be the sums by file")
    for name, expected in sums.items():
        check_inside(folder / name, folder)
        if file_checksum(check_file(folder / name)) != expected:
            raise ValueError(f"{name} is not the file that was saved with the model: fetch it again")


def _head(file: Path, classes: int) -> dict[str, Tensor]:
    """The weights of the last layer. Raises ValueError where they are not those of `classes` classes."""
    shapes = {name: stored.shape for name, stored in tensors(file).items() if stored.dtype in BITS}
    width = (shapes.get("weight") or (0,))[-1]
    if shapes != {"weight": (classes, width), "bias": (classes,)}:
        raise ValueError(f"{file.name} does not hold the weight and bias of {classes} classes")
    head = load_file(file)
    if not all(torch.isfinite(tensor).all() for tensor in head.values()):
        raise ValueError(f"{file.name} holds NaN or infinite values")
    return head
