"""A scripted model endpoint: a real HTTP server that speaks OpenAI's dialect, misbehaves on request and keeps a bill.

    python -m tests.support.endpoint --plan plan.json --port 0

The fixture `endpoint` runs it as a process of its own. A plan (see `plan.py`) says who answers (`rules`), how fast
(`latency`), how much at once (`limits`) and what goes wrong (`faults`: a probability by name; `script`: exactly where).
Everything random is a hash of the plan's seed, the request and its attempt number: two runs of one plan behave alike.
An attempt is an arrival that no limit turned away. Enforced limits follow the clock and are the only exception.

The bill (see `bill.py`) holds one line a request: its key (hash of the body without `user`, `metadata` and streaming
options), attempt, status, fault, tokens, whether a vendor would charge it, and whether the whole reply was sent.

Marker grammar. Rules read these marks anywhere in the messages that are not system text, so that any prompt works:

    [[truth:4]]          the true quality of the row or answer that holds the mark. Pairwise judges read the first two
                         marks, in order. Where there is no mark, `truths` maps a row's id to it.
    [[end]]              the end of an answer whose [[truth:..]] stands at its beginning: the text between is its length
    [[tags:algebra,sql]] the true tags of the row
    [[record:17]]        the key of a recorded answer (rule `recorded`)
    [[fault:empty]]      this request fails so, on every attempt; [[fault:http_500*2]] on the first two attempts only
    [[say:any text]]     the answer, word for word (no square brackets inside)

Ids are found by the plan's `id_pattern`, in order; the n-th [[truth:..]] belongs to the n-th id.

Form of an answer. A JSON schema (`response_format`, or an example of the form in the last line) is filled in: a
property called id, row or row_id takes the row's id, a number the score, an enum the verdict (matched by a, 1, first /
b, 2, second / tie, 0, c, both, else by order) or the score, a list of strings the tags, a list of objects with an id
one object a row, any other string a short reason. Without a schema the rule's `template` is filled in: $score, $id,
$verdict, $tags (a JSON list), $reason, $truth.

Log-probabilities. Where they are asked for, the token that carries the score or verdict has as alternatives all scores
of the scale (a bell around what the rater believes, `spread` wide) or all verdicts, with their probabilities.
"""

from tests.support.endpoint.bill import Bill, Line
from tests.support.endpoint.handle import Endpoint

__all__ = ["Bill", "Endpoint", "Line"]
