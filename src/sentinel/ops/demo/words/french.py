"""French, in Québec."""

from sentinel.ops.demo.words.phrases import ANNOYING, HINDERS, STOPPED, Phrases, Trouble

FRENCH = Phrases(
    troubles=(
        Trouble(
            "L’imprimante de l’accueil se bloque plusieurs fois par matinée. Les patients attendent debout.",
            HINDERS,
            "Un technicien remplace les rouleaux d’entraînement",
            "Les rouleaux sont remplacés; 400 pages imprimées sans blocage.",
            "Les rouleaux étaient usés et l’alerte de maintenance n’était reçue par personne.",
        ),
        Trouble(
            "Impossible de numériser vers le dossier des archives depuis lundi.",
            HINDERS,
            "Nous rétablissons l’accès avec votre équipe informatique",
            "La numérisation arrive de nouveau dans le dossier; essai fait avec vous.",
            "Le serveur des archives a changé de nom et l’appareil gardait l’ancien.",
        ),
        Trouble(
            "L’imprimante d’étiquettes de la pharmacie ne sort plus rien. Nous écrivons tout à la main.",
            STOPPED,
            "Un appareil de remplacement arrive aujourd’hui",
            "Un appareil de remplacement est en place, avec vos modèles d’étiquettes.",
            "La tête d’impression était hors d’usage.",
        ),
        Trouble(
            "Le toner livré n’est pas le bon, c’est la deuxième fois.",
            HINDERS,
            "Le bon toner part aujourd’hui",
            "Le bon toner est livré et le numéro d’article corrigé dans votre fiche.",
            "Votre fiche portait encore le numéro de l’ancien modèle.",
        ),
        Trouble(
            "Le message d’erreur est en anglais et personne de l’équipe de nuit ne le comprend.",
            ANNOYING,
            "Nous passons l’affichage en français",
            "L’affichage est en français sur les cinq appareils.",
            "La langue revenait à l’anglais après chaque mise à jour.",
        ),
        Trouble(
            "La facturation nous compte des copies couleur que nous n’avons jamais faites.",
            ANNOYING,
            "Nous vérifions les compteurs et corrigeons la facture",
            "La facture est corrigée et le compteur remplacé.",
            "Deux numéros de série avaient été intervertis à l’installation.",
        ),
    ),
    comments=("Tout va bien, merci. Le bac du bas ferme mal.",),
    suggestions=("Une affiche en français avec le numéro du service aiderait l’équipe de nuit.",),
    praise=("Technicien très aimable et efficace, merci!", "Enfin une imprimante silencieuse."),
    answers=(
        "Merci beaucoup de nous l’avoir dit. Je m’en occupe et je vous tiens au courant.",
        "Merci, je transmets vos bons mots à toute l’équipe.",
    ),
    moved=("La pièce est retenue à la douane et arrive deux jours plus tard que prévu.",),
    not_yet=("Pas encore, le blocage est revenu ce matin.",),
    solved=("Oui, c’est réglé, merci!", "Réglé."),
    call_when=("le matin", "après 13 h"),
    again="Le problème est revenu.",
    manager="J’aimerais parler à la personne responsable, s’il vous plaît.",
)
