"""Sentences as in `tuned`, with other words, written before the rules were tried on them and never looked at singly."""

from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

BROKEN: Pairs = {
    "prefix": pairs(
        """
The signature on the letter is legible. => The signature on the letter is illegible.
His remark was relevant and not offensive. => His remark was irrelevant and offensive.
The bridge is stable in strong winds. => The bridge is unstable in strong winds.
Their parents approved of the marriage. => Their parents disapproved of the marriage.
The new rules are fair to tenants. => The new rules are unfair to tenants.
A careful driver avoids this road. => A careless driver avoids this road.
The sample was pure when it arrived. => The sample was impure when it arrived.
We were able to reach the summit. => We were unable to reach the summit.
"""
    ),
    "antonyms": pairs(
        """
The river is deeper near the mill. => The river is shallower near the mill.
The court accepted his appeal. => The court rejected his appeal.
The rate falls when demand is weak. => The rate rises when demand is weak.
The upper shelf holds the glasses. => The lower shelf holds the glasses.
She arrived earlier than her sister. => She arrived later than her sister.
The study shows an advantage of the drug. => The study shows a disadvantage of the drug.
The pump pushes the water into the tank. => The pump pulls the water into the tank.
The north side is dry and the south side is wet. => The north side is wet and the south side is dry.
"""
    ),
    "scope": pairs(
        """
Each guest received a key. => Some guests received a key.
The dog never barks at strangers. => The dog always barks at strangers.
Passengers must show a ticket. => Passengers can show a ticket.
You should call the office at least two days ahead. => You should call the office at most two days ahead.
Close the valve after the pressure drops. => Close the valve before the pressure drops.
Only members vote on the budget. => Members vote on the budget.
The lift often stops on the third floor. => The lift seldom stops on the third floor.
No more than ten people fit in the boat. => No fewer than ten people fit in the boat.
"""
    ),
    "numbers and times": pairs(
        """
Three quarters of the seats were sold. => One quarter of the seats were sold.
Pour ⅔ cup of milk into the pan. => Pour ⅓ cup of milk into the pan.
The doors open at 8:30 pm. => The doors open at 8:30 am.
The treaty was signed on March 3, 1918. => The treaty was signed on March 13, 1918.
The path is 12 km long. => The path is 12 miles long.
"""
    ),
    "elsewhere": pairs(
        """
El museo está abierto los lunes. => El museo no está abierto los lunes.
Elle aime beaucoup la musique de son frère. => Elle n'aime pas la musique de son frère.
Die Straße ist im Winter gesperrt. => Die Straße ist im Winter nicht gesperrt.
Os preços são altos nesta cidade. => Os preços não são altos nesta cidade.
Мы знаем ответ на этот вопрос. => Мы не знаем ответ на этот вопрос.
我们明天要开会讨论这个问题。 => 我们明天不开会讨论这个问题。
この店は日曜日に開いています。 => この店は日曜日に開いていません。
La porta è aperta tutto il giorno. => La porta non è aperta tutto il giorno.
"""
    ),
}
KEPT: Pairs = {
    "denial in other words": pairs(
        """
The answer is not correct. => The answer is incorrect.
They were not able to open the box. => They were unable to open the box.
It is unlikely to rain tomorrow. => It is not likely to rain tomorrow.
He didn't see anyone there. => He did not see anyone there.
She did not manage to find the house. => She failed to find the house.
"""
    ),
    "quantities in other forms": pairs(
        """
The class begins at 10 a.m. => The class begins at 10:00 am.
Mix ¾ cup of oats with water. => Mix 3/4 cup of oats with water.
The war ended on 11 November 1918. => The war ended on November 11, 1918.
The trip takes 90 minutes. => The trip takes one and a half hours.
The bag weighs 2 kg. => The bag weighs 2,000 grams.
"""
    ),
    "other words": pairs(
        """
Every child got a gift. => Each child got a gift.
Visitors have to sign the book. => Visitors must sign the book.
The hall seats up to 200 people. => The hall seats at most 200 people.
The bread is Ann's. Tom has the cheese. => The bread is Ann's; Tom has the cheese.
Step 1: Cut the paper. Step 2: Fold it. => Cut the paper. Fold it.
In the morning we swim and in the evening we read. => In the evening we read and in the morning we swim.
The old man helped the young woman. => The young woman was helped by the old man.
"""
    ),
}
