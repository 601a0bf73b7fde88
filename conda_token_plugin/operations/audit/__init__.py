"""Finding tokens that lie where they should not.

``shapes`` finds them in a text, ``places`` knows where to look, ``packages`` looks into packages,
``report`` goes through them all, ``fixing`` takes out what can be taken out, ``sarif`` says it
to machines. Nothing here ever shows a value.
"""

from __future__ import annotations
