"""All and some, always and never, must and may, before and after, only: in the words of nine languages.

One family a paragraph, its values behind `/` in the order of `scope_abroad.READ`; what must be
read first stands before what it holds.
"""

# ruff: noqa: RUF001
from __future__ import annotations

TABLES = {
    "de": r"""
how many: nicht (?:alle[rsnm]?|jede[rsnm]?|alles)|längst nicht alle /
  kein\w{0,3}|niemand\w{0,2}|nichts|nirgends / (?:die )?meisten|mehrheit|fast alle[rsnm]?|größtenteils /
  alle[rsnm]?|jede[rsnm]?|alles|sämtliche\w?|jedermann|überall|ausnahmslos /
  einige[rsnm]?|manche[rsnm]?|mehrere[rn]?|ein paar|etliche\w?|jemand\w{0,2}|teilweise|zum Teil
how often: nicht immer / selten|kaum je|fast nie / nie|niemals /
  (?<!noch )immer(?! noch| wieder| mehr|\s\w+er\b)|stets|jederzeit|jedes mal|ständig /
  meist|meistens|meistenteils|gewöhnlich|normalerweise|in der regel|oft|häufig|üblicherweise|regelmäßig /
  manchmal|gelegentlich|ab und zu|hin und wieder|bisweilen|mitunter
how surely: verboten|untersagt / soll\w{0,5}|empfohlen /
  muss|muß|musst|müssen|müsst|musste\w{0,2}|müsste\w{0,2}|verpflichtet|obligatorisch|pflicht|vorgeschrieben /
  darf\w{0,2}|dürf\w{1,4}|kann\w{0,2}|könn\w{1,4}|erlaubt|gestattet|freiwillig
up to what: mindestens|wenigstens|zumindest|nicht weniger als / höchstens|maximal|bis zu|nicht mehr als /
  mehr als|über(?= \d) / weniger als|unter(?= \d) / genau|exakt
when: bevor|ehe|vor(?= de[mr]\b)|vorher|davor / nachdem|nach(?= de[mr]\b)|nachher|danach / während
on what: es sei denn|außer wenn / nur wenn|nur dann / auch wenn|selbst wenn|obwohl|obgleich / wenn|falls|sofern
only: nur|lediglich|ausschließlich|einzig / nicht nur|nur wenn
""",
    "fr": r"""
how many: pas tous|pas toutes|pas tout|pas chacune? /
  aucune?|nulle?|rien|(?<!une )(?<!la )(?<!cette )(?<!chaque )personne(?= n)|n['’]\w+ personne /
  la plupart|(?:la )?majorité|presque tou(?:te)?s /
  tous(?! les deux)|toutes(?! les deux)|toute|tout(?! à| de|efois)|chaque|chacune?|la totalité /
  certain(?:e?s)|quelques|quelques-une?s|plusieurs|quelqu['’]un|quelque chose|une partie
how often: pas toujours / rarement|guère / jamais / toujours|constamment|en permanence|sans cesse|chaque fois /
  souvent|généralement|habituellement|d['’]habitude|en général|fréquemment|d['’]ordinaire|normalement /
  parfois|quelquefois|de temps en temps|occasionnellement|de temps à autre
how surely: interdit\w{0,2}|défendu\w{0,2} / devrai\w{1,3}|il vaut mieux|faudrait|recommandée?s?|conseillée?s? /
  doi[ts]|doivent|devez|devons|devai\w{1,3}|devra|devront|faut|fallait|faudra|obligatoires?|obligée?s?|
  tenue?s? de /
  peu[tx]|peuvent|pouvez|pouvons|pouvai\w{1,3}|pourr\w{1,5}|permise?s?|autorisée?s?|facultati\w{1,3}
up to what: au moins|au minimum|pas moins de / au plus|au maximum|jusqu['’]à|pas plus de|tout au plus /
  plus de(?= \d)|plus que|supérieure?s? à / moins de(?= \d)|moins que|inférieure?s? à / exactement|précisément
when: avant|auparavant / après|ensuite / pendant|durant|tandis que
on what: sauf si|à moins que / seulement si|uniquement si / même si|bien que|quoique /
  si|s['’]il\w{0,1}|lorsque|quand
only: seule?s?|seulement|uniquement|exclusivement|n(?:e\s|['’])\w+ qu(?:e|['’](?=\w)) /
  non seulement|pas seulement|seulement si|uniquement si
""",
    "es": r"""
how many: no tod[oa]s?|no cada / ning[uú]n\w{0,2}|nadie|nada / la mayoría|la mayor parte|casi tod[oa]s /
  tod[oa]s?|cada|cualquiera?|la totalidad /
  algun[oa]s?|algún|alguien|algo|vari[oa]s|unos cuantos|unas cuantas|ciert[oa]s
how often: no siempre / raramente|rara vez|casi nunca|pocas veces / nunca|jamás /
  siempre|constantemente|en todo momento|cada vez que /
  normalmente|generalmente|a menudo|frecuentemente|con frecuencia|usualmente|por lo general|habitualmente|
  suele\w{0,1} / a veces|en ocasiones|ocasionalmente|de vez en cuando|algunas veces
how surely: prohibid[oa]s? / deberí\w{1,4}|se recomienda|aconsej\w{2,5} /
  debe[ns]?|debemos|debí\w{1,4}|deberá\w{0,2}|ha[ny]? que|tien(?:e|es|en) que|tenemos que|tení\w{1,3} que|
  obligatori[oa]s?|obligad[oa]s? /
  pued(?:e|es|en)|podemos|podí\w{1,3}|podrí\w{1,3}|podrá\w{0,2}|permitid[oa]s?|opcional\w{0,2}
up to what: al menos|por lo menos|como mínimo|no menos de / como máximo|a lo sumo|hasta(?= \d)|no más de /
  más de(?= \d)|más que|superior(?:es)? a / menos de(?= \d)|menos que|inferior(?:es)? a /
  exactamente|precisamente
when: antes / después|tras / durante|mientras
on what: a menos que|salvo que|salvo si|excepto si|a no ser que / s[oó]lo si|solamente si|únicamente si /
  aunque|incluso si / si|cuando|en caso de que
only: s[oó]lo|solamente|únicamente|exclusivamente / no s[oó]lo|no solamente|s[oó]lo si|solamente si
""",
    "it": r"""
how many: non tutt[ioea]|non ogni / nessun\w{0,2}|niente|nulla /
  la maggior parte|la maggioranza|quasi tutt[ioea] /
  tutt[ioea](?! e due)|ogni(?! tanto)|ciascun\w?|ognun[oa]|qualsiasi|qualunque /
  alcun[ie]|qualche(?! volta)|qualcuno|qualcosa|cert[ie]|divers[ie]|parecchi\w?
how often: non sempre / raramente|di rado|quasi mai / mai / sempre|costantemente|ogni volta /
  di solito|spesso|generalmente|solitamente|normalmente|in genere|frequentemente|abitualmente /
  a volte|talvolta|ogni tanto|qualche volta|occasionalmente|di tanto in tanto
how surely: vietat[oaie]|proibit[oaie] / dovrebb\w{1,4}|dovrei|dovresti|sarebbe meglio|consigliat[oaie] /
  dev[eio]|devono|debbono|dobbiamo|dovete|dovev\w{1,4}|dovr[àa]\w{0,4}|bisogna|occorre|obbligatori\w?|
  obbligat[oaie]|tenut[oaie] a /
  pu[òo]|puoi|possono|possiamo|potete|potev\w{1,4}|potr\w{1,6}|permess[oaie]|consentit[oaie]|facoltativ[oaie]
up to what: almeno|come minimo|non meno di / al massimo|fino a(?= \d)|non più di|tutt['’]al più /
  più di(?= \d)|superior[ei] a / meno di(?= \d)|inferior[ei] a / esattamente|precisamente
when: prima / dopo / durante|mentre
on what: a meno che|salvo che|tranne se|a meno di / solo se|soltanto se / anche se|sebbene|benché /
  se|quando|qualora
only: sol[oaie]|soltanto|solamente|unicamente|esclusivamente / non sol[oaie]|non soltanto|solo se|soltanto se
""",
    "pt": r"""
how many: nem tod[oa]s?|não tod[oa]s? / nenhum\w?|nenhuns|ninguém|nada /
  a maioria|a maior parte|quase tod[oa]s / tod[oa]s?|cada|qualquer|a totalidade /
  algu(?:m|ns|mas?)|alguém|algo|vári[oa]s|cert[oa]s|uns|umas
how often: nem sempre|não sempre / raramente|quase nunca|poucas vezes / nunca|jamais /
  sempre|constantemente|toda vez /
  geralmente|normalmente|frequentemente|com frequência|muitas vezes|costuma\w{0,2}|em geral|habitualmente /
  às vezes|por vezes|ocasionalmente|de vez em quando|algumas vezes
how surely: proibid[oa]s? / deveri\w{1,4}|recomend\w{2,5}|aconselh\w{2,5} /
  deve[ms]?|devemos|devi\w{1,4}|deverá\w?|t[eê]m (?:que|de)|temos (?:que|de)|precisa\w{0,3}|obrigatóri[oa]s?|
  obrigad[oa]s? a / pode[ms]?|podemos|podi\w{1,4}|poderá\w?|poderi\w{1,4}|permitid[oa]s?|opciona\w{1,2}
up to what: pelo menos|no mínimo|ao menos|não menos d[eo] / no máximo|até(?= \d)|não mais d[eo]|não mais que /
  mais de(?= \d)|mais que|superior(?:es)? a / menos de(?= \d)|menos que|inferior(?:es)? a /
  exatamente|exactamente|precisamente
when: antes / depois|após / durante|enquanto
on what: a menos que|exceto se|salvo se|a não ser que / só se|somente se|apenas se /
  mesmo se|mesmo que|embora|ainda que / se|quando|caso
only: só|somente|apenas|unicamente|exclusivamente / não só|não apenas|não somente|só se|somente se|apenas se
""",
    "nl": r"""
how many: niet alle[ns]?|niet iedere?\w{0,2}|niet elke? / geen|niemand|niets|nergens /
  de meeste|meesten|merendeel|bijna alle[ns]? / alle[ns]?|iedere?|iedereen|elke?|overal|allemaal /
  sommigen?|enkelen?|enige|een paar|iemand|verschillende|meerdere|een aantal
how often: niet altijd / zelden|nauwelijks|bijna nooit / nooit /
  (?<!nog )altijd(?! nog)|(?<!nog )steeds(?! nog|\s\w+er\b)|voortdurend /
  meestal|gewoonlijk|vaak|doorgaans|regelmatig|dikwijls / soms|af en toe|nu en dan|bij gelegenheid
how surely: verboden / zou(?:den)? .{0,20}moeten|aanbevolen|raadzaam /
  moet(?:en)?|moest(?:en)?|verplicht|dien(?:t|en) .{0,30}te /
  mag|mogen|mocht(?:en)?|kan|kunnen|kon(?:den)?|kunt|toegestaan|vrijwillig|optioneel
up to what: minstens|ten minste|tenminste|minimaal|op zijn minst|niet minder dan /
  hoogstens|maximaal|ten hoogste|tot(?= \d)|niet meer dan|op zijn hoogst / meer dan / minder dan / precies|exact
when: voordat|alvorens|vóór|voor(?= (?:het|de)\b)|eerder dan / nadat|na(?= ) / terwijl|tijdens
on what: tenzij|behalve als / alleen als|slechts als|alleen wanneer / zelfs als|ook al|hoewel|ofschoon /
  als|wanneer|indien
only: alleen|slechts|uitsluitend|enkel|louter / niet alleen|niet enkel|alleen als|slechts als|alleen wanneer
""",
    "ru": r"""
how many: не (?:все|всё|кажд\w{1,3}|всяк\w{1,3}) /
  никто|никого|никому|никем|ни од\w{2,4}|ничего|ничто|никак\w{2,3} /
  большинств\w{1,2}|почти все|больш\w{1,3} част\w{1,2} / все|всё|всех|всем|всеми|кажд\w{2,3}|всяк\w{2,3} /
  некотор\w{2,3}|нескольк\w{1,3}|кое-\w+|кто-то|кого-то|что-то|кто-нибудь|част[ьи]
how often: не всегда / редко|почти никогда / никогда / всегда|постоянно|каждый раз /
  обычно|часто|как правило|регулярно|зачастую / иногда|порой|время от времени|изредка
how surely: запрещ\w{2,5}|нельзя / следует|следовало|рекоменд\w{2,6}|совету\w{2,4}|желательно /
  долж(?:ен|на|но|ны)|обязан\w{0,2}|обязательн\w{1,3}|необходимо|нужно|надо|вынужден\w{0,2}|прид[её]тся /
  мо(?:жет|гут|жешь|жете|жем|гу|г|гла|гли|гло)|можно|разреш\w{2,6}|вправе|позволен\w{0,2}|допуска\w{2,4}
up to what: по крайней мере|не менее|не меньше|минимум|как минимум|хотя бы /
  не более|не больше|максимум|самое большее / более(?= \d)|больше(?= чем| \d)|свыше /
  менее(?= \d)|меньше(?= чем| \d) / ровно|точно
when: до того|перед|прежде / после / во время|пока|в течение
on what: если не|разве что|если только не / только если|лишь если|только когда /
  даже если|хотя(?! бы)|несмотря / если|когда
only: только|лишь|исключительно / не только|не лишь|только если|лишь если|только когда|если только
""",
    "zh": r"""
how many: 不是所有|并非所有|并非每|不是每|不全|不都|并不都|未必都 /
  没有(?:任何|一[个人位名])|没有?人|无人|毫无|谁(?:都|也)[不没] / 大多数?|大部分|多数|几乎所有 /
  所有|全部|全体|全都|每[一个位名件条种人家天次只]|一切|凡是|任何|人人|都(?!市|会|城) /
  一些|有些|部分|某些|有的|若干|几[个位名]|有人
how often: 不总|并不总|并非总|不一定总 / 很少|极少|难得|几乎不 / 从不|从未|从来[没不]|永不|决不|绝不 /
  总是|总(?=[会能要])|一直|始终|永远|老是|时刻|每次 / 通常|经常|往往|时常|常常|一般(?=[都会来要]) /
  有时|偶尔|时不时|间或
how surely: 不得(?!不)|不能|不可(?!思|避|缺|少)|不许|禁止|不准|不可以 /
  应该|应当|最好|建议|应(?=[在把将按先予]) / 必须|必需|务必|一定要|须(?=[要在由经]) /
  可以|可能|(?<![功智技机性职才])能够?(?![力源量耐干])|允许|准许
up to what: 至少|最少|不少于|不低于|起码 / 最多|至多|不超过|不多于|不高于 / 多于|超过|高于|大于 /
  少于|低于|小于|不到|不足 / 正好|恰好|刚好
when: 之前|以前|(?<=[饭餐睡课])前 / 之后|以后|(?<=[饭餐睡课])后 / 期间|同时
on what: 除非 / 只有(?=.{1,20}才) / 即使|尽管|哪怕|虽然 / 如果|要是|假如|若(?=是|果|有|在|你|您|他|她)|倘若|只要
only: 只(?![要好是得不])|仅仅|仅|唯一|单单 / 不[只仅]|不仅仅|只有(?=.{1,20}才)
""",
    "ja": r"""
how many:
  (?:すべて|全て|全員|全部|みんな|皆).{0,20}わけ(?:では|じゃ)(?:ない|ありません)|すべてでは|全員では|必ずしも /
  誰も|だれも|何も|一[つ人]も|どれも.{0,20}(?:ない|ません) /
  ほとんど(?!.{0,20}(?:ない|ません|なかった))|大半|大部分|大多数|多くの /
  すべて|全て|全員|全部|全体|みんな|皆|あらゆる /
  一部|いくつか|何人か|数人|若干|ある(?=人|者|学生|子)|誰か|だれか|何か
how often: いつも.{0,12}(?:とは限|わけでは)|必ずしも /
  めったに|滅多に|まれに|ほとんど.{0,15}(?:ない|ません|なかった) / 決して|一度も|絶対に.{0,15}(?:ない|ません) /
  いつも|常に|必ず|絶えず|毎回|いつでも / 普段|通常|たいてい|しばしば|頻繁に|よく(?![なあ知似])|一般に /
  時々|ときどき|時には|たまに|時折
how surely: て(?:は|も)?(?:いけ(?:ない|ません)|なら(?:ない|ず|ぬ)(?=[。、い])|だめ|ダメ)|禁止|禁じ /
  べき|た(?:ほう|方)が(?:いい|よい|良い)|推奨|勧め /
  なければ(?:なら|いけ)|なくては(?:なら|いけ)|ねばなら|ないといけ|必要があ|必要です|義務|必須 /
  ても(?:いい|よい|よろしい|良い|かまい|構い|よく)|ことができ|可能|許可|許され|かもしれ
up to what: 少なくとも|最低|以上 / 多くとも|せいぜい|最大|最高|以下|以内 / を超え|より多|を上回 /
  未満|より少な|を下回 / ちょうど|ぴったり
when: 前に|以前に / 後(?=[にで、])|あとで|てから|以後 / 間に|最中|ながら
on what: ない限り / (?:場合|とき)(?:だけ|のみ|に限) / としても|にもかかわらず|けれど /
  場合|もし|なら(?![なずぬばびい])|たら
only: だけ|のみ|しか|に限(?=[らりるっ]) / だけ(?:では?|じゃ)なく|のみなら|(?:場合|とき)(?:だけ|のみ)
""",
}
