"""Where a quoted mail begins: "On ... wrote:" lines, header blocks, separators, in some twenty languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sentinel.inbound.reading.shapes import Line

_LONGEST_ATTRIBUTION = 400
_MOST_LINES = 4

#: How an attribution begins, at the start of its line.
_STARTS = re.compile(
    r"(?:on|am|le|el|il|il giorno|op|den|dnia|w dniu|em|a|no dia|dne|dňa|på|ons|tor|fre|lör|sön|mån|tis|în"
    r"|la|pe"
    r"|ma|ti|ke|to|pe|la|su|в|у|пн|вт|ср|чт|пт|сб|вс|στις|vào|pada|tarihinde"
    r"|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim"
    r"|vom|von|från|fra|van|od|de|da|from)\b[.,]?|\d{1,4}[./年-]\s?\d{1,2}"
    r"|\d{1,2}\.?\s+[^\W\d_]{3,12}\.?,?\s+\d{4}|-{2,}",
    re.IGNORECASE,
)
#: "wrote" in many languages.
_WROTE = re.compile(
    r"\bwrote\b|\bwrites\b|\bschrieb(?:en|st)?\b|\bgeschrieben\b|a écrit|\bécrit\b|\bescribió\b"
    r"|\bescribe\b|\bescreveu\b"
    r"|\bha scritto\b|\bscrive\b|\bschreef\b|\bgeschreven\b|\bnapisał|\bnapsal|\bnapísal|\bskrev\b"
    r"|\bskrifaði\b"
    r"|\bkirjoitti\b|\bírta\b|\ba scris\b|\bпис[аа]л|\bнаписа|\bпише\b|\bpisze\b|\byazdı\b|\bέγραψε\b"
    r"|\bđã viết\b"
    r"|\bmenulis\b"
    r"|\bnapisao\b|\bje napisa|\bkirjutas\b|\brakstīja\b|\brašė\b|\bva escriure\b|写道|寫道"
    r"|さんは書きました|のメール"
    r"|님이 작성|כתב|كتب",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b\d{1,2}[:.h]\s?\d{2}\b|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}月\d{1,2}日"
)
_ADDRESSED = re.compile(r"[^\s<>@]{1,100}@[^\s<>@]{1,200}")
_ENDS = (":", "：", ":*", ":>", "-->", "wrote", "écrit", "schrieb", ": -")

#: Labels of the header block with which Outlook and others open the mail being answered.
_FROM_WORDS = (
    "from von de da van od från fra lähettäjä feladó expéditeur remitente mittente afzender nadawca "
    "отправитель от від kimden gönderen από 差出人 送信者 发件人 寄件者 보낸사람 saatja no nuo "
    "expeditor la πο מאת "
    "pošiljatelj absender"
)
_FROM = frozenset(_FROM_WORDS.split())
_OTHERS_WORDS = (
    "to an à para a aan do till til vastaanottaja címzett destinataire destinatario ontvanger adresat "
    "кому kime komu cc kopie 宛先 收件人 받는사람 sent gesendet envoyé enviado inviato verzonden "
    "wysłano skickat "
    "sendt lähetetty elküldve отправлено надіслано gönderildi odesláno odeslané poslané 送信日時 "
    "发送时间 寄件日期 "
    "보낸날짜 date datum data fecha dato päivämäärä dátum дата tarih 日時 日付 日期 날짜 subject "
    "betreff objet "
    "asunto oggetto onderwerp temat ämne emne aihe tárgy тема konu předmět predmet assunto subiect 件名 "
    "主题 主旨 제목 reply-to organization organisation answer-to"
)
_OTHERS = frozenset(_OTHERS_WORDS.split())
_STRONG_WORDS = (
    "sent gesendet envoyé enviado inviato verzonden wysłano skickat sendt lähetetty отправлено "
    "надіслано gönderildi odesláno subject betreff objet asunto oggetto onderwerp temat ämne emne aihe "
    "tárgy тема konu předmět predmet assunto 件名 主题 主旨 제목 送信日時 发送时间 日時 date datum "
    "data fecha dato дата "
    "elküldve"
)
_STRONG = frozenset(_STRONG_WORDS.split())
_LABEL = re.compile(r"[*_ ]{0,4}([^\W\d_][^:：\n]{0,22}?)[*_ ]{0,4}[:：][*_ ]{0,4}(.*)")

_SEPARATOR = re.compile(
    r"[-_=*\s>|]{2,}\s*(?:original message|original-nachricht|originalnachricht|ursprüngliche nachricht"
    r"|ursprüngliche mail"
    r"|weitergeleitete nachricht|urspr\. nachricht|message d.origine|message original|message initial"
    r"|courriel original"
    r"|message transféré|mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada"
    r"|messaggio originale"
    r"|messaggio inoltrato|oorspronkelijk bericht|oorspronkelijke bericht|doorgestuurd bericht"
    r"|wiadomość oryginalna"
    r"|oryginalna wiadomość|wiadomość przekazana|původní zpráva|originalmeddelande|ursprungligt meddelande"
    r"|opprinnelig melding|oprindelig meddelelse|alkuperäinen viesti|eredeti üzenet|исходное сообщение"
    r"|пересланное сообщение"
    r"|original mail|forwarded message|reply message|orijinal mesaj|özgün ileti|mesaj original|original"
    r"|元のメッセージ"
    r"|転送メッセージ|原始邮件|原始郵件|원본 메시지|원본 메일)\s*[-_=*\s:]*",
    re.IGNORECASE,
)
#: How an attribution begins inside a line: a capital, and a day after it.
_INNER_START = re.compile(
    r"(?:(?<=\s)|(?<=[.!?。]))(?=((?:On|Am|Le|El|Op|Den|Em|Il giorno|W dniu|Dnia|Dne)\s+"
    r"(?:\d|[^\W\d_]{2,12}\.?,?\s*\d|[^\W\d_]{2,12}\.?,?\s+[^\W\d_]{3,12}\.?\s+\d)))"
)
_TITLED = re.compile(r"-{3,30} ?[^-]{3,40} ?-{3,30}")
_RULE = re.compile(r"[_]{20,}|[-]{20,}|[=]{20,}")


def may_attribute(lines: Sequence[Line], index: int) -> bool:
    """Whether an attribution could end within the next lines; cheap, because it is asked of every line."""
    return any(line.text.rstrip().endswith(_ENDS) for line in lines[index : index + _MOST_LINES])


def attribution_at(lines: Sequence[Line], index: int, *, follows: bool) -> int:
    """How many lines, beginning here, say who wrote what is quoted; 0 for none.

    A date or an address proves it. Without either, only what follows can (``follows`` says that quoted
    text or text of ours comes next): "On Monday the foreman wrote:" is the worker's own sentence.
    """
    first = lines[index].text.lstrip("> ")
    if not first or len(first) > _LONGEST_ATTRIBUTION:
        return 0
    if _is_attribution(first, follows=follows):
        return 1
    if not _STARTS.match(first) and not (_ADDRESSED.search(first) and _DATED.search(first)):
        return 0
    joined = first
    for count in range(2, _MOST_LINES + 1):
        if index + count > len(lines):
            return 0
        text = lines[index + count - 1].text.lstrip("> ")
        if not text:
            return 0
        joined = f"{joined} {text}"
        if len(joined) > _LONGEST_ATTRIBUTION:
            return 0
        if text.endswith(_ENDS):
            return (
                count
                if _is_attribution(joined, follows=follows) and not _begins_later(lines, index, count)
                else 0
            )
    return 0


def words_before(text: str) -> str:
    """What stands on the line of an attribution before it begins: "It jams. On Thu, 5 Mar ... wrote:"."""
    for match in _INNER_START.finditer(text):
        rest = text[match.start(1) :]
        if match.start(1) and _is_attribution(rest, follows=False):
            return text[: match.start(1)].strip()
    return ""


def _begins_later(lines: Sequence[Line], index: int, count: int) -> bool:
    """Whether the attribution begins below this line, which only begins alike and is the worker's."""
    for start in range(index + 1, index + count):
        joined = " ".join(line.text.lstrip("> ") for line in lines[start : index + count])
        if _STARTS.match(joined) and _DATED.search(joined) and _is_attribution(joined, follows=False):
            return True
    return False


def _is_attribution(text: str, *, follows: bool) -> bool:
    text = text.rstrip()
    if not text.endswith(_ENDS):
        return False
    wrote = _WROTE.search(text) is not None
    dated = _DATED.search(text) is not None
    addressed = _ADDRESSED.search(text) is not None
    begins = _STARTS.match(text) is not None or (dated and addressed)
    if wrote and addressed:
        return begins or dated or follows or len(text) < 120
    if wrote and dated:
        # "On 3 March at 10:15 the foreman wrote:" has a date too: what follows decides.
        return follows or (begins and _has_year_and_time(text))
    if dated and addressed:
        return begins or follows
    return wrote and follows


def _has_year_and_time(text: str) -> bool:
    return re.search(r"\b20\d{2}\b|\d[./-]\d{1,2}[./-]\d{2}\b", text) is not None and (
        re.search(r"\b\d{1,2}[:.h]\s?\d{2}\b", text) is not None
    )


def header_block_at(lines: Sequence[Line], index: int) -> int:
    """How many lines, beginning here, are the header block of a quoted mail ("From: ... Sent: ..."), or 0."""
    label, value = _label(lines[index].text)
    if not value or not (label in _FROM or (label in _STRONG and _from_follows(lines, index))):
        return 0
    strong, count, last = label in _STRONG, 1, 1
    for offset in range(1, 14):
        if index + offset >= len(lines):
            break
        text = lines[index + offset].text.lstrip("> ")
        name, _ = _label(text)
        if name in _OTHERS or name in _FROM:
            strong = strong or name in _STRONG
            count += 1
            last = offset + 1
        elif not text:
            # Text parts made from HTML have an empty line after every header.
            following = lines[index + offset + 1].text if index + offset + 1 < len(lines) else ""
            if _label(following)[0] not in _OTHERS:
                break
        elif offset - last >= 1:
            break
    return last if strong and (count >= 3 or "@" in value or (count >= 2 and last <= 4)) else 0


def _from_follows(lines: Sequence[Line], index: int) -> bool:
    """Some mail programs begin with the date: the sender comes within the next lines."""
    return any("@" in line.text and _label(line.text)[0] in _FROM for line in lines[index + 1 : index + 4])


def _label(text: str) -> tuple[str, str]:
    match = _LABEL.match(text.lstrip("> ")[:300])
    if match is None:
        return "", ""
    return match[1].replace("*", "").replace("\u00a0", " ").strip().lower().replace(" ", ""), match[2].strip()


def is_separator(text: str) -> bool:
    """A line such as ``-----Original Message-----``."""
    text = text.strip().lstrip("> ")
    return len(text) < 100 and _SEPARATOR.fullmatch(text) is not None


def is_titled_rule(lines: Sequence[Line], index: int) -> bool:
    """A line such as ``----- Any words -----`` above headers, in a language nobody thought of."""
    text = lines[index].text
    if len(text) > 80 or _TITLED.fullmatch(text) is None:
        return False
    return sum(has_label(line.text) for line in lines[index + 1 : index + 6]) >= 2


def is_rule(text: str) -> bool:
    """A line drawn with underscores or dashes."""
    return _RULE.fullmatch(text.strip()) is not None


def has_label(text: str) -> bool:
    """Whether the line is a header of a quoted mail ("From: ...", "Betreff: ...")."""
    label, value = _label(text)
    return bool(value) and (label in _FROM or label in _OTHERS)
