"""The packaged sample: 680 short news items written for this project, in fixed splits."""

import hashlib
import io
from pathlib import Path

import pandas as pd

from newsclf.config import TextOptions
from newsclf.data.dataset import RawData
from newsclf.data.tables.formats import FORMATS
from newsclf.errors import InputError

PATH = Path(__file__).with_name("sample.csv")
CLASSES = ("World", "Sports", "Business", "Sci/Tech")
# Of the file with "\n" line ends, as git may check it out with others.
SHA256 = "b8ec2edc563582a063d228147711063a596ae7a5e3178ab1cb90f84515b4d8ea"


def read(options: TextOptions) -> RawData:
    """The sample's own three splits. Raises InputError if the file is not as it was packaged."""
    try:
        data = PATH.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise InputError(f"cannot read the packaged {PATH} ({error.strerror}); install newsclf again") from None
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise InputError(
            f"the packaged sample {PATH} was altered (SHA256 {found}, packaged {SHA256}); restore it with "
            "`git checkout`, or copy it and name the copy as dataset"
        )
    columns = ["split", "label", "text"]
    lines, values = zip(*FORMATS[".csv"].rows(io.BytesIO(data), str(PATH), columns), strict=True)
    rows = pd.DataFrame(list(values), columns=columns, index=pd.Index(lines, name="line"), dtype=object)
    splits = dict(iter(rows.groupby("split")))
    return RawData(
        source=str(PATH),
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        classes=CLASSES,
        published=True,
    )
