"""How the larger languages say no, and by which everyday words each is known."""

# ruff: noqa: RUF001
from __future__ import annotations

import re

from dataflywheel.signals.wording.denials import Denials, language

LATIN = {
    "es": language(
        "el la los las es son y que de en un una por para con se su sus está están fue muy pero como más lo le al "
        "del este esta ella ellos a mi tu yo vino ha han hay todo todos cuando sin sobre entre nos puede pueden "
        "debe deben tiene tienen siempre también cada aquí ya usted donde porque",
        "no tampoco",
        r"nunca jamás nadie nada ning[uú]n\w* ni",
        "sin",
        r"no\s+s[oó]lo no\s+solamente",
    ),
    "fr": language(
        "le la les est sont et que de des un une dans pour avec se sa son il ils elle elles nous vous au aux du "
        "ce ces cette qui sur être était ont avons avez peut doit toujours tous toutes chaque ici cela mais ou où "
        "plus leur leurs d' l' n' qu' c' j' s'",
        r"ne non n['\u2019](?=\w)",
        "pas jamais rien aucune? personne ni",
        "sans",
        r"non\s+seulement n(?:e\s+|['\u2019])\w+\s+qu(?:e|['\u2019])",
    ),
    "de": language(
        "der die das ist sind und zu den dem ein eine einen mit für auf von sich er sie es wir war werden wird im "
        "dass auch des hat haben kann muss hier alle immer nach vor bei aus um wenn oder aber noch ihr ihre",
        r"nicht kein\w* nie niemals niemand\w* nichts nirgends",
        "weder",
        "ohne",
        r"nicht\s+nur",
    ),
    "it": language(
        "il lo la gli le i è sono e che di un una per con si suo della nel al del questo era molto ma come più "
        "anche ho ha hanno abbiamo lui lei può deve devono possono sempre qui ogni tutti tutte dei delle alla dal "
        "l' dell' nell' all' un'",
        "non",
        r"mai nessun\w* niente nulla né",
        "senza",
        r"non\s+sol\w*",
    ),
    "pt": language(
        "o os as é são e que de um uma por para com se seu sua está foi muito mas como mais ao aos do da dos das "
        "na no em ele ela não você pode podem deve devem tem têm sempre aqui também todas todos cada isso já pelo "
        "pela",
        "não",
        r"nunca jamais nenhum\w* ninguém nada nem",
        "sem",
        r"não\s+s[oó](?:mente)?",
    ),
    "nl": language(
        "de het een is zijn en van in op te dat met voor hij zij ze wij was worden aan ook maar er deze niet u "
        "kunt kan moet hier hebben heeft ik je hun haar altijd alle elke bij naar uit om nog wel als of door men",
        r"niet geen nooit niemand niets nergens",
        "noch",
        "zonder",
        r"niet\s+alleen",
    ),
    "sv": language(
        "och är att det som en ett för på av med han hon vi var inte den har till",
        "inte ej aldrig ingen inget inga",
        "ingenting",
        "utan",
    ),
    "da": language(
        "og er at det som en et for på af med han hun vi var ikke den har til jeg de",
        "ikke aldrig aldri ingen intet ingenting",
        "",
        "uden uten",
    ),
    "pl": language(
        "i jest są na do że się z w to był była dla jak od po ale tym nie oraz",
        r"nie nigdy",
        r"nikt nic żad\w+ ani",
        "bez",
        r"nie\s+tylko",
    ),
    "cs": language(
        "je jsou a na že se v to byl byla pro jak od po ale tím který není jsem",
        r"není nejsou nejsem nem[aáůu]\w+ ne\w{3,}",
        r"nikdy nikdo nic žádn\w+ ani",
        "bez",
    ),
    "ro": language(
        "și este sunt în că se pe pentru din ei ea care mai fost această acest lui fi dar sau",
        "nu nici",
        r"niciodată nimeni nimic niciun\w*",
        "fără",
        r"nu\s+numai nu\s+doar",
    ),
    "tr": language(
        "ve bir bu için ile çok de da olarak gibi daha o ne var ama kadar olan sonra en",
        r"değil\w* yok\w* \w+m[ıiuü]yor\w* \w+m[ae]d[ıi]\w* \w+m[ae]z(?:l[ae]r)?\w{0,3} "
        r"\w+m[ae]y[ae]c[ae]\w+ \w{2,}mem?eli",
        "hiç asla hiçbir",
        r"\w{2,}s[ıiuü]z",
    ),
    "fi": language(
        "ja on ovat että se hän oli kun myös mutta joka tai kuin niin olla tämä sen ovat",
        "ei en et emme ette eivät älä älkää",
        "",
        "ilman",
    ),
    "hu": language(
        "a az és egy van hogy is ez azt meg volt mint csak vagy már ki fel",
        "nem ne sem nincs nincsenek",
        "soha senki semmi",
        "nélkül",
        r"nem\s+csak",
    ),
    "id": language(
        "dan yang di ke dari ini itu untuk dengan adalah pada dia saya mereka akan juga ada tidak",
        "tidak bukan tak jangan belum",
        "tidak pernah",
        "tanpa",
        r"tidak\s+hanya bukan\s+hanya",
    ),
    "vi": language(
        "và là của có được cho với một các trong này những người để cũng đã tôi anh không",
        r"không chưa chẳng đừng",
        "",
        "",
        r"không\s+chỉ hay\s+không",
    ),
    "sw": language(
        "na ya wa kwa ni katika za la kuwa hii watu yake huo",
        r"si hapana hakuna ha(?:wa|tu|i|u)\w+ sio",
        "kamwe",
        "bila",
    ),
    "tl": language("ang ng sa mga ay na at ito si niya siya ako ni para", "hindi wala huwag di", "", "walang"),
}
SCRIPTS: tuple[tuple[re.Pattern[str], Denials], ...] = (
    (
        re.compile(r"[\u3040-\u30ff]"),
        language(
            "",
            r"ない なか(?=っ) なく(?=て|は|な) ません まい ずに ぬ(?=[。、]|$) 不 無 非 未",
            "",
            "",
            r"しか[^。、]{0,20}?(?:ない|なかった|ません) だけ(?:で|じゃ)なく のみなら[ずぬ] かもしれない "
            r"かもしれません なければ(?:なら|いけ)\w{0,4} なくては\w{0,6} 少ない 危ない つまらない "
            r"無料 非常 未来 不思議 無事 違いない 違いありません どうか",
            bound=False,
        ),
    ),
    (
        re.compile(r"[\uac00-\ud7af]"),
        language(
            "",
            r"않 없 못(?=하|해|한|할|\s) 아니 아닙 (?<!\w)안\s "
            r"말(?=아|라|고|지|세) 불가 (?<!\w)비(?=현실|정상|효율|공개)",
            "",
            "",
            r"수밖에\s없 밖에\s없 않을\s수\s없 뿐만?\s아니라 못지않",
            bound=False,
        ),
    ),
    (
        re.compile(r"[\u4e00-\u9fff]"),
        language(
            "",
            r"不 没 沒 无 無 非 未 勿 别 別 莫 毋",
            "",
            "",
            r"不过 不過 不但 不仅 不僅 不断 不斷 不论 "
            r"不論 不管 不得不 不错 不錯 差不多 非常 非洲 未来 未來 "
            r"[特区類类性級级個个分差告]别 [特區類性級個分差告]別 "
            r"别人 別人 别的 別的 无论 無論 是不是 能不能 会不会 會不會 可不可以 要不要 好不好 "
            r"有没有 有沒有 对不起 對不起 南无 只不过",
            bound=False,
        ),
    ),
    (
        re.compile(r"[\u0400-\u04ff]"),
        language(
            "",
            r"не нет нельзя нету немає ні нема нямам?е? няма не[льзя]* нельга нема",
            r"никогда никто ничего ничто никак\w* нигде ни ніколи ніхто нічого жод\w+ никога никой "
            r"нищо",
            r"без",
            r"не\s+только не\s+лише не\s+само",
        ),
    ),
    (
        re.compile(r"[\u0370-\u03ff]"),
        language("", r"δεν δε μη μην όχι", r"ποτέ κανείς κανένα\w* τίποτα ούτε", "χωρίς δίχως", r"όχι\s+μόνο"),
    ),
    (
        re.compile(r"[\u0600-\u06ff]"),
        language(
            "",
            r"[وف]?لا [وف]?لم [وف]?لن [وف]?ليس\w* [وف]?لست\w* [وف]?غير نه نیست\w* "
            r"ن?می\u200c?\w*(?<=نمی)\w* نمی\w* نکر\w+ نشد\w* نبود\w* ندار\w+ نداشت\w* نخواه\w+ "
            r"نباید نمی\u200c\w+ نہیں مت نہ",
            r"هیچ\w* هرگز أبدا أبدًا",
            r"بدون دون بی",
            r"لا\s+فقط ليس\s+فقط",
        ),
    ),
    (
        re.compile(r"[\u0590-\u05ff]"),
        language("", r"[ו]?לא [ו]?אין אינו אינה אינם אינן אל", r"אף מעולם לעולם כלום", r"בלי ללא", r"לא\s+רק"),
    ),
    (re.compile(r"[\u0900-\u097f]"), language("", r"नहीं नही मत न नाहीं नाही नको", r"कभी\s+नहीं", r"बिना", bound=True)),
    (re.compile(r"[\u0980-\u09ff]"), language("", r"না নেই নয় নি নন", "", r"ছাড়া", bound=True)),
    (re.compile(r"[\u0b80-\u0bff]"), language("", r"இல்லை அல்ல கூடாது முடியாது மாட்ட", bound=False)),
    (re.compile(r"[\u0c00-\u0c7f]"), language("", r"కాదు లేదు లేరు కాడు వద్దు", bound=False)),
    (
        re.compile(r"[\u0e00-\u0e7f]"),
        language("", r"ไม่ อย่า ไร้ ปราศจาก มิได้ มิใช่", "", "", r"ไม่เพียง หรือไม่ ไม่ว่า ไม่ใช่เพียง", bound=False),
    ),
)
"""Languages that their letters tell, the narrower first: Japanese before Chinese."""
