"""How refusals begin, in the larger languages, and how answers go on that only begin like one."""

# ruff: noqa: RUF001
from __future__ import annotations

import re

UNABLE = (
    r"(?:can(?:no|')?t|can\s+not|could(?:n't|\s+not)|(?:am|'m|are|'re)\s+(?:not\s+(?:able|permitted|allowed|authori[sz]ed|qualified)|"
    r"unable|not\s+in\s+a\s+position)|won't|will\s+not|must\s+decline|decline|(?:don't|do\s+not)\s+know\s+how)"
    r"(?:\s+(?:and\s+(?:will\s+not|won't|can't|cannot|should\s+not|shouldn't)|in\s+good\s+conscience|,?\s*unfortunately,?))?"
)
ALWAYS = r"(?:very\s+|so\s+|really\s+|deeply\s+|truly\s+|terribly\s+)?"
LEAD = rf"{ALWAYS}(?:(?:i'?m|i\s+am|we\s+are|i|we)\s+{ALWAYS}|my\s+)?(?:sorry|apologi[sz]e|apologies|afraid|regret)"
DO = (
    r"(?:help(?!\s+(?:\w+ing|but|myself|it)\b)|assist|provide|fulfil?l|comply|answer(?!\s+for\b)|generate|create|write|complete|do|support|discuss|"
    r"respond|give|"
    r"offer|engage|access|share|process|produce|condone|promote|encourage|endorse|advise|advocate|"
    r"facilitate|continue|"
    r"participate|accommodate|walk\s+you\s+through|(?:tell|show)\s+you\s+(?:that|this|about)\b|verify|satisfy|process|"
    r"form\s+(?:an?\s+)?opinions?|do\s+so|go\s+there|be\s+of\s+(?:help|assistance)|recommend(?!\s.{0,60}\benough\b)|suggest|teach|instruct|disclose|reveal|"
    r"(?:help|assist|answer|discuss|support|respond|offer|engag|provid|generat|creat|writ|complet|shar|produc|giv|do|"
    r"promot|assist|participat|comply)ing)"
)
AI = (
    r"(?:ai|artificial|(?:large\s+)?language\s+model|chatbot|computer\s+program|machine|"
    r"assistant(?!\s+(?:professor|coach|manager|director|editor|teacher|to)\b))"
)
OPENER = (
    r"(?:(?:unfortunately|regrettably|no|nope|absolutely\s+not|hmm+|well|oh|"
    r"okay|ok|hey|hi(?:\s+there)?|hello|"
    r"thank(?:s|\s+you)\b[^.!?]{0,80}|i\s+(?:really\s+|truly\s+)?(?:appreciate|"
    r"understand|hear)\b[^.!?]{0,100}|(?:while|although|though)\s+i\b[^.!?]{0,120})[\s,.;!]+(?:(?:but|however|unfortunately)"
    r"[\s,]+){0,2})?"
)
"""What is said before a refusal."""
NOT_WILLING = (
    r"i\s*(?:(?:(?:will\s+|'ll\s+)?have\s+to|must|need\s+to|will|'ll)\s+(?:respectfully\s+)?(?:decline|refuse)\b(?!\s+(?-i:[A-Z])|\s+(?:your|the)\s+(?:invitation|"
    r"offer|job|position))|refuse\s+to\s+DO|(?:'d|would)\s+(?:rather|prefer)\s+not\s+(?:to\s+)?DO|"
    r"(?:'m|am)\s+not\s+(?:comfortable|willing|permitted|allowed|designed|programmed|going)\s+(?:to\s+|with\s+|in\s+)?DO|"
    r"(?:do\s+not|don't)\s+(?:feel\s+comfortable|(?:think|believe)\s+(?:that\s+)?i\s+(?:can|should|could))\s+(?:with\s+)?DO|"
    r"(?:won't|will\s+not)\s+be\s+able\s+to\s+DO)"
).replace("DO", DO)
PERSONAL = r"(?!\s+(?:to\s+)?(?:come|attend|make\s+it|join|be\s+there|wait|go|stay|see\s+you|work\s+today))"
"""What a letter of apology goes on with, and no assistant."""


def compiled(*phrases: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(phrase, re.IGNORECASE) for phrase in phrases)


PLAIN = compiled(
    rf"^{OPENER}{NOT_WILLING}",
    rf"^{OPENER}\bi\s*{UNABLE}\b(?:\s+to)?\s+(?:\w+ly\s+)?{DO}\b",
    rf"^(?:{LEAD}\W{{1,3}}(?:but\s+)?)?(?:that|this)(?:'s|\s+is)\s+(?:(?:not\s+something|nothing)\s+(?:that\s+)?i\s*(?:can|"
    rf"could|will|would|am|'m)|something\s+(?:that\s+)?i\s*{UNABLE})\b",
    r"^i(?:'m|\s+am)\s+going\s+to\s+have\s+to\s+(?:pass\b|decline|refuse|say\s+no)",
    r"^my\s+(?:\w+\s+)?(?:guidelines|polic(?:y|ies)|programming|training|rules)\s+(?:prevents?|prohibits?|forbids?|(?:do|does)"
    r"(?:n't|\s+not)\s+(?:allow|permit|let))\s+me\b",
    rf"^{OPENER}(?:not\s+able|unable)\s+to\s+{DO}\b",
    rf"^{OPENER}(?:can't|cannot|won't)\s+{DO}\s+(?:that|this|it|with\s+(?:that|this)|your)\b(?![^.!]{{0,30}}\?)",
    rf"^i(?:'m|\s+am)\s+(?:programmed|designed|trained|meant)\s+to\b[^.!?]{{0,80}}?\b(?:can't|cannot|can\s+not|won't)\s+{DO}\b",
    rf"^it\s+would\s+(?:not\s+be|be)\s+(?:ethical|appropriate|right|legal|responsible|unethical|inappropriate|wrong|illegal|"
    rf"irresponsible)\s+(?:for\s+me\s+)?to\s+{DO}\b",
    rf"^{LEAD}\W.{{0,60}}?\b(?:i|we)\s*{UNABLE}\b(?:\s+to)?\s+(?:\w+\s+){{0,2}}?{DO}\b",
    rf"^(?:unfortunately|regrettably|no)?\W*\b(?:i|we)\s*{UNABLE}\b(?:\s+to)?\s+(?:\w+ly\s+)?{DO}\b",
    rf"^as\s+an?\s+(?:\w+\s+){{0,3}}?{AI}\b.{{0,80}}?\b(?:i|we)\s*{UNABLE}\b(?:\s+to)?\s+(?:\w+ly\s+)?{DO}\b",
    r"^(?:i|we)\s+(?:do\s+not|don't|cannot|can't)\s+(?:condone|promote|support|encourage|endorse)\b",
    r"^it(?:\s+is|'s)\s+(?:not|never)\s+(?:appropriate|possible|ethical)\s+(?:for\s+me\s+)?to\s+(?:answer|"
    r"provide|assist|"
    r"help|comply|discuss|offer|give)",
    rf"^i'?\s?a?m\s+(?:just\s+|only\s+)?an?\s+(?:\w+\s+){{0,3}}?{AI}\b.{{0,60}}?\b(?:do\s+not|don't|cannot|"
    rf"can't)\s+"
    r"(?:condone|promote|support|encourage|endorse|provide|assist|help|have\s+the\s+(?:ability|capability|capacity)\s+to|"
    r"engage\s+in|participate)",
    # Other languages: an apology or a denial, and what an assistant would do.
    r"^(?:lo\s+siento|lo\s+lamento|lamento|disculp\w+|perd[oó]n\w*|desafortunadamente|"
    r"lamentablemente)\b.{0,80}\bno\s+(?:puedo|"
    r"podemos|me\s+es\s+posible|estoy|tengo\s+permitido)",
    r"^no\s+puedo\s+(?:ayudar|proporcionar|responder|cumplir|asistir|ofrecer|generar|crear|dar|hacer|"
    r"brindar|participar)",
    r"^(?:je\s+suis\s+(?:vraiment\s+)?)?(?:d[ée]sol[ée]e?|navr[ée]e?|malheureusement|"
    r"je\s+regrette)\b.{0,80}(?:\bje\s+ne\s+"
    r"(?:peux|puis|suis|saurais)|n'est\s+pas\s+possible|impossible)",
    r"^je\s+ne\s+(?:peux|puis)\s+pas\s+(?:vous\s+|t'|te\s+)?(?:aider|fournir|r[ée]pondre|donner|assister|"
    r"g[ée]n[ée]rer|cr[ée]er)",
    r"^(?:es\s+)?(?:tut\s+mir\s+(?:sehr\s+)?leid|leider|entschuldig\w+|"
    r"ich\s+bedaure?)\b.{0,100}\b(?:nicht|keinen?|keine)\b",
    r"^ich\s+kann\s+(?:\w+\s+){0,6}?(?:nicht|keinen?|keine)\s+(?:\w+\s+){0,5}?(?:helfen|weiterhelfen|"
    r"beantworten|geben|bereitstellen|"
    r"unterst[üu]tzen|erstellen|erf[üu]llen|anbieten)",
    r"^(?:mi\s+dispiace|spiacente|purtroppo|mi\s+scuso)\b.{0,80}\bnon\s+(?:posso|sono|è\s+possibile)",
    r"^(?:das|dazu|dabei|hierzu|diese\w*\s+\w+)\s+kann\s+ich\s+(?:\w+\s+){0,4}?(?:nicht|keine?n?)\s+(?:\w+\s+){0,3}?(?:beantworten|"
    r"helfen|tun|geben|sagen|erfüllen|machen)\b",
    r"^no\s+me\s+es\s+posible\s+(?:responder|ayudar|proporcionar|dar|ofrecer|crear|cumplir)",
    r"^non\s+sono\s+in\s+grado\s+di\s+(?:rispond|aiut|forn|dar|gener|crear)",
    r"^não\s+consigo\s+(?:ajud|respond|fornec|ger|cri|ofere)",
    r"^je\s+ne\s+suis\s+pas\s+en\s+mesure\s+(?:de\s+|d')(?:vous\s+|t')?(?:r[ée]pondre|aider|fournir|donner|cr[ée]er)",
    r"^non\s+posso\s+(?:aiut|forn|rispond|assist|gener|crear|dar)",
    r"^(?:desculp\w+|lamento|sinto\s+muito|infelizmente|perd[ãa]o)\b.{0,80}\bnão\s+(?:posso|consigo|"
    r"é\s+possível|podemos|estou)",
    r"^não\s+posso\s+(?:ajud|fornec|respond|ger|cri|ofere|dar)",
    r"^ik\s+(?:kan|mag)\s+(?:\w+\s+){0,5}?(?:niet|geen)\s+(?:\w+\s+){0,3}?(?:helpen|beantwoorden|geven|meehelpen)\b",
    r"^(?:jag|eg|jeg)\s+(?:kan|får)\s+(?:\w+\s+){0,3}?(?:inte|ikke)\s+(?:hjälpa|svara|ge|hjelpe|hjælpe|svare|gi)\b",
    r"^nie\s+mogę\s+(?:\w+\s+){0,3}?(?:pomóc|odpowiedzieć|podać|udzielić|spełnić)\b",
    r"^[^\u3002\n]{0,40}(?:お答え|お手伝い|お応え|ご提供|対応)(?:することは?|は)?でき(?:ません|かねます|ない)",
    r"^(?:sorry|helaas|het\s+spijt\s+(?:me|mij))\b.{0,80}\b(?:kan|mag)\s+(?:ik\b|"
    r".{0,40}\b)?.{0,40}\b(?:niet|geen)\b",
    r"^(?:tyv[äa]rr|jag\s+beklagar|f[öo]rl[åa]t|beklager|desv[æe]rre)\b.{0,80}\b(?:kan|"
    r"f[åa]r)\b.{0,20}\b(?:inte|ikke)\b",
    r"^(?:przepraszam|przykro\s+mi|niestety)\b.{0,80}\bnie\s+(?:mogę|możemy|jestem)",
    r"^(?:üzgünüm|maalesef|özür\s+dilerim)\b.{0,100}(?:amam|emem|am[ıi]yor|emiyor|olamaz|veremem)",
    r"^(?:извините|простите|к\s+сожалению|мне\s+(?:очень\s+)?жаль|прошу\s+прощения|"
    r"сожалею)\W.{0,80}\bне\s+(?:могу|можем|смогу|в\s+состоянии)",
    r"^я\s+не\s+(?:могу|смогу)\s+(?:\w+\s+)?(?:помочь|предоставить|ответить|выполнить|дать|обсуждать|"
    r"создать|написать)",
    r"^(?:عذر|آسف|أعتذر|للأسف|نعتذر).{0,80}(?:لا\s+(?:أستطيع|يمكنني|أقدر|نستطيع)|لست\s+قادر|لن\s+أتمكن)",
    r"^لا\s+(?:أستطيع|يمكنني)\s+(?:مساعد|تقديم|الإجابة|المساعدة|توفير|إنشاء)",
    r"^(?:क्षमा|माफ़|माफ|मुझे\s+खेद|खेद|मैं\s+माफ).{0,100}(?:नहीं|असमर्थ)",
    r"^(?:很|非常|十分|真的)?(?:抱歉|对不起|對不起|不好意思|遗憾|遺憾).{0,30}(?:无法|無法|不能|不可以|"
    r"没有办法|没办法|不便|不会|不会提供)",
    r"^(?:我|作为).{0,25}(?:无法|無法|不能|不会|没办法|沒辦法|没法)(?:帮|幫|提供|协助|協助|帮助|幫助|回答|满足|滿足|生成|完成|讨论|"
    r"討論|执行|支持|给出)",
    r"^(?:大変|誠に)?(?:申し訳|すみません|恐れ入ります|残念ながら|ごめん).{0,80}(?:できません|でき(?:ない|"
    r"かね)|かねます|お断り)",
    r"^(?:대단히\s*|정말\s*)?(?:죄송|미안|유감).{0,100}(?:수\s*없|어렵|불가|않습니다)",
    r"^(?:xin\s+lỗi|rất\s+tiếc|tôi\s+(?:rất\s+)?(?:xin\s+lỗi|tiếc)).{0,80}không\s+thể",
    r"^(?:mohon\s+)?maaf\b.{0,80}\b(?:tidak|belum)\s+(?:bisa|dapat|boleh|mampu)",
    r"^(?:ขออภัย|ขอโทษ|เสียใจ).{0,80}ไม่(?:สามารถ|ได้)",
)
"""Whatever follows, these decline, unless what follows turns to the answer."""
NARRATED = re.compile(
    r"^[^.!?\n]{1,200}[,!?.\u201d\"']\s{0,2}(?:(?:he|she|they|i)\s+)?(?:said|says|wrote|writes|replied|thought|shouted|cried|whispered)\s+"
    r"(?:the|an?|his|her|my|[A-Z]?\w+)\b",
    re.IGNORECASE,
)
"""What is said in a tale is said by nobody here."""
OWN = r"(?:my|our|the\s+(?:content|usage|safety))\s+(?:\w+\s+)?"
"""Whose rules a refusal names."""
MILD = compiled(
    rf"^[^.!?\"]{{0,120}}\b(?:against|violates?|outside(?:\s+of)?|beyond)\s+{OWN}(?:guidelines|polic(?:y|ies)|programming|capabilit"
    rf"(?:y|ies)|abilities|principles|values|rules|scope)\b",
    rf"^[^.!?\"]{{0,80}}(?:\bisn't|\bis\s+not|'s\s+not)\s+something\s+(?:that\s+)?i(?:\s+can|'m\s+\w+\s+to|\s+am\s+\w+\s+to|\s+will)\s+{DO}\b",
    rf"^(?:for|due\s+to|out\s+of|because\s+of|given|i'd\s+(?:love|like)|i\s+would\s+(?:love|like)|please\s+note|i\s+must|to\s+(?:protect|"
    rf"respect|ensure|stay))\b[^.!?\"]{{0,100}}(?:,|\bthat)\s+(?:but\s+)?i\s*{UNABLE}\s+(?:to\s+)?{DO}\b",
    r"^i\s+(?:do\s+not|don't)\s+(?:provide|offer|give|share|create|generate|discuss|write|engage\s+in)\s+(?:\w+\s+){0,2}?(?:advice|"
    r"diagnos[ie]s|instructions|information|content|opinions|conversations?\s+of|such|that)\b",
    r"^[^.!?\"]{0,80}\b(?:outside|beyond)\s+(?:of\s+)?what\s+i(?:'m|\s+am|\s+can)\b",
    r"^[^.!?\"]{0,160}(?:[.!;,]|\b(?:and|but|so))\s+(?:but\s+|so\s+|and\s+)?i\s*(?:can't|cannot|can\s+not|won't|will\s+not|(?:'m|am)\s+(?:not\s+"
    r"able|unable)\s+to)\s+(?:(?:help|assist)\s+(?:you\s+)?with\b|comply|(?:answer|provide|do|share|write|discuss|fulfil?l|"
    r"respond\s+to)\s+(?:it|that|this|such|your\s+request|instructions)\b)",
    r"^(?:sorry,?\s+(?:but\s+)?)?(?:that|this)(?:'s|\s+is)\s+not\s+possible\s+for\s+me\b",
    r"^(?:sorry|no)[,.!]?\s+(?:no|i\s+can't|can't|not\s+possible)[.!]?$",
    rf"^[^.!?]{{0,160}}[,;]\s*(?:and\s+)?(?:so|therefore|thus)\s+i\s*(?:can't|cannot|can\s+not|won't|'m\s+not\s+able\s+to)\s+{DO}\b",
    r"^let(?:'s|\s+us)\s+(?:talk\s+about|discuss|turn\s+to|focus\s+on)\b[^.!?]{0,40}\b(?:something\s+else|different|another)\b",
    r"^(?:this|your|that)\s+(?:request|question|prompt|content)\s+(?:violates|goes\s+against|conflicts\s+with|breaches)\b",
    r"^i\s+(?:do\s+not|don't)\s+have\s+(?:the\s+|any\s+)?(?:access\s+to\s+(?:real|current|live|external|up-to-date|the\s+internet|"
    r"any|your|personal)|(?:ability|capability)\s+to\b|real-?time)",
    rf"^{OPENER}i\s*{UNABLE}\b(?:\s+to)?\s+(?:browse|search|access|view|open|see|play|hear)\s+(?:the\s+|any\s+|your\s+)?"
    rf"(?:internet|web|images?|files?|links?|urls?|audio|videos?|pictures?|attachments?)\b",
    rf"^{LEAD}\W.{{0,60}}?\b(?:i|we)\s*{UNABLE}\b{PERSONAL}",
    rf"^{LEAD}\W.{{0,60}}?\b(?:i|we)\s+(?:do\s+not|don't)\s+have\s+(?:\w+\s+){{0,3}}?(?:access|information|"
    rf"data|ability)",
    rf"^{LEAD}\W.{{0,40}}?\b(?:as\s+an?|i'?m|i\s+am)\s+(?:only\s+|just\s+)?(?:an?\s+)?{AI}",
    rf"^as\s+(?:an?|your)\s+(?:\w+\s+){{0,3}}?{AI}(?:\s+(?:language\s+)?(?:model|assistant|system|chatbot|program))*"
    rf"(?:\s+(?:developed|created|trained|made|built|designed)\s+by\s+\w+)?\s*"
    rf"(?:,\s+(?!you\b|he\b|she\b|they\b|(?-i:[A-Z][a-z]+\s+[A-Z]))|(?:i|it|my|there)\b)",
    rf"^(?:i'?m|i\s+am)\s+(?:only\s+|just\s+)?an?\s+(?:[\w-]+\s+){{0,2}}?{AI}\b",
    r"^(?:this|the|your)\s+(?:request|question|prompt|instruction|input)\s+(?:is|cannot|can't|does\s+not|"
    r"is\s+not)\b"
    r".{0,40}(?:be\s+(?:answered|completed|fulfilled)|inappropriate|against|violates|unclear|incomplete)",
    r"^(?:sorry|apologies)\W+(?:but\s+)?(?:this|that)\s+(?:is\s+not|isn't|cannot|can't)\b",
    r"^(?:there\s+is\s+)?(?:no|not)\s+(?:enough\s+|sufficient\s+)?(?:input|context|"
    r"information)\s+(?:was\s+|is\s+)?"
    r"(?:given|provided|available)",
    r"^(?:als|en\s+tant\s+qu[e']|como|in\s+quanto|come)\s*(?:una?|eine?n?)?\s*(?:ki\b|ia\b|künstliche|"
    r"intelligen[cz]\w+\s+artifi|"
    r"intelligenza|sprachmodell|mod[eè]l\w*\s+d\w*\s+lang|assist[ea]nt)",
    r"^作为(?:一个|一個)?(?:AI|人工智能|语言模型|語言模型)",
)
"""These decline where little follows."""
MORAL = compiled(
    r"[.!?]\s+it(?:\s+is|'s)\s+(?:not|never|also\s+not)\s+(?:appropriate|ethical|acceptable|right)\s+(?:or\s+\w+\s+)?to\s+"
    r"(?:discuss|provide|promote|offer|engage\s+in|encourage|suggest|share|give|answer)\b",
    r"^there\s+(?:is|are)\s+no\s+(?:\w+\s+){0,2}?(?:ways?|reasons?|methods?|justification)\s+(?:to|for|in\s+which)\b[^.]{0,120}"
    r"\.\s[^.]{0,160}\b(?:illegal|unethical|immoral|wrong|never)\b",
    r"^(?:i'm\s+sorry,?\s+but\s+)?(?:it|this)(?:\s+is|'s)\s+(?:not|never)\s+(?:\w+\s+or\s+|ethical\s+|"
    r"legal\s+)?(?:appropriate|ethical|legal|"
    r"acceptable|okay|right|accurate|safe|responsible)(?:\s+(?:or|and)\s+\w+)?\s+to\b",
    r"^i\s+must\s+(?:clarify|emphasi[sz]e|stress|inform|remind|point\s+out|note)\b",
    r"^(?:first\s+and\s+foremost\W+)?it(?:\s+is|'s)\s+(?:important|crucial|essential)\s+to\s+(?:note|"
    r"remember|understand|recogni[sz]e)\s+"
    r"that\b[^.]{0,160}\b(?:illegal|unethical|never\s+(?:acceptable|appropriate)|not\s+(?:appropriate|"
    r"acceptable|ethical|possible))",
    r"^[^.!?]{0,120}\b(?:is|are)\s+(?:illegal\s+and\s+(?:\w+\s+)?unethical|never\s+(?:acceptable|"
    r"appropriate|justified)|not\s+a\s+safe\s+or\s+ethical)",
)
"""Beginnings that preach; they decline where the text goes on so."""
PREACHING = re.compile(
    r"\bimportant\s+to\s+(?:always\s+|also\s+)?(?:remember|note|respect|treat|consider|prioriti[sz]e|act|"
    r"approach|avoid|promote|"
    r"recogni[sz]e|work|strive|seek|foster|be)|\bcrucial\s+to\b|\bimportant\s+for\b|\binstead(?:\s+of|,)|"
    r"\bwith\s+(?:care|respect)\b|"
    r"\bregardless\s+of\s+their\b|\bseek(?:ing)?\s+(?:professional\s+)?(?:help|support)\b|"
    r"\b(?:appropriate|acceptable|ethical)\s+to\b",
    re.IGNORECASE,
)
TURN = re.compile(
    r"\b(?:however|but|still|nevertheless|nonetheless|that\s+(?:being\s+)?said|having\s+said\s+that|"
    r"with\s+that\s+said|instead)\b\W+"
    r"(?:\w+\W+){0,8}?(?:here(?:'s|\s+is|\s+are)|(?:i|we)\s+can\s+(?:certainly\s+|still\s+|definitely\s+|"
    r"try\s+to\s+|give\s+you|tell\s+you|offer|"
    r"provide|suggest|share|explain|say|assure\s+you|confirm|clarify)|let\s+me|based\s+on|in\s+general|generally|according\s+to|"
    r"some\s+of\s+the|to\s+provide|you\s+can\s+use)"
    r"|(?:然而|但是|但|不过|不過)[，,]?.{0,10}(?:可以|能|会|會|假设)",
    re.IGNORECASE,
)
"""Where an answer begins after an apology."""
ELSEWHERE = re.compile(
    r"\b(?:something|anything|another|other|different|else|alternative)\b|其他|别的|另外", re.IGNORECASE
)
