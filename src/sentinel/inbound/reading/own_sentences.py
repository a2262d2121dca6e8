"""What our mails to workers always say, in the languages they are written in. A test holds it to them."""

from __future__ import annotations

#: Long enough that nobody but us writes them: one such line proves that what stands around it is ours.
SENTENCES = """\
One click is enough. A person reads every answer.
Do you have any problem, comment or suggestion for us?
Or simply reply to this e-mail. If something is wrong, a person will call you back.
Change how often we ask, or the language
Only your answer closes it. Until then we keep it open.
See your problem, or add to it
Or simply reply to this e-mail. Nothing is closed before you say that it is solved.
You need not write what is wrong: we will ask you.
Another number or a better time? Tell me here
If that date has to move, you will hear it from me first, with the reason.
Only your answer closes it. If it is not solved, we go on.
We believe that it works again. Does it, for you? One click is enough.
We have not heard from you yet. Without your answer it stays open with us.
We ask once more, because we do not want to call solved what is not solved for you.
If that is right, there is nothing to do. If not, tell us here, and we go on at once
Thank you for telling us that it is not solved.
Ein Klick genügt. Jede Antwort liest ein Mensch.
Haben Sie ein Problem, einen Hinweis oder eine Anregung für uns?
Oder antworten Sie einfach auf diese E-Mail. Wenn etwas nicht stimmt, ruft ein Mensch Sie zurück.
Häufigkeit oder Sprache ändern
Erst Ihre Antwort schließt es ab. Bis dahin bleibt es bei uns offen.
Oder antworten Sie einfach auf diese E-Mail. Nichts wird abgeschlossen, bevor Sie sagen, dass es gelöst \
ist.
Sie müssen nicht aufschreiben, was nicht stimmt: Wir fragen Sie danach.
Andere Nummer oder bessere Zeit? Sagen Sie es mir hier
Sollte sich der Termin verschieben, erfahren Sie es zuerst von mir, mit dem Grund.
Erst Ihre Antwort schließt es ab. Ist es nicht gelöst, machen wir weiter.
Wir glauben, dass es wieder geht. Auch bei Ihnen? Ein Klick genügt.
Wir haben noch nichts von Ihnen gehört. Ohne Ihre Antwort bleibt es bei uns offen.
Wir fragen noch einmal, weil wir nichts gelöst nennen wollen, was für Sie nicht gelöst ist.
Wenn das stimmt, brauchen Sie nichts zu tun. Wenn nicht, sagen Sie es uns hier, und wir machen sofort \
weiter
Danke, dass Sie uns sagen, dass es noch nicht gelöst ist.
Un clic suffit. Chaque réponse est lue par une personne.
Avez-vous un problème, une remarque ou une suggestion à nous signaler ?
Ou répondez simplement à ce message. Si quelque chose ne va pas, une vraie personne vous rappellera.
Changer la fréquence ou la langue
Seule votre réponse permet de clore le sujet. D’ici là, il reste ouvert chez nous.
Suivre votre problème ou ajouter une précision
Ou répondez simplement à ce message. Rien n’est clos tant que vous n’avez pas dit que c’est résolu.
Inutile d’écrire ce qui ne va pas : nous vous le demanderons.
Un autre numéro, un meilleur moment ? Dites-le-moi ici
Si cette date devait changer, je vous en préviendrai d’abord, en vous disant pourquoi.
Seule votre réponse permet de clore le sujet. Si ce n’est pas résolu, nous continuons.
Nous pensons que tout fonctionne à nouveau. Est-ce le cas pour vous ? Un clic suffit.
Nous n’avons pas encore eu de vos nouvelles. Sans votre réponse, le sujet reste ouvert chez nous.
Nous vous posons la question encore une fois, car nous ne voulons pas dire résolu ce qui ne l’est pas \
pour vous.
Si c’est exact, vous n’avez rien à faire. Sinon, dites-le-nous ici et nous reprenons aussitôt
Merci de nous avoir dit que ce n’est pas résolu.
Basta un clic. Una persona lee cada respuesta.
¿Tiene algún problema, comentario o sugerencia para nosotros?
O simplemente responda a este correo. Si algo va mal, le llamará una persona.
Cambiar la frecuencia o el idioma
Solo su respuesta lo da por cerrado. Hasta entonces, para nosotros sigue abierto.
O simplemente responda a este correo. Nada se da por cerrado hasta que usted diga que está resuelto.
No hace falta que escriba qué ocurre: se lo preguntaremos.
¿Otro número o un momento mejor? Dígamelo aquí
Si hubiera que cambiar la fecha, se lo diré yo primero, con el motivo.
Solo su respuesta lo da por cerrado. Si no está resuelto, seguimos con ello.
Creemos que vuelve a funcionar. ¿También para usted? Basta un clic.
Aún no hemos tenido noticias suyas. Sin su respuesta, para nosotros sigue abierto.
Preguntamos una vez más, porque no queremos dar por resuelto lo que para usted no lo está.
Si es así, no tiene que hacer nada. Si no, díganoslo aquí y seguimos de inmediato
ワンクリックで結構です。すべてのご回答に担当者が目を通します。
お困りのこと、お気づきの点、ご要望などはございませんか。
このメールにそのままご返信いただいても結構です。お困りの際は、担当者よりお電話いたします。
お客様のご回答をもって、はじめて完了といたします。それまでは対応中のままといたします。
このメールにそのままご返信いただいても結構です。お客様に「解決した」とおっしゃっていただくまで、\
完了とはいたしません。
詳しくお書きいただかなくても大丈夫です。こちらからお伺いいたします。
期日を変更する場合は、必ず事前に理由を添えてご連絡いたします。
お客様のご回答をもって、はじめて完了といたします。解決していない場合は、引き続き対応いたします。
こちらでは解決したものと考えておりますが、いかがでしょうか。ワンクリックでお答えいただけます。
まだお返事をいただいておりません。ご回答をいただくまで、対応中のままといたします。
お客様にとって解決していないものを「解決」とはしたくありませんので、もう一度お尋ねいたします。
お困りの件は解決済みとのことですが、お間違いないでしょうか。
その通りでしたら、何もしていただく必要はございません。そうでない場合はこちらからお知らせください。\
すぐに対応を再開いたします。
まだ解決していないとお知らせいただき、ありがとうございます。
"""
#: Short lines of ours. A worker may write them too: they prove nothing unless beside something of ours.
LABELS = """\
All is well
I have a problem
Kind regards
Stop asking me
Is your problem solved?
Yes, it is solved
No, not yet
I tried to call you.
You told us
Is it solved?
Your problem is solved. Is that right?
No, it is not solved
Alles in Ordnung
Ich habe ein Problem
Freundliche Grüße
Nicht mehr fragen
Ist Ihr Problem gelöst?
Ja, es ist gelöst
Nein, noch nicht
Stand ansehen oder etwas ergänzen
Ich habe versucht, Sie anzurufen.
Ihre Meldung
Ist es gelöst?
Ihr Problem ist gelöst. Stimmt das?
Nein, es ist nicht gelöst
Tout va bien
J’ai un problème
Bien cordialement
Ne plus recevoir cette question
Votre problème est-il résolu ?
Oui, c’est résolu
Non, pas encore
J’ai essayé de vous appeler.
Vous nous aviez signalé
Est-ce résolu ?
Votre problème est résolu. Est-ce exact ?
Non, ce n’est pas résolu
Todo va bien
Tengo un problema
Un cordial saludo
No quiero recibir más preguntas
¿Se ha resuelto su problema?
Sí, está resuelto
No, todavía no
Ver su problema o añadir algo
He intentado llamarle.
Usted nos comunicó
¿Está resuelto?
Su problema está resuelto. ¿Es así?
No, no está resuelto
Gracias por decirnos que no está resuelto.
問題ありません
困っています
どうぞよろしくお願いいたします。
頻度・言語を変更する
今後の配信を停止する
お困りの件は解決しましたか。
はい、解決しました
いいえ、まだです
状況を確認する・追記する
お電話を差し上げました。
別の電話番号・ご都合のよい時間を知らせる
いただいたご連絡
解決しましたか。
いいえ、解決していません
"""
