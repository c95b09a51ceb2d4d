"""Writes the hashes of the page's own script and style into its content security policy.

Run it after editing web/index.html; a test fails when it was forgotten.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "web" / "index.html"


def sealed(page: str) -> str:
    """The page with its policy allowing exactly the one inline script and the one inline style it has."""
    for kind in ("script", "style"):
        (content,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = re.sub(rf"{kind}-src 'sha256-[^']*'", f"{kind}-src 'sha256-{digest}'", page, count=1)
    return page


if __name__ == "__main__":
    PAGE.write_text(sealed(PAGE.read_text()))
