"""German, in Hamburg."""

from sentinel.ops.demo.words.phrases import ANNOYING, HINDERS, STOPPED, Phrases, Trouble

GERMAN = Phrases(
    troubles=(
        Trouble(
            "Der Drucker in der Disposition zieht immer zwei Blätter auf einmal ein. Wir sortieren die"
            " Frachtpapiere von Hand.",
            HINDERS,
            "Ein Techniker tauscht die Einzugsrollen",
            "Die Einzugsrollen sind getauscht, 300 Blatt liefen einzeln durch.",
            "Die Rollen waren verschlissen; der Wartungszähler war nach dem Umzug auf null gesetzt worden.",
        ),
        Trouble(
            "Seit Montag kommen gescannte Rechnungen nicht mehr in der Buchhaltung an.",
            HINDERS,
            "Wir richten den Scan-Ordner mit Ihrer IT neu ein",
            "Die Scans landen wieder im Ordner der Buchhaltung; mit Ihnen zusammen geprüft.",
            "Das Kennwort des Scan-Kontos war abgelaufen, und das Gerät meldet so etwas niemandem.",
        ),
        Trouble(
            "Der Etikettendrucker steht, im Lager geht gerade gar nichts raus.",
            STOPPED,
            "Wir bringen noch heute ein Ersatzgerät",
            "Ein Ersatzgerät steht im Lager, Ihre Vorlagen sind darauf.",
            "Der Druckkopf war defekt; im Lager liegt jetzt einer auf Vorrat.",
        ),
        Trouble(
            "Wir warten seit zwei Wochen auf Toner. Die Bestellung wurde angeblich ausgeliefert.",
            HINDERS,
            "Der Toner kommt mit Boten",
            "Der Toner ist da, und die Lieferadresse ist jetzt der Empfang statt der Rampe.",
            "Die Pakete wurden an der Rampe abgegeben und dort nicht zugeordnet.",
        ),
        Trouble(
            "Das Gerät am Empfang piept bei jedem Blatt, das macht uns wahnsinnig.",
            ANNOYING,
            "Wir schalten den Ton ab und schauen nach dem Grund",
            "Der Ton ist aus; die Klappe, die ihn auslöste, ist erneuert.",
            "Ein Sensor an der hinteren Klappe war verbogen.",
        ),
        Trouble(
            "Zollpapiere sind am Rand abgeschnitten, der Zoll nimmt sie so nicht an.",
            STOPPED,
            "Wir stellen die Ränder mit Ihnen zusammen ein",
            "Die Ränder stimmen; der Zoll hat den Probedruck angenommen.",
            "Der neue Treiber skalierte auf das amerikanische Papierformat.",
        ),
        Trouble(
            "Ihr Techniker war da, als niemand wusste, worum es ging, und ist unverrichteter Dinge gefahren.",
            ANNOYING,
            "Wir vereinbaren einen Termin mit Ihnen persönlich",
            "Der Besuch ist nachgeholt; Techniker rufen jetzt eine Stunde vorher bei Ihnen an.",
            "Der Auftrag nannte keinen Ansprechpartner.",
        ),
        Trouble(
            "Nach dem Update druckt der Kopierer nur noch einseitig.",
            ANNOYING,
            "Wir stellen den beidseitigen Druck wieder her",
            "Beidseitig ist wieder die Vorgabe, an allen drei Geräten.",
            "Das Update setzte die Vorgaben zurück.",
        ),
        Trouble(
            "Die Hotline sagt, unser Vertrag sei abgelaufen. Ist er nicht!",
            HINDERS,
            "Wir klären das mit der Vertragsabteilung",
            "Der Vertrag ist verlängert eingetragen; die Hotline sieht ihn.",
            "Die Verlängerung lag unterschrieben in einem Postfach, das niemand mehr las.",
        ),
    ),
    comments=(
        "Läuft alles. Nur die Anleitung könnte auf Deutsch sein.",
        "Die Wartung kam diesmal mitten in der Monatsabrechnung.",
    ),
    suggestions=(
        "Ein Aufkleber mit der Servicenummer direkt am Gerät wäre praktisch.",
        "Könnte man den Tonerstand auch am Rechner sehen?",
    ),
    praise=("Schnell, freundlich, erledigt. Danke!", "Der neue Drucker ist endlich leise."),
    answers=(
        "Vielen Dank für den Hinweis, ich kümmere mich darum und melde mich bei Ihnen.",
        "Danke, das freut uns sehr. Ich gebe es an den Kollegen weiter.",
    ),
    moved=("Das Ersatzteil ist beim Hersteller hängen geblieben und kommt zwei Tage später.",),
    not_yet=("Leider noch nicht, heute Morgen war es wieder genauso.",),
    solved=("Ja, läuft wieder. Danke!", "Erledigt, vielen Dank."),
    call_when=("vormittags", "ab 13 Uhr"),
    again="Es ist wieder da.",
    manager="Ich möchte bitte mit Ihrer Chefin sprechen.",
)
