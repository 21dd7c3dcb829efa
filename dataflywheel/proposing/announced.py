"""Answers that tell of having been revised: a preface before them, or a word about what stood there before."""

from __future__ import annotations

import re

_OPENS = r"(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[^\n:]{0,20}?[!,.:]\s*)?"
_HERE = r"(?:(?:here(?:['\u2019]s| is| are)|this is|below is) )?(?:(?:the|my|a|an|your) )?"
_MADE = r"(?:revised|corrected|rewritten|improved|edited|mended|updated|better|enhanced|refined)"
_WHOSE = r"(?:(?:and )?(?:corrected|improved|student|assistant)(?:'s)?[ _-])?"
_ENGLISH = (
    rf"(?:{_MADE}[ _-]{_WHOSE}(?:answer|response|reply|solution|version|revision|text)\b[^\n]{{0,20}}?[:}}\]>*_\n]"
    r"|final[ _-](?:revised |corrected )?(?:version|revision|draft)\b[^\n]{0,20}?[:}\]>*_\n]"
    r"|(?:revision|correction)\b[^\n]{0,20}?[:\n]|(?:revised|corrected)[*_]{0,2}:)"
)
_ELSEWHERE = (
    r"(?:(?:hier (?:ist|kommt|folgt) )?(?:die |eine )?(?:\u00fcberarbeitete|korrigierte|verbesserte) "
    r"(?:antwort|fassung|version)"
    r"|(?:voici )?(?:la |une )?(?:r\u00e9ponse|version) (?:corrig\u00e9e|r\u00e9vis\u00e9e|am\u00e9lior\u00e9e)"
    r"|(?:aqu\u00ed (?:est\u00e1|tienes) )?(?:la |una )?(?:respuesta|versi\u00f3n) (?:corregida|revisada|mejorada)"
    r"|(?:aqui est\u00e1 )?(?:a |uma )?(?:resposta|vers\u00e3o) (?:corrigida|revisada|melhorada)"
    r"|(?:ecco )?(?:la |una )?(?:risposta|versione) (?:corretta|rivista|migliorata)"
    r"|(?:вот )?(?:исправленный|улучшенный) ответ"
    r"|(?:\u4ee5\u4e0b\u662f)?(?:\u4fee\u6b63|\u4fee\u6539|\u6539\u8fdb|\u66f4\u6b63|\u4fee\u8ba2)(?:\u540e|\u8fc7)?\u7684?(?:\u56de\u7b54|\u7b54\u6848|\u7248\u672c)"
    r"|(?:\u4fee\u6b63|\u6539\u5584)(?:\u3057\u305f|\u5f8c\u306e|\u7248\u306e)(?:\u56de\u7b54|\u7b54\u3048))[^\n:\uff1a]{0,20}?\s?[:\uff1a*_\n]"
)
_BEFORE = re.compile(rf"\s{{0,9}}[#>*_{{\[<-]{{0,8}}\s?{_OPENS}{_HERE}(?:{_ENGLISH}|{_ELSEWHERE})", re.IGNORECASE)
_OF_IT = re.compile(
    r"\b(?:the|my|your|this) (?:original|previous|earlier|first|old|given|student's|draft) "
    r"(?:answer|response|reply|draft)\b"
    r"|\n\W{0,4}(?:changes|corrections|edits|revisions)(?: made)?\W{0,3}:",
    re.IGNORECASE,
)
_HEADED = re.compile(
    r"\s{0,9}[#>*_]{0,8}\s?(?:(?:the|final|full|complete|whole) )?"
    r"(?:answer|response|reply|solution|antwort|r\u00e9ponse|respuesta|"
    r"resposta|risposta|ответ|\u7b54\u6848|\u56de\u7b54)[*_]{0,3}\s?[:\uff1a]",
    re.IGNORECASE,
)
_FENCED = re.compile(r"\s*```[^\n`]{0,20}\n(?:(?!```).)*```\s*", re.DOTALL)
_CLOSING = re.compile(
    r"\n[ \t]*[(\[*_]{0,4}(?:(?:note|explanation|p\.?s|comment|n\.?b)\b[*_]{0,2}\.?[:.]?[*_]{0,2}\s?)?"
    r"(?:i(?:['\u2019]ve| have)? (?:only |just |also )?"
    r"(?:corrected|changed|fixed|revised|removed|replaced|updated|mended|rewrote|rewritten|edited|improved|clarified|added)"
    r"|(?:the|this|my|your) (?:answer|response|reply|text|mistake|error|fault)s? "
    r"(?:was|were|is|has been|have been) (?:now )?"
    r"(?:corrected|changed|fixed|revised|updated|mended|rewritten|edited|improved))\b[^\n]{0,400}\s*$",
    re.IGNORECASE,
)


TELLS, HEADED, FENCED = "it tells of its revision", "it is headed as an answer", "it stands in a fence"


def announced(text: str, before: str) -> str:
    """Why a text is no answer by itself: what in it tells that it was revised, "Answer:" before it, or a fence around
    the whole of it, where the text `before` has nothing of the kind; "" where nothing is.

    >>> announced("Sure! Here's the corrected answer: It is 5.", "It is 4.")
    'it tells of its revision: "Sure! Here\'s the corrected answer:"'
    >>> announced("It is 5. The original answer was wrong.", "It is 4.")
    "it tells of its revision: 'The original answer'"
    >>> announced("It is 5.", "It is 4.")
    ''
    """
    for look, why in (
        (_BEFORE.match, TELLS),
        (_OF_IT.search, TELLS),
        (_CLOSING.search, TELLS),
        (_HEADED.match, HEADED),
    ):
        if (found := look(text)) and not look(before):
            return f"{why}: {found[0].strip()[:80]!r}"
    return FENCED if _FENCED.fullmatch(text) and not _FENCED.fullmatch(before) else ""
