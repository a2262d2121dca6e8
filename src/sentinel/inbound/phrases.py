"""Short answers in nine languages: what people write when they do not want to write much. Pure.

Every pattern is matched against one whole clause in lower case, without its punctuation.
"""

from __future__ import annotations

import re

_TAIL = (
    r"(?: (?:at all|so far|here|at the moment|right now|today|this (?:week|month|time)|for now|currently"
    r"|as of now|on my side|from my side|from us|for me|for us|either|to report|to complain about|to add"
    r"|thanks"
    r"|since then|since .{1,40}|with .{1,30}|zur ?zeit|im moment|momentan|derzeit|aktuell|bisher|hier"
    r"|von mir|von meiner seite|meinerseits|bei uns|bei mir|soweit|so weit|seitdem|seit .{1,40}|heute"
    r"|diesen monat|diesmal"
    r"|pour le moment|pour l'instant|actuellement|de mon côté|de notre côté|chez nous|ici|à signaler"
    r"|depuis .{1,30}|por ahora|de momento|por el momento|por mi parte|por aquí|aquí|que comunicar"
    r"|desde .{1,30}"
    r"|por enquanto|per ora|al momento|op dit moment|op het moment|na razie|obecnie|na razie)){0,4}"
)
_MORE = r"(?:,? (?:thanks|thank you|danke|merci|gracias))?"


def _clause(*alternatives: str, tail: bool = False) -> re.Pattern[str]:
    return re.compile("(?:" + "|".join(alternatives) + ")" + (_TAIL if tail else "") + _MORE)


#: What people put before or after a short answer without changing it.
FILLERS = re.compile(
    r"^(?:(?:im moment|momentan|zur ?zeit|derzeit|aktuell|bisher|leider|also|na ja|naja|aber|und"
    r"|pour le moment|pour l'instant|"
    r"actuellement|malheureusement|hélas|alors|de momento|por ahora|por el momento|desgraciadamente"
    r"|bueno|pues|currently|"
    r"at the moment|at present|so far|right now|for now|actually|unfortunately|sadly|well|oh|hm+|yeah"
    r"|haha)\b[ ,]{0,3}){1,5}"
)
KEEP_ON = re.compile(
    r"\bkeep (?:it |this )?(?:up|going)(?: the \w+(?: \w+)?)?\b|\bkeep up the \w+ \w+\b|\bweiter so\b"
)
NO = _clause(
    r"no+|nope|nah|none|no i (?:do not|don't|have not|haven't)|not really|not that i know(?: of)?"
    r"|nothing(?: (?:new|special|else|really))?|(?:i have |we have |there (?:is|are) )?(?:nothing|none)"
    r"|i don't",
    r"nein|nö|nee|ne|nichts(?: neues| besonderes)?|keine?|keines|nix",
    r"non|rien|(?:non )?rien(?: du tout| de spécial| de particulier)?|aucun|aucune|néant|pas du tout",
    r"nada|ningun[oa]|ninguna novedad|nada (?:nuevo|especial|que .{1,20})|no tengo(?: nada| ninguno)?",
    r"いいえ|いえ|特に(?:は)?(?:ありません|ございません|ないです|なし|無し|ない|問題ありません"
    r"|問題ない(?:です)?)|なし|無し|無いです|ないです|ありません|ございません"
    r"|いいえ特に(?:ありません|ないです)?",
    r"não|nenhum[a]?|niente|nulla|nessun[oa]?|geen|nie|brak|nic|nie ma|ні|нет|немає|hayır|nej|ingen|nei",
    tail=True,
)
#: A no that answers "is it solved?"; "nothing" or "none" would not.
PLAIN_NO = re.compile(
    r"no+|nope|nah|nein|nö|nee|non|いいえ|いえ|não|nie|nej|нет|ні|hayır|no i (?:do not|don't)"
)
#: What turns a sentence around.
BUT = re.compile(
    r"\b(?:but|however|though|although|except|only|still|unfortunately|until|aber|jedoch|allerdings"
    r"|außer|nur|leider"
    r"|trotzdem|noch|mais|sauf|cependant|pourtant|encore|hélas|malheureusement|pero|salvo|excepto"
    r"|aunque|todavía|aún"
    r"|lamentablemente)\b|[んいす]が|けど|けれど|ただ|でも|しかし"
)
PLEASE = re.compile(r"\bplease\b|\bbitte\b|s'il (?:vous|te) pla|\bpor favor\b|ください|下さい")
#: How a fine answer begins that speaks of everything, or denies a problem.
WHOLE = re.compile(
    r"(?:everything|all|nothing|no|none|alles|kein\w*|nichts|tout|pas de|aucun\w*|rien|ninguna?|sin"
    r"|tutto|tudo"
    r"|wszystko|nessun)\b|i (?:have|do)\b"
)
_PROBLEM = r"(?:problems?|issues?|complaints?|comments?|suggestions?|concerns?|troubles?|worries|remarks)"
_PROBLEME = (
    r"(?:probleme?|beschwerden?|anregung(?:en)?|hinweise?|wünsche|störung(?:en)?|beanstandung(?:en)?|klagen?)"
)
_PROBLEMES = r"(?:problèmes?|soucis?|remarques?|commentaires?|suggestions?|plaintes?)"
_PROBLEMAS = (
    r"(?:problemas?|queja[s]?|comentarios?|sugerencias?|incidencias?|novedad(?:es)?|reclama(?:ção|ções))"
)
FINE = _clause(
    r"(?:i have |we have |there (?:are|is|were|have been) )?(?:no|not any|zero|without)(?: (?:more"
    rf"|further|other|new))? {_PROBLEM}(?: (?:or|and|nor|,)? ?{_PROBLEM}){{0,2}}(?: (?:any ?more"
    r"|whatsoever))?",
    r"(?:yes |no )?(?:everything|all|it|that|things?)(?:'s| is| are|'re| seems?| looks?| works?| runs?"
    r"| has been| going){0,4} ?(?:all )?(?:very |just |really |quite |perfectly |absolutely )?(?:fine|ok|okay"
    r"|good|well|great|perfect|perfectly|smoothly|working|running|in order|alright"
    r"|all right)(?: as (?:usual|always))?(?: again| now)?",
    r"(?:very )?(?:fine|ok|okay|okey|k|good|all good|all well|all is well|all ok|all fine|perfect|alright"
    r"|all right|great|excellent|super|happy|i am happy|we are happy|i'm happy|satisfied|very satisfied"
    r"|i am satisfied|so far so good|works|it works|no worries|works fine)",
    r"(?:es gibt |ich habe |wir haben |habe |haben )?(?:keine?|keinerlei|ohne)(?: (?:weiteren?"
    rf"|neuen?))? {_PROBLEME}(?: (?:und|oder|,)? ?(?:keine )?{_PROBLEME}){{0,2}}(?: mehr)?",
    r"(?:es |soweit |derzeit |hier |bei uns |bei mir |momentan |zurzeit ){0,4}(?:ist |läuft |funktioniert "
    r"|klappt |passt ){0,4}(?:alles|soweit alles|alles soweit)(?: (?:ist|läuft|funktioniert|klappt|so ?weit"
    r"|wieder|sehr|ganz|bei uns|hier)){0,4} ?(?:gut|ok|okay|in ordnung|i\.? ?o|io|bestens|super|prima"
    r"|top|klar"
    r"|paletti|fein|perfekt|rund|wunderbar|einwandfrei|tutti|roger|läuft|passt)?",
    r"(?:gut|sehr gut|ok|passt|passt (?:alles|so|soweit)|läuft|prima|bestens|top|super|perfekt|in ordnung"
    r"|zufrieden|ich bin (?:sehr )?zufrieden|wir sind (?:sehr )?zufrieden|nichts zu (?:beanstanden|meckern"
    r"|klagen))",
    r"(?:je n'ai |nous n'avons |il n'y a |on n'a )?(?:pas de|aucune?|pas d'autre|sans|plus de"
    rf"|plus aucun)(?: autre)? {_PROBLEMES}(?: (?:ni|et|ou) {_PROBLEMES}){{0,2}}",
    r"(?:tout|ça|cela) (?:va|est|fonctionne|marche|roule|se passe)(?: (?:très|parfaitement|toujours|au"
    r"|plutôt)){0,4} ?(?:bien|ok|parfait|parfaitement|bon|nickel|mieux|en ordre|impeccable|super)?",
    r"tout (?:bon|ok|baigne|nickel)|ras|r\.a\.s|rien à signaler|nickel|parfait|très bien|bien|impeccable"
    r"|d'accord|(?:je suis |nous sommes )?(?:très )?satisfaits?|c'est (?:bon|parfait|très bien)",
    r"(?:no tengo |no hay |no tenemos |ya no hay )?(?:ningún|ninguna|sin|no hay|ya no hay"
    rf"|no tengo)(?: más)? {_PROBLEMAS}(?: (?:ni|y|o) {_PROBLEMAS}){{0,2}}",
    r"todo (?:va |está |esta |sigue |funciona |marcha |muy ){0,4}(?:bien|perfecto|correcto|en orden|ok|genial"
    r"|estupendo|perfectamente)|(?:muy )?bien|perfecto|de acuerdo|vale|(?:muy )?(?:contento|satisfecho)s?",
    r"(?:特に|今のところ|現在|現状)?(?:は)?(?:何も)?(?:問題|困りごと|困っていること|不具合|トラブル"
    r"|要望|異常)(?:は|も)?(?:特に)?(?:ありません|ございません"
    r"|ないです|なし|無し|ない|なく順調です)|大丈夫(?:です)?|順調(?:です)?|良好(?:です)?"
    r"|満足(?:しています|です)?|快適です|問題なく(?:使え|動い"
    r"|使用でき)て(?:い)?ます",
    r"tudo (?:bem|certo|ok|ótimo)|(?:sem|nenhum) problemas?|tutto (?:bene|ok|a posto|perfetto)"
    r"|nessun problema|alles (?:goed|prima|in orde)|geen problem(?:en|eem)|wszystko (?:w porządku|dobrze"
    r"|ok|gra)|(?:nie ma|brak|żadnych) problem(?:ów|u)|все добре|всё хорошо",
    tail=True,
)
THANKS = _clause(
    r"(?:(?:ok|okay|great|perfect|super|alright|noted|understood|and|well|oh)[ ,]*)?(?:(?:many|big|lots of"
    r"|kind|best) )?(?:thanks|thank you|thank u|thx|tks|ty|cheers|much appreciated|i appreciate it"
    r"|appreciated)(?: (?:you|a lot|so much|very much|again|all|everyone|team|in advance|for .{1,60}"
    r"|and .{1,30}|maria|mrs?\.? \w+)){0,4}",
    r"(?:(?:ok|okay|super|prima|alles klar|gut|na dann|und)[ ,]*)?(?:(?:vielen|herzlichen|besten|lieben"
    r"|schönen|tausend|recht) ){0,4}(?:dank|danke|dankeschön|danke schön|merci)(?: (?:schön|sehr|vielmals"
    r"|ihnen|dir|euch|im voraus|nochmals?|für .{1,60}|an .{1,30})){0,4}",
    r"(?:(?:ok|super|parfait|très bien|un grand|mille)[ ,]*)?(?:merci|mercis)(?: (?:beaucoup|bien"
    r"|infiniment|encore|à vous|à toute .{1,20}|d'avance|pour .{1,60}|bcp)){0,4}"
    r"|je vous remercie(?: .{1,60})?",
    r"(?:(?:ok|vale|muchas|muchísimas|mil|perfecto)[ ,]*)?(?:gracias)(?: (?:a (?:ti|usted|ustedes|todos)"
    r"|por .{1,60}|de antemano|de nuevo)){0,4}|se (?:lo )?agradezco",
    r"(?:どうも|本当に|ご対応|ご連絡|早速の(?:ご)?対応|迅速な(?:ご)?対応|お知らせ)?(?:いただき|頂き|を"
    r"|、){0,4}(?:まことに|誠に|どうも)?(?:ありがとう(?:ございます"
    r"|ございました)?|有難うございま(?:す|した)|感謝(?:します|いたします|申し上げます)|助かりました"
    r"|お疲れ様です|承知(?:しました|いたしました)|了解(?:です|しました)"
    r"|お世話になっております|よろしくお願い(?:いた)?します)",
    r"(?:muito )?obrigad[oa](?: .{1,30})?|(?:tante |mille )?grazie(?: mille| .{1,30})?"
    r"|(?:hartelijk )?(?:bedankt|dank u(?: wel)?|dank je(?: wel)?)|dzięki|dziękuję(?: bardzo)?"
    r"|tack(?: så mycket)?|дякую|спасибо|teşekkürler",
    r"you're welcome|gern(?:e)? geschehen|noted|understood|will do|alles klar|verstanden|bien reçu"
    r"|c'est noté|entendido|recibido|received",
)
GREETING = _clause(
    r"(?:hello|hi|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|moin"
    r"|servus|grüezi|grüß gott|liebe[r]?|sehr geehrte[r]?|bonjour|bonsoir|salut|chère?|madame|monsieur"
    r"|hola|buenos días|buenas(?: tardes)?|estimad[oa]|olá|bom dia|boa tarde|ciao|buongiorno|gentile|dag"
    r"|goedemorgen|dzień dobry|cześć|witam)(?: [\w.'-]{1,20}){0,4}",
    r"[\w ]{1,20}(?:様|さん)|こんにちは|お世話になっております|お疲れ様です",
)
YES = _clause(
    r"yes+|yep|yeah|yup|sure|indeed|absolutely|i do|yes i (?:do|have)|yes (?:please|there is|we do"
    r"|we have)|ja+|jawohl|jo|jap|jep|ja bitte|ja leider|doch|ja habe ich|oui|ouais|si|oui s'il vous plaît"
    r"|tout à fait|sí|sí por favor|claro|はい|ええ|sim|sì|tak|так|да|evet",
    r"affirmative|correct|richtig|genau|stimmt|exact|exactement|exacto|correcto|その通りです|そうです",
)
BAD = _clause(
    r"(?:yes )?(?:i|we)(?: do|'ve|'ve got)? ?(?:have|got)? (?:a |an |some |one |the same )?problems?"
    r"|there (?:is|are) (?:a |some )?problems?|(?:a )?problem|not (?:good|ok|okay|happy|well|satisfied"
    r"|fine)|no good|thanks for nothing|bad|terrible|unhappy|very bad|i am not (?:happy|satisfied)",
    r"danke für nichts|merci pour rien|gracias por nada",
    r"(?:ja )?(?:ich habe|wir haben|es gibt) (?:ein|mehrere|einige)? ?probleme?|problem|schlecht"
    r"|sehr schlecht|nicht gut|unzufrieden|mies|katastrophe",
    r"(?:oui )?(?:j'ai|nous avons|il y a) (?:un|des) problèmes?|problème|mal|pas bien|mauvais|pas content"
    r"|mécontent",
    r"(?:sí )?(?:tengo|tenemos|hay) (?:un |varios )?problemas?|problema|mal|muy mal|fatal|descontento"
    r"|tenho um problema|ho un problema|ik heb een probleem|mam problem",
    r"(?:少し|とても)?困って(?:い)?ます|問題(?:が)?あります|不満です|悪いです|困りごとがあります",
)
STOP = _clause(
    r"(?:please )?(?:stop|unsubscribe|unsubscribe me|remove me|opt[ -]?out|cancel|end|quit)(?: (?:me"
    r"|please|this|these (?:mails?|emails?|messages)|(?:the |this )?(?:e-?mails?|mails?|messages|list"
    r"|newsletter)|from (?:this|the|your) (?:mailing )?list|asking(?: me)?|sending(?: me)?(?: (?:these"
    r"|this|any))?(?: more)?(?: (?:e-?mails?|mails?|messages))?|writing(?: me| to me)?)){0,4}",
    r"(?:please )?(?:don't|do not) (?:ask|write|e-?mail|mail|contact|send)(?: (?:to )?me)?(?: (?:again"
    r"|any ?more|these|e-?mails?|mails)){0,4}|no more (?:e-?mails?|mails)(?: please)?|take me off (?:this|the"
    r"|your) list",
    r"(?:bitte )?(?:mich )?(?:abmelden|abbestellen|austragen|abmeldung|stopp|stop|löschen"
    r"|nicht mehr (?:fragen|schreiben|anschreiben|zusenden)|keine (?:weiteren )?(?:mails|e-mails"
    r"|nachrichten)(?: mehr)?)(?: bitte)?|bitte (?:mich )?(?:aus dem|von dem|vom) verteiler (?:nehmen"
    r"|löschen|streichen|entfernen)",
    r"(?:merci de (?:me )?|veuillez (?:me )?)?(?:désabonner|désabonnez-moi|désabonnement|désinscrire"
    r"|désinscrivez-moi|désinscription|arrêtez|arrêter|stop|ne plus recevoir(?: .{1,30})?"
    r"|ne m'écrivez plus|retirez-moi(?: de .{1,30})?)(?: s'il vous plaît)?",
    r"(?:por favor )?(?:baja|darme de baja|dar de baja|dadme de baja|deme de baja|quiero darme de baja"
    r"|cancelar(?: (?:la )?suscripción)?|no (?:me )?(?:escriban|envíen|manden)(?: más(?: .{1,20})?)?"
    r"|no quiero recibir más(?: .{1,20})?|stop)",
    r"配信(?:を)?(?:停止|解除)(?:して(?:ください|下さい)|希望|お願いします|希望です)?|停止|登録解除"
    r"|退会|今後の配信を停止する|送らないで(?:ください|下さい)",
    r"cancelar inscrição|descadastrar|sair|remover|cancella(?:mi|re)?|disiscriv(?:imi|ere)|uitschrijven"
    r"|afmelden|wypisz(?: mnie)?|rezygnuję|avregistrera",
)
HAPPY_SIGNS = re.compile(
    r"[🙂😀😃😄😁😊☺🥰😍😎👍👌🙌👏❤💚🎉✅✔😉🤗😇💪🆗]|[:;=]-?[)D\]]|\(:|\^_?\^|<3|\(\^_\^\)"
)
SAD_SIGNS = re.compile(
    r"[☹🙁😞😟😠😡🤬😢😭😤😩😫😖😣👎💔😒😕🤮😾❌]|[:;=]['’]?-?[(\[/|]|\):|>:\(|>_<|\(>_<\)|T_T"
)
PRAISE = re.compile(
    r"\b(?:great|excellent|fantastic|wonderful|amazing|awesome|brilliant|superb|outstanding|friendly"
    r"|helpful|impressed|love|loves|well done|good (?:job|work|service)|great (?:job|work|service)"
    r"|very (?:happy|satisfied|pleased|good|fast|quick)|quick(?:ly)? (?:help|response|fix)|keep (?:it )?up"
    r"|delighted|perfect(?:ly)?|best|appreciate|kind|professional|compliments?|kudos|happy with"
    r"|satisfied with|pleased)\b"
    r"|\b(?:super|toll\w*|klasse|spitze|ausgezeichnet\w*|hervorragend\w*|freundlich\w*|hilfsbereit\w*"
    r"|begeistert|sehr (?:zufrieden|gut|schnell|nett)|großartig\w*|perfekt\w*|bestens|lob|einwandfrei|top"
    r"|wunderbar|weiter so|kompetent\w*)\b"
    r"|\b(?:excellent\w*|formidable\w*|parfait\w*|génial\w*|super|bravo|très (?:satisfait\w*|bien"
    r"|content\w*|rapide\w*|aimable\w*)|ravi\w*|impeccable\w*|sympathique\w*|félicitations|efficace\w*"
    r"|merveilleu\w*)\b"
    r"|\b(?:excelente\w*|genial\w*|fantástic\w*|estupend\w*|perfect\w*|muy (?:content\w*|satisfech\w*|bien"
    r"|bueno|buena|rápid\w*|amable\w*)|encantad\w*|felicidades|enhorabuena|maravillos\w*|ótim\w*|ottim\w*"
    r"|eccellent\w*|uitstekend\w*|fantastisch\w*|świetn\w*|doskonał\w*)\b"
    r"|素晴らしい|すばらしい|とても(?:良い|よい|満足|助かっ)|大変(?:満足|助かっ|良い)|最高|感謝して"
    r"|丁寧|親切|迅速な(?:ご)?対応(?:で)?",
)
#: What takes praise back, on top of the doubting words: a wish, a question, something that does not work.
TROUBLE = re.compile(
    r"\b(?:broken|leak\w*|jam\w*|stuck|error\w*|fault\w*|fail\w*|slow\w*|noisy|dirty|missing|late|delay\w*"
    r"|wrong|problem\w*|issue\w*|complain\w*|except|only|however|although|though|could you|can you"
    r"|would like|we need|i need|please|wish|should|too|cold|hot|unfortunately|without|waiting|worse|bad)\b"
    r"|\b(?:kaputt\w*|defekt\w*|fehl\w*|stau\w*|klemm\w*|langsam\w*|laut\w*|schmutzig\w*|spät\w*|falsch\w*"
    r"|problem\w*|störung\w*|außer|nur|allerdings|obwohl|könnten?|können sie|bitte|wünsch\w*|sollte\w*"
    r"|brauch\w*|zu (?:kalt|warm|laut|langsam)|schade|wäre)\b"
    r"|\b(?:cassé\w*|panne\w*|bloqu\w*|erreur\w*|lent\w*|manqu\w*|retard\w*|problème\w*|souci\w*|sauf"
    r"|seulement|cependant|pourriez|pouvez|s'il vous plaît|voudr\w*|besoin|trop|dommage|serait)\b"
    r"|\b(?:rot[oa]s?|averi\w*|atasc\w*|error\w*|lent[oa]s?|falta\w*|tarde|retras\w*|problema\w*|salvo"
    r"|excepto|solo|sin embargo|aunque|podrían|pueden|por favor|necesit\w*|quisier\w*|demasiado|lástima)\b"
    r"|壊れ|故障|詰ま|遅い|遅れ|エラー|不具合|ください|下さい|お願い|いただけ|希望|欲しい|ほしい|が、"
    r"|けど|ただ|寒|暑|うるさい|汚|困|できま|\?|？"
)
