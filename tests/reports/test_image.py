"""A chart as a picture."""

import struct
from pathlib import Path

from newsclf.reports.forest import Row, forest
from newsclf.reports.image import SCALE, WIDTH, write_png


def test_a_picture_is_as_wide_as_said_and_in_colours_that_exist(tmp_path: Path) -> None:
    content = write_png(forest([Row("a", 0.5)]), tmp_path / "plots" / "a.png", "Scores").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert abs(width - WIDTH * SCALE) < 60
    assert 0 < height < width
