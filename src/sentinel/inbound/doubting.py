"""Words that do not go with "it is solved", and good news that only sounds like them. Pure, five languages.

Shared by whoever weighs a worker's words: a reply by mail, and the text beside a "yes" on the page.
"""

from __future__ import annotations

import re

#: Good news that contains an alarming word, language by language.
_SOOTHING = (
    # English
    r"\b(works?|working|runs?|running|fine|good|ok(ay)?|prints?|printing|usable)( \w+)? again\b",
    r"\bno (more|further|other|longer)\b( \w+)?",
    r"\b(no|without)( \w+)? (problems?|issues?|trouble|errors?|jams?|complaints?)\b",
    r"\bnot any ?more\b|\bnever again\b|\bnot (once|happened)\b|\bnot(hing)? to complain\b",
    r"\b(has|is|does|have|had)(n['’]t| not)( \w+){0,3} (since|any ?more)\b",
    r"\bsorry\b|\bno need\b",
    # German
    r"\b(funktioniert|läuft|geht|druckt|klappt|gut|ok|okay)( jetzt| nun| alles| endlich)? wieder\b",
    r"\b(jetzt |nun |alles )?wieder (alles )?(in ordnung|gut|ok|okay|einwandfrei|funktioniert|prima)\b",
    r"\b(nicht|kein\w*|nie)( \w+)? (mehr|wieder)\b",
    r"\bkein\w*( \w+)? (problem\w*|fehler\w*|stau\w*|störung\w*|beanstandung\w*)\b",
    # French
    r"\b(fonctionne|marche|imprime) (à|de) nouveau\b|\bremarche\b|\brefonctionne\b",
    r"\b(plus|pas) (aucun\w*|de)( \w+)? (problèmes?|soucis?|pannes?)\b|\bn['’]y a plus\b[^.!]*",
    r"\bne (se )?\w+ plus\b|\bplus aucun\w*( \w+)?|\baucun (problème|souci)\b",
    # Spanish
    r"\b(funciona|imprime|va|todo)( bien)? (de nuevo|otra vez)\b",
    r"\b(ningún|sin)( \w+)? (problemas?|fallos?|incidencias?)\b|\b(ya )?no (hay|tengo|tenemos)( más)?( \w+)?",
    r"\bno ha vuelto\b( \w+){0,2}|\bya no (falla|pasa|ocurre|se \w+)\b",
    # Japanese
    r"また(使|動|印刷)\w*(える|くよう|できる)\w*|問題(は|も)?(ありません|ない|なく)\w*",
    r"再発(は|も)?(して)?(い)?(ません|ない|ありません)",
)

#: Words that do not go with "solved".
_DOUBTING = (
    r"n['’]t\b|\b(not|no|still|again|keeps?|kept|nope|never|worse|unfortunately|broken|fails?|failing|stuck)\b",
    r"\b(jams|jammed|came back|comes back|partly|almost|sometimes|but)\b",
    r"\b(nicht|noch|wieder|leider|kein\w*|nein|schlimmer|kaputt|teilweise|fast|manchmal|aber|jedoch)\b",
    r"\b(ne|n['’]\w+|pas|toujours|encore|hélas|malheureusement|non|pire|recommence|revient|parfois|presque|mais)\b",
    r"\b(todavía|aún|sigue|siguen|otra vez|de nuevo|peor|vuelve|volvió|casi|a veces|pero|lamentablemente)\b",
    r"まだ|また|ない|ません|再発|悪化|でも|しかし|時々|ときどき|残念",
)

SOOTHING = re.compile("|".join(_SOOTHING), re.IGNORECASE)
DOUBTING = re.compile("|".join(_DOUBTING), re.IGNORECASE)
