"""Sentences of our own outside English, with a change that keeps what they say.

The rules were looked at on every second pair, from the first on; the others were never looked at singly.
"""

# ruff: noqa: RUF001
from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

KEPT: Pairs = {
    "de": pairs(
        """
Alle Kinder haben das Buch gelesen. => Jedes Kind hat das Buch gelesen.
Besucher müssen einen Helm tragen. => Besucher sind verpflichtet, einen Helm zu tragen.
Er geht oft zu Fuß zur Arbeit. => Er geht häufig zu Fuß zur Arbeit.
Nur Mitglieder haben Zutritt. => Ausschließlich Mitglieder haben Zutritt.
Der Laden ist nicht offen. => Der Laden ist nicht geöffnet.
Das Paket wiegt mindestens 5 kg. => Das Paket wiegt wenigstens 5 kg.
Er arbeitet immer noch in Berlin. => Er arbeitet noch immer in Berlin.
Man darf hier parken. => Hier kann man parken.
"""
    ),
    "fr": pairs(
        """
Tous les enfants ont lu le livre. => Chaque enfant a lu le livre.
Les visiteurs doivent porter un casque. => Il faut que les visiteurs portent un casque.
Il va souvent au travail à pied. => Il va fréquemment au travail à pied.
Il mange seulement des fruits. => Il ne mange que des fruits.
Le magasin n'est pas ouvert. => Le magasin n'est point ouvert.
Le colis pèse au moins 5 kg. => Le colis pèse au minimum 5 kg.
Tout à coup, la porte s'est ouverte. => Soudain, la porte s'est ouverte.
On peut stationner ici. => Il est permis de stationner ici.
"""
    ),
    "es": pairs(
        """
Todos los niños han leído el libro. => Cada niño ha leído el libro.
Los visitantes deben llevar casco. => Los visitantes tienen que llevar casco.
Va a menudo al trabajo a pie. => Va con frecuencia al trabajo a pie.
Solo come fruta fresca. => Únicamente come fruta fresca.
No vino nadie a la fiesta. => Nadie vino a la fiesta.
El paquete pesa al menos 5 kg. => El paquete pesa por lo menos 5 kg.
Ella vive sola en la ciudad. => En la ciudad ella vive sola.
Se puede aparcar aquí. => Está permitido aparcar aquí.
"""
    ),
    "it": pairs(
        """
Tutti i bambini hanno letto il libro. => Ogni bambino ha letto il libro.
I visitatori devono portare il casco. => È obbligatorio per i visitatori portare il casco.
Va spesso al lavoro a piedi. => Va frequentemente al lavoro a piedi.
Mangia solo frutta fresca. => Mangia soltanto frutta fresca.
Non è venuto nessuno alla festa. => Nessuno è venuto alla festa.
Il pacco pesa almeno 5 kg. => Il pacco pesa come minimo 5 kg.
Ogni tanto piove in estate. => A volte piove in estate.
Si può parcheggiare qui. => È permesso parcheggiare qui.
"""
    ),
    "pt": pairs(
        """
Todas as crianças leram o livro. => Cada criança leu o livro.
Os visitantes devem usar capacete. => Os visitantes têm que usar capacete.
Ele vai frequentemente a pé para o trabalho. => Ele vai muitas vezes a pé para o trabalho.
Ela come só frutas frescas. => Ela come apenas frutas frescas.
Ninguém veio à festa. => Não veio ninguém à festa.
O pacote pesa pelo menos 5 kg. => O pacote pesa no mínimo 5 kg.
Muito obrigado pela ajuda de ontem. => Obrigado pela ajuda de ontem.
Pode-se estacionar aqui. => É permitido estacionar aqui.
"""
    ),
    "nl": pairs(
        """
Alle kinderen hebben het boek gelezen. => Elk kind heeft het boek gelezen.
Bezoekers moeten een helm dragen. => Bezoekers zijn verplicht een helm te dragen.
Hij gaat vaak te voet naar het werk. => Hij gaat regelmatig te voet naar het werk.
Alleen leden hebben toegang. => Uitsluitend leden hebben toegang.
De winkel is niet open. => De winkel is niet geopend.
Het pakket weegt minstens 5 kg. => Het pakket weegt ten minste 5 kg.
Hij woont nog steeds in Gent. => Hij woont nog altijd in Gent.
Men mag hier parkeren. => Het is toegestaan hier te parkeren.
"""
    ),
    "ru": pairs(
        """
Все дети прочитали эту книгу. => Каждый ребёнок прочитал эту книгу.
Посетители должны носить каску. => Посетители обязаны носить каску.
Обычно он ходит на работу пешком. => Как правило, он ходит на работу пешком.
Только члены клуба имеют доступ. => Лишь члены клуба имеют доступ.
Никто не пришёл на праздник. => На праздник никто не пришёл.
Посылка весит не менее 5 кг. => Посылка весит как минимум 5 кг.
Здесь можно парковаться. => Парковаться здесь разрешено.
Она любит всех своих учеников. => Всех своих учеников она любит.
"""
    ),
    "zh": pairs(
        """
所有的孩子都读过这本书。 => 每个孩子都读过这本书。
参观者必须戴安全帽。 => 参观者务必戴安全帽。
他经常走路上班。 => 他常常走路上班。
这种药只能口服。 => 这种药仅能口服。
商店不营业。 => 商店没有营业。
包裹至少重5公斤。 => 包裹起码重5公斤。
成都是一座大都市。 => 成都是一座大城市。
您可以在这里停车。 => 这里允许停车。
"""
    ),
    "ja": pairs(
        """
すべての子供がこの本を読みました。 => 子供は全員この本を読みました。
見学者はヘルメットをかぶらなければなりません。 => 見学者はヘルメットをかぶる必要があります。
彼はよく歩いて通勤します。 => 彼は頻繁に歩いて通勤します。
会員だけが入場できます。 => 会員しか入場できません。
家にパンがありません。 => 家にはパンがない。
荷物は少なくとも5キロあります。 => 荷物は最低5キロあります。
ここに駐車してもいいです。 => ここに駐車することができます。
彼女は静かな部屋で本を読みました。 => 静かな部屋で彼女は本を読みました。
"""
    ),
}
