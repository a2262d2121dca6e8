"""The first day back, from an absence note in English, German, French, Spanish, Japanese, Portuguese,
Italian, Dutch or Polish. Dates of other things (since when, somebody's deadline) are not taken for it."""

from __future__ import annotations

import re
from datetime import date, timedelta

_FARTHEST = timedelta(days=400)
_READ = 6_000

_MONTHS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        "january jan januar jänner janvier janv enero ene janeiro gennaio gen januari stycznia styczeń",
        "february feb februar febr février févr fevrier febrero fevereiro fev febbraio februari lutego luty",
        "march mar märz mär maerz mars marzo março marco maart mrt marca marzec",
        "april apr avril avr abril abr aprile kwietnia kwiecień",
        "may mai mayo maio maggio mag mei maja maj",
        "june jun juni juin junio junho giugno giu czerwca czerwiec",
        "july jul juli juillet juil julio julho luglio lug lipca lipiec",
        "august aug août aout agosto ago augustus sierpnia sierpień",
        "september sep sept septembre septiembre setembro set settembre september września wrzesień",
        "october oct oktober okt octobre octubre outubro out ottobre ott października październik",
        "november nov novembre noviembre novembro listopada listopad",
        "december dec dezember dez décembre déc decembre diciembre dic dezembro dicembre grudnia grudzień",
    ),
    start=1,
):
    _MONTHS.update(dict.fromkeys(_names.split(), _number))

_WEEKDAYS: dict[str, int] = {}
for _number, _names in enumerate(
    (
        (
            "monday montag lundi lunes segunda-feira segunda lunedì maandag poniedziałek poniedziałku "
            "月曜日 月曜"
        ),
        "tuesday dienstag mardi martes terça-feira terça martedì dinsdag wtorek wtorku 火曜日 火曜",
        (
            "wednesday mittwoch mercredi miércoles quarta-feira quarta mercoledì woensdag środę środa "
            "水曜日 水曜"
        ),
        (
            "thursday donnerstag jeudi jueves quinta-feira quinta giovedì donderdag czwartek czwartku "
            "木曜日 木曜"
        ),
        "friday freitag vendredi viernes sexta-feira sexta venerdì vrijdag piątek piątku 金曜日 金曜",
    )
):
    _WEEKDAYS.update(dict.fromkeys(_names.split(), _number))

_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_WEEKDAY = "|".join(sorted(map(re.escape, _WEEKDAYS), key=len, reverse=True))
_DATE = (
    r"(?P<iso>\b20\d\d-\d{1,2}-\d{1,2}\b)"
    r"|(?:(?P<jy>20\d\d)年)?(?P<jm>\d{1,2})月(?P<jd>\d{1,2})日"
    r"|\b(?P<n1>\d{1,2})(?P<sep>[./-])[ ]?(?P<n2>\d{1,2})(?:(?P=sep)[ ]?(?P<ny>20\d\d|\d\d)\b|\.?(?!\d))"
    rf"|\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|\.|º|ª)?(?: (?:of"
    rf"|de))?,? (?P<m1>{_MONTH})\b\.?(?:,? (?:de )?(?P<y1>20\d\d)\b)?"
    rf"|\b(?P<m2>{_MONTH})\b\.? (?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<y2>20\d\d)\b)?"
)
_WHEN = re.compile(_DATE, re.IGNORECASE)
_DAY_NAME = re.compile(rf"\b(?:{_WEEKDAY})\b" + r"|[月火水木金]曜日?", re.IGNORECASE)

#: Before a date that is the first day back.
_BACK = re.compile(
    r"return(?:ing|s)?|\bback\b|available again|again (?:available )?from|reachable again|resum"
    r"|will be in (?:the office )?on"
    r"|zurück|wieder (?:erreichbar|da|im (?:büro|haus|dienst)|für sie|am|ab|persönlich|verfügbar)|rückkehr"
    r"|erreichbar (?:ab|am)|kehre ich"
    r"|(?:de )?retour|reviens|reviendrai|rentre(?:rai)?|serai (?:de nouveau|à nouveau)"
    r"|disponible à (?:partir|compter)|reprend"
    r"|regres|vuelvo|volveré|vuelta|reincorpor|estaré (?:de vuelta|disponible)|incorporaré"
    r"|retorn|volto|voltarei|estarei de volta|rientr|sarò (?:di nuovo|nuovamente)|tornerò|torno|terug"
    r"|weer (?:bereikbaar|aanwezig|op kantoor)|wracam|wrócę|powrót|będę ponownie|ponownie dostępn"
    r"|出社|復帰|戻り|出勤|再開",
    re.IGNORECASE,
)
#: Before (in Japanese after) a date that is the last day away; English "until" is told apart below.
_LAST = re.compile(
    r"(?:\bbis(?: (?:zum|einschließlich|inkl\.?|einschl\.?|inklusive|einschließlich zum))?|jusqu.au?"
    r"|\bhasta(?: el)?|\baté(?: o| ao)?|\bfino al|\btot(?: en met)?|\bt/m|\bdo(?: dnia)?|\bthrough|\bthru)$",
    re.IGNORECASE,
)
#: The same between two dates; on their own these words say nothing.
_RANGE = re.compile(r"(?:\bal|\bau|\bto|\bund|\band|\ba|\binclud\w*|\binclusive|[–—-])$", re.IGNORECASE)
_FROM_DAY = re.compile(
    r"(?:\bab|\bam|\bfrom|\bon|\bas of|\bà partir du?|\ble|\bdès(?: le)?|\ba partir del?|\bel|\bdal?"
    r"|\bvanaf|\bop|\bod(?: dnia)?)$",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"\b(?:until|till|til|before)\b", re.IGNORECASE)
_INCLUSIVE = re.compile(r"inclu|einschl|inkl|incl|inclus|compris|tot en met|t/m|włącznie", re.IGNORECASE)
_AWAY = re.compile(
    r"out of (?:the )?office|away|absen|leave|holiday|vacation|abwesen|urlaub|nicht (?:im (?:büro|haus)"
    r"|erreichbar|da)|außer haus|congé|vacances|absent|fuera|ausente|vacaciones|férias|ferie|fuori|afwezig"
    r"|vakantie|nieobecn|urlop|不在|休暇|休み",
    re.IGNORECASE,
)


def back_on(text: str, today: date) -> date | None:
    """The first day back, or None when the note does not say. ``today``: the day the note came.

    A last day away yields the day after it; a day in the past or more than 400 days away yields None.
    """
    text = " ".join(text[:_READ].split())
    away_to: date | None = None
    for match in _WHEN.finditer(text):
        before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 40]
        day = _day(match, text, today)
        if day is None or not today < day <= today + _FARTHEST:
            continue
        says = _meaning(before, after, text[: match.start()])
        if says == "back":
            return day
        if says == "last" and away_to is None:
            away_to = day + timedelta(days=1)
        if says == "until" and away_to is None:
            away_to = day
    return away_to or _back_on_weekday(text, today)


#: What may stand between a preposition and its date: a weekday, an article.
_FILLERS = frozenset(_WEEKDAYS) | frozenset(
    (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "mo",
        "di",
        "mi",
        "fr",
        "sa",
        "so",
        "lun",
        "mar",
        "mer",
        "jeu",
        "ven",
        "sam",
        "dim",
        "the",
        "den",
        "dem",
        "dnia",
        "lo",
        "il",
        "o",
        "dia",
        "",
    )
)


def _without_fillers(clause: str) -> str:
    """The clause up to the preposition before a date."""
    words = clause.split()
    while words and words[-1].strip("(,.").lower() in _FILLERS:
        words.pop()
    return " ".join(words)


def _meaning(before: str, after: str, all_before: str) -> str:
    """What a date is: the first day "back", the "last" day away, "until" (English: that day), or ""."""
    clause = re.split(r"[.!?;。\n](?=\s|$)|[。、]", before)[-1]
    near = _without_fillers(clause)
    japanese = _japanese(after)
    if japanese:
        return japanese
    inclusive = _INCLUSIVE.search(after[:20]) or _INCLUSIVE.search(near[-25:])
    if _UNTIL.search(near[-9:]):
        return "last" if inclusive else "until"
    if _LAST.search(near[-25:]) and not _BACK.search(clause):
        return "last"
    if (
        _RANGE.search(near[-12:])
        and (inclusive or _AWAY.search(all_before[-200:]))
        and not _BACK.search(clause)
    ):
        return "last"
    says_from = clause[-20:].lower().strip(" ,.")
    follows = re.split(r"[.!?;](?=\s|$)", after)[0]
    if _BACK.search(clause) or (
        _BACK.search(follows) and (not near or _FROM_DAY.search(near) or _FROM_DAY.search(says_from))
    ):
        return "back"
    return ""


def _japanese(after: str) -> str:
    head = after[:14]
    head = re.sub(r"^\s*[（(][月火水木金土日祝・]{1,3}[)）]", "", head)
    if re.match(r"\s*(?:まで|迄)", head):
        return "last"
    if re.match(
        r"\s*(?:（?.{0,4}）?)(?:から|より|に|以降)?.{0,6}(?:出社|復帰|戻|出勤|再開|対応|業務|ご連絡)",
        after[:24],
    ):
        return "back"
    return ""


def _day(match: re.Match[str], text: str, today: date) -> date | None:
    found = match.groupdict()
    try:
        if found["iso"]:
            return date.fromisoformat("-".join(part.zfill(2) for part in found["iso"].split("-")))
        if found["jm"]:
            return _with_year(found["jy"], int(found["jm"]), int(found["jd"]), today)
        if found["n1"]:
            return _numeric(found, text, today)
        month = _MONTHS[(found["m1"] or found["m2"]).lower()]
        return _with_year(found["y1"] or found["y2"], month, int(found["d1"] or found["d2"]), today)
    except ValueError:
        return None


def _numeric(found: dict[str, str | None], text: str, today: date) -> date | None:
    first, second = int(found["n1"] or 0), int(found["n2"] or 0)
    if found["sep"] == "-" and not found["ny"]:
        return None
    day, month = first, second
    if (found["sep"] == "/" and month > 12 >= first) or (
        found["sep"] == "/" and first <= 12 and _is_american(text)
    ):
        day, month = second, first
    return _with_year(found["ny"], month, day, today)


def _is_american(text: str) -> bool:
    """Whether another date in the text, or a twelve-hour clock, shows that the month comes first."""
    pairs = [(int(a), int(b)) for a, b in re.findall(r"\b(\d{1,2})/(\d{1,2})(?:/\d{2,4})?\b", text)]
    if any(first > 12 for first, _ in pairs):
        return False
    return any(second > 12 for _, second in pairs)


def _with_year(year: str | None, month: int, day: int, today: date) -> date:
    if year:
        number = int(year)
        return date(number + 2000 if number < 100 else number, month, day)
    this_year = date(today.year, month, day)
    # A note says no year when it is near: long past means next year.
    return this_year if this_year >= today - timedelta(days=14) else date(today.year + 1, month, day)


def _back_on_weekday(text: str, today: date) -> date | None:
    for match in _DAY_NAME.finditer(text):
        clause = re.split(r"[.!?;](?=\s|$)|[。、]", text[max(0, match.start() - 50) : match.start()])[-1]
        if _BACK.search(clause) or _japanese(text[match.end() :]) == "back":
            name = match[0].lower()
            number = _WEEKDAYS.get(name, _WEEKDAYS.get(name[:1] + "曜", 0))
            return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    return None
