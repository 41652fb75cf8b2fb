"""Refuse what must not stand in the tree: paths of one machine, hosts of registries, notes to oneself.

Each pattern is written so that it does not match itself. Locks are left out: they hold hashes alone.
"""

from __future__ import annotations

import re
import sys

from dists import ROOT, tracked

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:w[o]rk|f[a]rm|opt/p[y]pi)(?:/|\b(?=[\s'\"`]))|/r[o]ot/"
    r"|/h[o]me/(?!example)",
    "a scratch path of one machine": r"/t[m]p/(?:br[i]ef|res[e]arch|v0\b|b[a]sh_)|\.\./sh[a]red\b"
    r"|DEVELOP[E]RS\.md",
    "the host of a registry": r"//[\w.-]*(?:p[y]pi|npm[j]s|pythonh[o]sted)\.\w+|//(?:ftp\.|)d[e]b\.\w+\.org",
    "a word about how the code was written": r"\bAnthr[o]pic\b|\bCl[a]ude (?:Code|Opus|Sonnet)\b"
    r"|\bChatG[P]T\b|\bCop[i]lot\b|\bL[L]Ms?\b|\b(?:A[I]|coding) (?:assist[a]nt|ag[e]nt)"
    r"|langu[a]ge model|\bsub-?ag[e]nt|\b(?:the|your) br[i]ef says",
    "an issue by its number": r"\bissues? #?\d+\b|\b[Ff]ix(?:es)? #\d+",
    "a mark of unfinished work": r"\b(?:FIX[M]E|X[X]X|TO[D]O)\b",
}
PATTERNS = {what: re.compile(pattern) for what, pattern in FORBIDDEN.items()}
LEFT_OUT = re.compile(r"\.lock$|(^|/)package-lock\.json$|(^|/)vendor/|\.(png|ico|woff2|mo|gz|jpg)$")


def main() -> int:
    """Print each place; the answer is the exit code."""
    found = 0
    files = [path for path in tracked() if not LEFT_OUT.search(path.relative_to(ROOT).as_posix())]
    for path in files:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            for what, pattern in PATTERNS.items():
                if match := pattern.search(line):
                    found += 1
                    print(f"{path.relative_to(ROOT)}:{number}: {what}: {match.group()!r}", file=sys.stderr)
    if not found:
        print(f"{len(files)} files name no machine, registry or unfinished work.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
