"""Characters of a log that say nothing by themselves: colours, ends of lines, digits."""

from __future__ import annotations

import re

# Terminal colours as written by the servers, and the literal forms log exports turn the escape byte into.
ANSI = re.compile(r"(?:\x1b|#033|\\u001b|\\x1b|\\033|␛)\[[0-9;?]{0,12}[A-Za-z]")
LINE_BREAK = re.compile(r"\r\n|\n|\r|#015#012|#015|#012|\x85|\u2028")
# For `str.translate`: lines that differ only in figures are of one kind.
NO_DIGITS = str.maketrans("", "", "0123456789")
