"""Sentences of our own outside English, with a change that breaks what they say.

The rules were looked at on every second pair, from the first on; the others were never looked at singly.
"""

# ruff: noqa: RUF001
from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

BROKEN: Pairs = {
    "de": pairs(
        """
Alle Kinder haben das Buch gelesen. => Einige Kinder haben das Buch gelesen.
Jeder Gast bekommt einen Schlüssel. => Manche Gäste bekommen einen Schlüssel.
Nicht alle Metalle sind magnetisch. => Alle Metalle sind magnetisch.
Die meisten Leute im Dorf haben ein Auto. => Alle Leute im Dorf haben ein Auto.
Er schließt die Tür immer ab. => Er schließt die Tür manchmal ab.
Der Bus kommt oft zu spät. => Der Bus kommt selten zu spät.
Sie vergisst ihre Schlüssel nie. => Sie vergisst ihre Schlüssel manchmal.
Besucher müssen einen Helm tragen. => Besucher dürfen einen Helm tragen.
Sie können hier parken. => Sie müssen hier parken.
Nur Mitglieder haben Zutritt. => Mitglieder haben Zutritt.
Das Paket wiegt mindestens 5 kg. => Das Paket wiegt höchstens 5 kg.
Waschen Sie den Reis, bevor Sie ihn kochen. => Waschen Sie den Reis, nachdem Sie ihn kochen.
Der Laden ist am Sonntag geöffnet. => Der Laden ist am Sonntag nicht geöffnet.
Niemand hat die Prüfung bestanden. => Jemand hat die Prüfung bestanden.
Wir haben kein Brot mehr im Haus. => Wir haben Brot im Haus.
Nehmen Sie die Tablette, wenn Sie Fieber haben. => Nehmen Sie die Tablette, es sei denn, Sie haben Fieber.
"""
    ),
    "fr": pairs(
        """
Tous les enfants ont lu le livre. => Certains enfants ont lu le livre.
Chaque invité reçoit une clé. => Quelques invités reçoivent une clé.
Tous les métaux sont magnétiques. => Aucun métal n'est magnétique.
La plupart des gens du village ont une voiture. => Tous les gens du village ont une voiture.
Il ferme toujours la porte à clé. => Il ferme parfois la porte à clé.
Le bus est souvent en retard. => Le bus est rarement en retard.
Elle n'oublie jamais ses clés. => Elle oublie parfois ses clés.
Les visiteurs doivent porter un casque. => Les visiteurs peuvent porter un casque.
Vous pouvez stationner ici. => Vous devez stationner ici.
Seuls les membres ont accès à la salle. => Les membres ont accès à la salle.
Le colis pèse au moins 5 kg. => Le colis pèse au plus 5 kg.
Lavez le riz avant de le cuire. => Lavez le riz après l'avoir cuit.
Le magasin est ouvert le dimanche. => Le magasin n'est pas ouvert le dimanche.
Personne n'a réussi l'examen. => Quelqu'un a réussi l'examen.
Nous n'avons plus de pain à la maison. => Nous avons du pain à la maison.
Prenez le comprimé si vous avez de la fièvre. => Prenez le comprimé sauf si vous avez de la fièvre.
"""
    ),
    "es": pairs(
        """
Todos los niños han leído el libro. => Algunos niños han leído el libro.
Cada invitado recibe una llave. => Algunos invitados reciben una llave.
No todos los metales son magnéticos. => Todos los metales son magnéticos.
La mayoría de la gente del pueblo tiene coche. => Toda la gente del pueblo tiene coche.
Él siempre cierra la puerta con llave. => Él a veces cierra la puerta con llave.
El autobús llega tarde a menudo. => El autobús rara vez llega tarde.
Ella nunca olvida sus llaves. => Ella a veces olvida sus llaves.
Los visitantes deben llevar casco. => Los visitantes pueden llevar casco.
Usted puede aparcar aquí. => Usted tiene que aparcar aquí.
Solo los socios tienen acceso a la sala. => Los socios tienen acceso a la sala.
El paquete pesa al menos 5 kg. => El paquete pesa como máximo 5 kg.
Lave el arroz antes de cocinarlo. => Lave el arroz después de cocinarlo.
La tienda está abierta los domingos. => La tienda no está abierta los domingos.
Nadie aprobó el examen. => Alguien aprobó el examen.
Ya no tenemos pan en casa. => Ya tenemos pan en casa.
Tome la pastilla si tiene fiebre. => Tome la pastilla a menos que tenga fiebre.
"""
    ),
    "it": pairs(
        """
Tutti i bambini hanno letto il libro. => Alcuni bambini hanno letto il libro.
Ogni ospite riceve una chiave. => Qualche ospite riceve una chiave.
Non tutti i metalli sono magnetici. => Tutti i metalli sono magnetici.
La maggior parte della gente del paese ha la macchina. => Tutta la gente del paese ha la macchina.
Lui chiude sempre la porta a chiave. => Lui chiude a volte la porta a chiave.
L'autobus è spesso in ritardo. => L'autobus è raramente in ritardo.
Lei non dimentica mai le chiavi. => Lei dimentica a volte le chiavi.
I visitatori devono portare il casco. => I visitatori possono portare il casco.
Lei può parcheggiare qui. => Lei deve parcheggiare qui.
Solo i soci hanno accesso alla sala. => I soci hanno accesso alla sala.
Il pacco pesa almeno 5 kg. => Il pacco pesa al massimo 5 kg.
Lavate il riso prima di cuocerlo. => Lavate il riso dopo averlo cotto.
Il negozio è aperto la domenica. => Il negozio non è aperto la domenica.
Nessuno ha superato l'esame. => Qualcuno ha superato l'esame.
Non abbiamo più pane in casa. => Abbiamo pane in casa.
Prenda la compressa se ha la febbre. => Prenda la compressa a meno che non abbia la febbre.
"""
    ),
    "pt": pairs(
        """
Todas as crianças leram o livro. => Algumas crianças leram o livro.
Cada convidado recebe uma chave. => Alguns convidados recebem uma chave.
Nem todos os metais são magnéticos. => Todos os metais são magnéticos.
A maioria das pessoas da vila tem carro. => Todas as pessoas da vila têm carro.
Ele sempre fecha a porta com chave. => Ele às vezes fecha a porta com chave.
O ônibus chega atrasado frequentemente. => O ônibus chega atrasado raramente.
Ela nunca esquece as chaves. => Ela às vezes esquece as chaves.
Os visitantes devem usar capacete. => Os visitantes podem usar capacete.
Você pode estacionar aqui. => Você tem que estacionar aqui.
Só os sócios têm acesso à sala. => Os sócios têm acesso à sala.
O pacote pesa pelo menos 5 kg. => O pacote pesa no máximo 5 kg.
Lave o arroz antes de cozinhar. => Lave o arroz depois de cozinhar.
A loja está aberta aos domingos. => A loja não está aberta aos domingos.
Ninguém passou no exame. => Alguém passou no exame.
Não temos mais pão em casa. => Temos pão em casa.
Tome o comprimido se tiver febre. => Tome o comprimido a menos que tenha febre.
"""
    ),
    "nl": pairs(
        """
Alle kinderen hebben het boek gelezen. => Sommige kinderen hebben het boek gelezen.
Elke gast krijgt een sleutel. => Enkele gasten krijgen een sleutel.
Niet alle metalen zijn magnetisch. => Alle metalen zijn magnetisch.
De meeste mensen in het dorp hebben een auto. => Alle mensen in het dorp hebben een auto.
Hij doet de deur altijd op slot. => Hij doet de deur soms op slot.
De bus is vaak te laat. => De bus is zelden te laat.
Zij vergeet haar sleutels nooit. => Zij vergeet haar sleutels soms.
Bezoekers moeten een helm dragen. => Bezoekers mogen een helm dragen.
U kunt hier parkeren. => U moet hier parkeren.
Alleen leden hebben toegang tot de zaal. => Leden hebben toegang tot de zaal.
Het pakket weegt minstens 5 kg. => Het pakket weegt hoogstens 5 kg.
Was de rijst voordat u hem kookt. => Was de rijst nadat u hem kookt.
De winkel is op zondag open. => De winkel is op zondag niet open.
Niemand heeft het examen gehaald. => Iemand heeft het examen gehaald.
Wij hebben geen brood meer in huis. => Wij hebben brood in huis.
Neem de tablet als u koorts hebt. => Neem de tablet tenzij u koorts hebt.
"""
    ),
    "ru": pairs(
        """
Все дети прочитали эту книгу. => Некоторые дети прочитали эту книгу.
Каждый гость получает ключ. => Некоторые гости получают ключ.
Не все металлы магнитные. => Все металлы магнитные.
Большинство людей в деревне имеют машину. => Все люди в деревне имеют машину.
Он всегда закрывает дверь на ключ. => Он иногда закрывает дверь на ключ.
Автобус часто опаздывает. => Автобус редко опаздывает.
Она никогда не забывает ключи. => Она иногда забывает ключи.
Посетители должны носить каску. => Посетители могут носить каску.
Здесь можно парковаться. => Здесь нужно парковаться.
Только члены клуба имеют доступ в зал. => Члены клуба имеют доступ в зал.
Посылка весит не менее 5 кг. => Посылка весит не более 5 кг.
Промойте рис перед варкой. => Промойте рис после варки.
Магазин открыт в воскресенье. => Магазин не открыт в воскресенье.
Никто не сдал экзамен. => Кто-то сдал экзамен.
У нас нет хлеба дома. => У нас есть хлеб дома.
Обе двери закрыты на ключ. => Ни одна дверь не закрыта на ключ.
"""
    ),
    "zh": pairs(
        """
所有的孩子都读过这本书。 => 有些孩子读过这本书。
每位客人都会得到一把钥匙。 => 一些客人会得到一把钥匙。
并非所有金属都有磁性。 => 所有金属都有磁性。
村里大多数人有汽车。 => 村里所有人都有汽车。
他总是把门锁上。 => 他有时把门锁上。
公共汽车经常晚点。 => 公共汽车很少晚点。
她从不忘记钥匙。 => 她有时忘记钥匙。
参观者必须戴安全帽。 => 参观者可以戴安全帽。
您可以在这里停车。 => 您必须在这里停车。
只有会员可以进入大厅。 => 会员可以进入大厅。
包裹至少重5公斤。 => 包裹最多重5公斤。
煮饭之前先洗米。 => 煮饭之后先洗米。
商店星期天营业。 => 商店星期天不营业。
没有人通过考试。 => 有人通过考试。
家里没有面包了。 => 家里有面包。
如果发烧就吃药。 => 除非发烧就吃药。
"""
    ),
    "ja": pairs(
        """
すべての子供がこの本を読みました。 => 一部の子供がこの本を読みました。
全員が鍵を受け取ります。 => 何人かが鍵を受け取ります。
すべての金属が磁性を持つわけではありません。 => すべての金属が磁性を持ちます。
村のほとんどの人が車を持っています。 => 村のすべての人が車を持っています。
彼はいつもドアに鍵をかけます。 => 彼は時々ドアに鍵をかけます。
バスはよく遅れます。 => バスはめったに遅れません。
彼女は決して鍵を忘れません。 => 彼女は時々鍵を忘れます。
見学者はヘルメットをかぶらなければなりません。 => 見学者はヘルメットをかぶってもいいです。
ここに駐車してもいいです。 => ここに駐車しなければなりません。
会員だけが入場できます。 => 会員が入場できます。
荷物は少なくとも5キロあります。 => 荷物は多くとも5キロあります。
食べる前に手を洗います。 => 食べた後に手を洗います。
この店は日曜日に開いています。 => この店は日曜日に開いていません。
誰も試験に合格しませんでした。 => 誰かが試験に合格しました。
家にパンがありません。 => 家にパンがあります。
熱がある場合は薬を飲んでください。 => 熱がない限り薬を飲んでください。
"""
    ),
}
