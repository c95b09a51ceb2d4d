"""A container log as lines that can be searched: colours, escapes, progress bars and JSON taken off, in order."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise

from inservice.diagnosis.reading.boxes import unboxed
from inservice.diagnosis.reading.carriers import uncarried
from inservice.diagnosis.reading.characters import ANSI, LINE_BREAK, NO_DIGITS
from inservice.diagnosis.reading.records import are_records, texts_of
from inservice.diagnosis.reading.wrapped import unwrapped

# A CloudWatch export of a long crash loop; the end matters most, the start holds the first attempt.
MOST_CHARACTERS = 24_000_000
_HEAD_CHARACTERS = 4_000_000
# Hits kept per literal and side: a message repeated ten thousand times proves no more than fifty times.
_HITS_PER_SIDE = 60

_TIME = re.compile(r"(?:(\d{2,4}-\d\d(?:-\d\d)?)[T ])?(?<![\d:])([012]\d:[0-5]\d:[0-5]\d)")

# Wrappers that only some lines of a log have: DJL and TorchServe, LMI's converter, MPI. Carriers have all of them.
_PROCESS_PREFIX = re.compile(
    r"^(?:.{0,160}?(?:PyProcess|MODEL_LOG|WorkerLifeCycle|model-std(?:out|err))\s?(?:-|:|(?=W-))\s?(?:W-\S{1,80}-std\S{1,4}:\s?)?)"
    r"|^.{0,120}?\bLmiUtils (?:- )?convert(?:_py)?: "
    r"|\[\d+,\d+\]<std(?:out|err)>:"
)
_WORD = re.compile(r"[a-z]+")
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b|(\w*Warning):")
_SPOKEN = re.compile(r"\w(?:Error|Exception)\b|=$")
# glog, and PyTorch's c10d, which brackets it and writes the month without a zero.
_GLOG = re.compile(r"^(?:\[rank\d+\]:)?\[?([IWEF])\d{3,4} \d\d:\d\d")
# TensorRT-LLM's and TensorRT's Python parts: a letter in brackets.
_LETTER = re.compile(r"\[TRT(?:-LLM)?\] (?:\[RANK \d+\] )?\[([VIWEF])\]")
# Ray's own C++: `[2026-01-02 03:04:05,678 W 12 34] raylet.cc:56: ...`.
_RAY = re.compile(r"^(?:\(\w[^)]{0,80}\) )?\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ([DIWECF]) \d+ \d+\]")
# Compilers and shells spell their levels small: `anchor.cu(12): warning #177-D: ...`, `ptxas info : ...`.
_SMALL_LEVEL = re.compile(
    r"^(?:\(\w[^)]{0,80}\) )?(?:[\w./+-]{1,200}(?:\(\d+\)|:\d+(?::\d+)?): )?(?:[\w+-]{1,20}:? )?"
    r"(?:warning|note|info|hint|remark)\s?(?:#\S+)?\s?:"
)
# NVIDIA's images tell in their banner what the driver cannot do, in double brackets, and then start all the same.
_BANNER_NOTE = re.compile(r"^\s*\[\[")
_QUIET = {"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING"}


@dataclass(frozen=True)
class Log:
    """Lines in the order they happened: `lines` cleaned for matching, `raw` verbatim for evidence."""

    lines: tuple[str, ...]
    raw: tuple[str, ...]

    @cached_property
    def lowered(self) -> str:
        """The whole text in lower case, for searching literals at the speed of C."""
        return "\n".join(self.lines).lower()

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(line) + 1 for line in self.lowered.split("\n")), initial=0))

    @cached_property
    def _vocabulary(self) -> str:
        """Every word of the log once. Logs repeat themselves, so lines that differ only in figures count once too."""
        shapes = "\n".join(set(self.lowered.translate(NO_DIGITS).split("\n")))
        return "\n".join(set(_WORD.findall(shapes)))

    def find(self, literal: str) -> list[int]:
        """Numbers of lines that hold a lower-case literal: the first and last few dozen, in order."""
        # Hundreds of literals are looked for and few can be there: their words tell which, at a fraction of the cost.
        if any(word not in self._vocabulary for word in _words(literal)):
            return []
        text, starts = self.lowered, self._starts
        found: list[int] = []
        position = text.find(literal)
        while position >= 0 and len(found) < _HITS_PER_SIDE:
            found.append(bisect_right(starts, position) - 1)
            position = text.find(literal, starts[found[-1] + 1])
        last: list[int] = []
        position = text.rfind(literal, position) if position >= 0 else -1
        while position >= 0 and len(last) < _HITS_PER_SIDE:
            last.append(bisect_right(starts, position) - 1)
            position = text.rfind(literal, starts[found[-1] + 1], starts[last[-1]])
        return found + last[::-1]


@lru_cache(maxsize=4096)
def _words(literal: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(literal.translate(NO_DIGITS)))


def read(text: str) -> Log:
    """A log in any of the shapes servers, CloudWatch and exports give it."""
    raw = LINE_BREAK.split(_bounded(text))
    if len(raw) < 3 and text.count("\\n") > 3:
        # An export may be broken into lines as well, such as by the end of the copied text.
        raw = LINE_BREAK.split(_bounded(text).replace("\\r", "\n").replace("\\n", "\n"))
    raw = [line for line in raw if line and not line.isspace()]
    clean = _without_colours(raw)
    if _newest_first(clean):
        clean, raw = clean[::-1], raw[::-1]
    clean = unwrapped(uncarried(clean))
    if are_records(clean):
        clean, raw = texts_of(clean, raw)
        clean = unwrapped(uncarried(clean))
    return Log(tuple(unboxed(clean)), tuple(raw))


def loud(line: str) -> bool:
    """False for a line its own server calls information or a warning; DJL and TorchServe wrap tracebacks in INFO."""
    said = said_in(line)[:160]
    if _SMALL_LEVEL.match(said) or _BANNER_NOTE.match(said):
        return False
    glog = _GLOG.match(said) or _LETTER.search(said) or _RAY.match(said)
    if glog:
        return glog[1] in "ECF"
    level = _LEVEL.search(said)
    # A level named inside a message, such as "set VLLM_LOGGING_LEVEL=DEBUG", is not the line's own.
    if level is None or _SPOKEN.search(said, 0, level.start()):
        return True
    return not (level[2] or level[1] in _QUIET)


def said_in(line: str) -> str:
    """What the process said, without the wrapper's prefix."""
    return _PROCESS_PREFIX.sub("", line)


def _bounded(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[:_HEAD_CHARACTERS] + "\n" + text[-(MOST_CHARACTERS - _HEAD_CHARACTERS) :]


def _without_colours(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    if "\x1b" in text or "#033" in text or "\\u001b" in text or "\\x1b" in text or "\\033" in text or "␛" in text:
        text = ANSI.sub("", text)
    return text.split("\n") if lines else []


def _newest_first(lines: list[str]) -> bool:
    """Whether an export lists the newest line first, told by its own timestamps."""
    step = max(1, len(lines) // 1500)
    stamps = [found for line in lines[::step] if (found := _TIME.search(line[:120]))]
    keys = [(stamp[1] or "", stamp[2]) for stamp in stamps]
    pairs = [(a, b) for a, b in pairwise(keys) if len(a[0]) == len(b[0]) and a != b]
    falling = sum(a > b for a, b in pairs)
    return falling >= 2 and falling > 3 * (len(pairs) - falling)
