"""What short and long answers mean; who is unsure is asked, and a problem is never taken for a happy face."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.inbound.meaning import Said, answer_to_question, comes_back, verdict_of

HAPPY = """
no|en
No.|en
No problems|en
no problems at all, thanks|en
No, everything is fine.|en
Nothing to report|en
All good!|en
all good here, thank you|en
Everything works fine.|en
ok|en
No issues this month.|en
No complaints, thank you.|en
Hi Maria, no problems here. Thanks!|en
So far so good|en
nein|de
Nein danke|de
Nein, alles gut.|de
Alles in Ordnung.|de
alles bestens|de
Keine Probleme|de
Keine Beanstandungen, danke.|de
Hallo Frau Keller, nein, alles läuft gut. Vielen Dank!|de
Passt alles|de
Läuft|de
Im Moment keine Probleme.|de
non|fr
Non merci|fr
Rien à signaler|fr
RAS|fr
Tout va bien, merci.|fr
Non, aucun problème.|fr
Pas de problème pour le moment|fr
no|es
Todo bien, gracias|es
Ningún problema|es
Sin problemas|es
Nada, todo en orden.|es
No, de momento no tengo nada|es
いいえ|ja
特にありません|ja
特に問題ありません。|ja
問題ありません。ありがとうございます。|ja
大丈夫です|ja
今のところ問題ありません|ja
tudo bem|pt
tutto bene, grazie|it
alles goed|nl
wszystko w porządku|pl
👍|en
🙂|de
:-)|en
1|en
"""
FROWN = """
yes|en
Yes!|en
I have a problem|en
we have a problem|en
ja|de
Ja, leider|de
Ich habe ein Problem|de
oui|fr
J'ai un problème|fr
sí|es
Tengo un problema|es
はい|ja
困っています|ja
☹|en
😡|de
:(|en
👎|en
0|en
not good|en
no good|en
Thanks for nothing|en
Danke für nichts|de
"""
PROBLEM = """
The printer jams.|en
No, but the coffee machine is leaking.|en
No problems except the scanner.|en
Everything is fine, only the door at gate 4 does not close.|en
Could you please send more toner?|en
Yes, the heating is too cold.|en
Great service as always, but the invoice is wrong.|en
I would like a second pallet truck.|en
Thank you for asking. The belt is still torn.|en
No. Please call me.|en
Nein, aber der Drucker klemmt.|de
Alles gut, nur die Heizung ist zu kalt.|de
Der Drucker druckt wieder nicht.|de
Können Sie bitte Toner schicken?|de
Non, mais l'imprimante est en panne.|fr
Tout va bien sauf la porte.|fr
L'imprimante ne marche pas.|fr
No, pero la puerta no cierra.|es
La impresora no funciona.|es
特に問題ありませんが、プリンターが遅いです。|ja
プリンターが壊れました。|ja
unsubscribe button does not work|en
stop the conveyor please, it is broken|en
The display shows 5.1.1|en
I am out of office supplies|en
10|en
?|en
nothing works|en
works? no|en
All good?|en
Thanks for calling but it still leaks|en
no problems since you fixed it but now it leaks|en
nichts läuft|de
Vielen Dank für den Anruf aber es klemmt|de
keine Probleme außer dass es tropft|de
no todo bien|es
問題ありませんが寒いです|ja
"""
PRAISE = """
Your technician was very friendly and quick.|en
Great service, keep it up!|en
Everything is perfect, I am very happy with the new scanner.|en
Sehr freundlicher Service, weiter so!|de
Wir sind sehr zufrieden mit dem neuen Gerät.|de
Service excellent, équipe très sympathique.|fr
Excelente servicio, muy amables.|es
いつも迅速な対応で助かっています。素晴らしいです。|ja
"""
THANKS = """
Thanks|en
Thank you very much!|en
Danke|de
Vielen Dank!|de
Herzlichen Dank für Ihre Hilfe.|de
Merci beaucoup|fr
Merci pour votre aide|fr
Muchas gracias|es
ありがとうございます。|ja
Obrigado|pt
Grazie mille|it
Bedankt|nl
Dziękuję|pl
"""
UNSUBSCRIBE = """
stop|en
Unsubscribe|en
please unsubscribe me|en
Remove me from this list|en
Stop asking me|en
Please do not write to me any more|en
Abmelden|de
bitte nicht mehr fragen|de
Bitte keine weiteren Mails mehr|de
désabonner|fr
désinscription|fr
darme de baja|es
baja|es
配信停止|ja
"""
YES = """
Yes|en
Yes, it is solved.|en
Yes, it works now. Thank you!|en
It works again.|en
Solved, thanks|en
Fixed!|en
It is fixed now|en
Everything works again, thank you.|en
Ja|de
Ja, danke.|de
Ja, es ist gelöst|de
Funktioniert wieder, danke|de
Erledigt|de
Das Problem ist behoben.|de
Oui|fr
Oui, c'est résolu|fr
C'est réglé, merci|fr
Ça marche|fr
Sí|es
Sí, está resuelto|es
Ya funciona|es
はい|ja
はい、解決しました。|ja
直りました。ありがとうございます。|ja
"""
NO = """
No|en
No, not yet|en
Not yet.|en
No, it still jams.|en
It still does not work.|en
Thank you, but it started again.|en
Not solved|en
It jams again|en
The same problem is back.|en
Nein|de
Noch nicht|de
Nein, es klemmt immer noch.|de
Leider nicht gelöst.|de
Danke, aber es ist wieder aufgetreten.|de
Funktioniert immer noch nicht|de
Non|fr
Pas encore|fr
Merci, mais cela recommence|fr
Toujours pas résolu|fr
Ça ne marche toujours pas|fr
No, todavía no|es
Sigue igual|es
Gracias, pero vuelve a fallar|es
No funciona|es
いいえ|ja
まだです|ja
まだ直っていません。|ja
また同じ症状が出ています。|ja
"""
UNDECIDED = """
I cannot say yet.|en
Yes, but it still jams sometimes.|en
Is it solved?|en
Maybe.|en
Please call me.|en
Please call me again tomorrow.|en
I have not tried it yet.|en
No, it works fine now.|en
What was done?|en
👍|en
Partly.|en
It never works|en
Yes, please|en
Yes, please call me.|en
Yes, I think so.|en
Yes, maybe|en
Yes, nothing works.|en
Yes, I do have a problem.|en
Yes, thanks. The printer on floor 3 is dead now.|en
Yes, I have seen the mail, will test tomorrow.|en
Yes, until yesterday|en
Yeah, right.|en
Sure, whatever|en
Yes, it is solved. Now the scanner eats paper.|en
Ja, glaube ich|de
Ja, bis auf die Tür|de
Ja, ich teste es morgen.|de
Oui, je vais tester.|fr
Oui, une sur deux|fr
Der Scanner scannt wieder.|de
Rufen Sie mich bitte wieder an.|de
Ich habe es noch nicht getestet.|de
Ja, aber manchmal klemmt es noch.|de
Ich bin erst am Montag wieder im Büro.|de
Je ne sais pas|fr
Oui, mais parfois ça bloque|fr
Rappelez-moi demain.|fr
No sé|es
Sí, pero a veces falla|es
確認中です。|ja
"""
BACK = """
Thank you, but it started again this morning.|en
It is broken again|en
Unfortunately the printer still jams.|en
The problem came back.|en
Danke, aber es klemmt schon wieder|de
Leider ist der Fehler erneut aufgetreten.|de
Merci, mais cela recommence|fr
Le problème est revenu, ça bloque de nouveau|fr
Gracias, pero sigue fallando|es
また止まりました。|ja
再発しました。|ja
No, it is not solved.|en
The scanner at gate 3 does it again|en
Der Scanner ist heute wieder ausgefallen|de
"""
NOT_BACK = """
Thank you!|en
Great, thanks for the quick help.|en
Yes, it works again.|en
No problem since then.|en
Thanks again for your help|en
I will be back on Monday.|en
By the way, could you order paper?|en
Thanks for fixing the broken printer!|en
Looking forward to working with you again.|en
The technician is back, thank you.|en
Immer wieder gerne|de
Der Scanner scannt wieder einwandfrei.|de
Bin wieder gesund, danke.|de
danke, passt|de
Vielen Dank, läuft wieder einwandfrei.|de
Ich melde mich wieder, wenn etwas ist.|de
Merci beaucoup|fr
Tout fonctionne à nouveau, merci encore|fr
Muchas gracias, ya funciona de nuevo|es
ありがとうございました。またよろしくお願いします。|ja
助かりました。|ja
|en
"""


def cases(table: str) -> list[tuple[str, str]]:
    return [(line.rpartition("|")[0], line.rpartition("|")[2]) for line in table.strip("\n").splitlines()]


def answers() -> list[tuple[str, str, Said]]:
    tables = {
        Said.HAPPY: HAPPY, Said.FROWN: FROWN, Said.PROBLEM: PROBLEM, Said.PRAISE: PRAISE, Said.THANKS: THANKS,
        Said.UNSUBSCRIBE: UNSUBSCRIBE,
    }  # fmt: skip
    return [(words, language, said) for said, table in tables.items() for words, language in cases(table)]


def verdicts() -> list[tuple[str, str, Said]]:
    tables = {
        Said.YES: YES, Said.NO: NO, Said.WORDS: UNDECIDED, Said.THANKS: THANKS, Said.UNSUBSCRIBE: UNSUBSCRIBE
    }  # fmt: skip
    return [(words, language, said) for said, table in tables.items() for words, language in cases(table)]


@pytest.mark.parametrize(("words", "language", "said"), answers())
def test_an_answer_to_any_problem(words: str, language: str, said: Said) -> None:
    assert answer_to_question(words, language) is said


@pytest.mark.parametrize(("words", "language", "said"), verdicts())
def test_a_verdict_on_is_it_solved(words: str, language: str, said: Said) -> None:
    assert verdict_of(words, language) is said


@pytest.mark.parametrize(("words", "language"), cases(BACK))
def test_it_is_wrong_again(words: str, language: str) -> None:
    assert comes_back(words, language)


@pytest.mark.parametrize(("words", "language"), cases(NOT_BACK))
def test_it_is_not_wrong_again(words: str, language: str) -> None:
    assert not comes_back(words, language)


@pytest.mark.parametrize("words", ["", " \n\t", "\u200b", "..."])
def test_nothing_is_nothing(words: str) -> None:
    assert answer_to_question(words, "") in (Said.NOTHING, Said.PROBLEM)
    assert verdict_of(words, "") in (Said.NOTHING, Said.WORDS)
    assert not comes_back(words, "")


@pytest.mark.parametrize(("words", "language"), cases(HAPPY + FROWN + PROBLEM + YES + NO))
def test_it_does_not_depend_on_knowing_the_language(words: str, language: str) -> None:
    assert answer_to_question(words, "") is answer_to_question(words, language)
    assert verdict_of(words, "") is verdict_of(words, language)


@pytest.mark.parametrize(("words", "language"), cases(PROBLEM))
def test_a_problem_confirms_nothing(words: str, language: str) -> None:
    assert verdict_of(words, language) is not Said.YES


@settings(max_examples=300)
@given(words=st.text(max_size=300), language=st.sampled_from(["", "en", "de", "fr", "es", "ja", "xx"]))
def test_any_text_has_some_meaning(words: str, language: str) -> None:
    assert isinstance(answer_to_question(words, language), Said)
    assert isinstance(verdict_of(words, language), Said)
    assert comes_back(words, language) in (True, False)


SNIPPETS = """
no yes not still again works fixed thanks please but it is the printer jams nein ja noch nicht wieder danke
aber non oui toujours pas merci mais no sí todavía gracias pero since for and , . ! ? now fine
"""
VOCABULARY = st.sampled_from(SNIPPETS.split())


@settings(max_examples=300)
@given(st.lists(VOCABULARY, min_size=1, max_size=400).map(" ".join))
def test_no_text_takes_long(words: str) -> None:
    began = time.thread_time()
    answer_to_question(words, "")
    verdict_of(words, "")
    comes_back(words, "")
    assert time.thread_time() - began < 0.5, "it runs away"
