import pytest

from newsclf.data import load
from newsclf.data.sources import sample
from newsclf.errors import InputError


def test_the_packaged_file_is_whole_and_balanced(options):
    data = load(options(dataset="sample"))
    assert data.classes == ("World", "Sports", "Business", "Sci/Tech")
    assert sum(len(split) for split in data.splits.values()) >= 600
    assert data.notes == {"train_rows_also_in_test": 0}
    labels = [label for split in data.splits.values() for label in split["label"]]
    assert min(labels.count(name) for name in data.classes) >= 150
    for split in data.splits.values():
        assert set(split["label"]) == set(data.classes)
    texts = [text for split in data.splits.values() for text in split["text"]]
    assert len(set(texts)) == len(texts)


def test_the_split_is_fixed_and_num_samples_draws_from_train_only(options):
    whole, other = (load(options(dataset="sample", seed=seed)) for seed in (0, 1))
    assert whole.fingerprint == other.fingerprint
    small = load(options(dataset="sample", num_samples=40))
    assert len(small.splits["train"]) == 40
    assert set(small.splits["train"]["text"]) < set(whole.splits["train"]["text"])
    assert small.splits["validation"].equals(whole.splits["validation"])
    assert small.splits["test"].equals(whole.splits["test"])
    assert small.fingerprint != load(options(dataset="sample", num_samples=40, seed=1)).fingerprint


def test_an_altered_or_missing_file(options, monkeypatch, tmp_path):
    content = sample.PATH.read_bytes()
    path = tmp_path / "sample.csv"
    monkeypatch.setattr(sample, "PATH", path)
    with pytest.raises(InputError, match="cannot read the packaged .*sample.csv .* install newsclf again"):
        load(options(dataset="sample"))
    path.write_bytes(content.replace(b"Sports", b"Sport"))
    with pytest.raises(InputError, match="was altered"):
        load(options(dataset="sample"))
    path.write_bytes(content.replace(b"\n", b"\r\n"))  # as git may check it out on Windows
    assert len(load(options(dataset="sample")).classes) == 4
