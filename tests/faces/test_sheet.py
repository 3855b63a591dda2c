from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mirror_bench.errors import InputError
from mirror_bench.faces.contact_sheet import write_sheet


def test_a_sheet_has_a_row_per_identity_and_a_column_per_expression(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_sheet(path, identities=2, seed=1)
    image = Image.open(path)
    assert image.width == 19 * 168
    assert image.height == 2 * (168 + 18)
    first, second = np.asarray(image)[18:186, :168], np.asarray(image)[204:372, :168]
    assert np.abs(first.astype(int) - second).max() > 50
    again = tmp_path / "again.png"
    write_sheet(again, identities=2, seed=1)
    assert again.read_bytes() == path.read_bytes()


def test_impossible_sheets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="identities 0"):
        write_sheet(tmp_path / "sheet.png", identities=0, seed=1)
    with pytest.raises(InputError, match="cannot be written"):
        write_sheet(tmp_path / "missing" / "sheet.png", identities=1, seed=1)
