"""Pieces of a source and answers to them, of our own: answers that give a fact to another, and answers that do not.

Written before the rules were tried; looked at was every second pair, from the first on.
"""

from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

BROKEN: Pairs = {
    "numbers of others": pairs(
        """
Anna earned 5 euros and Ben 7. => Anna earned 7 euros and Ben 5.
Anna earned 5 euros and Ben 7. => Ben earned 5 euros, and Anna earned 7.
In the final, France won 3 medals, Spain 4 and Italy 5. => In the final, Spain won 5 medals.
The first prize of 500 went to Lee and the second of 200 to Ray. => Lee got 200 and Ray got 500.
Berlin has 3.7 million people, while Hamburg has 1.8 million. => Hamburg has 3.7 million people.
Tom is 12 and his sister Zoe is 15. => Zoe is 12 and Tom is 15.
Lake Como is 410 metres deep, Lake Garda 346 metres. => Lake Garda is 410 metres deep.
Ford sold 20 cars in March, and Opel sold 30. => Opel sold 20 cars in March.
Ann and Joe scored 8 and 6 points. => Joe scored 8 points.
The red team scored 5 goals and the blue team 7. => The red team scored 7 goals and the blue team 5.
The trip from Rome to Milan takes 3 hours, from Rome to Turin 4. => The trip from Rome to Turin takes 3 hours.
Marie Curie was born in 1867 and Lise Meitner in 1878. => Lise Meitner was born in 1867.
"""
    ),
    "who and what": pairs(
        """
Anna gave the book to Ben. => Ben gave the book to Anna.
The king defeated the duke near the river. => The duke defeated the king near the river.
Paris is larger than Lyon. => Lyon is larger than Paris.
The museum is north of the station. => The station is north of the museum.
The drug was safe for adults in the trial. => The drug was not safe for adults in the trial.
The bridge was built before the tower. => The tower was built before the bridge.
All members of the club voted for it. => No members of the club voted for it.
The company bought the bank in spring. => The company sold the bank in spring.
"""
    ),
}
KEPT: Pairs = {
    "numbers of others": pairs(
        """
Anna earned 5 euros and Ben 7. => Ben earned 7 euros and Anna 5.
Anna earned 5 euros and Ben 7. => It was 7 for Ben and 5 for Anna.
In the final, France won 3 medals, Spain 4 and Italy 5. => Italy won 5 medals in the final.
The first prize of 500 went to Lee and the second of 200 to Ray. => Ray got 200 and Lee got 500.
Berlin has 3.7 million people, while Hamburg has 1.8 million. => Hamburg has 1.8 million people.
Tom is 12 and his sister Zoe is 15. => Zoe is 15.
Lake Como is 410 metres deep, Lake Garda 346 metres. => Lake Como is 410 metres deep.
Ford sold 20 cars in March, and Opel sold 30. => Opel sold 30 cars in March and Ford 20.
Ann and Joe scored 8 and 6 points. => Ann scored 8 points, Joe 6.
The red team scored 5 goals and the blue team 7. => The blue team scored 7 goals.
The trip from Rome to Milan takes 3 hours, from Rome to Turin 4. => It takes 4 hours from Rome to Turin.
Marie Curie was born in 1867 and Lise Meitner in 1878. => Curie was born in 1867, Meitner in 1878.
"""
    ),
    "who and what": pairs(
        """
Anna gave the book to Ben. => Anna gave Ben the book.
The king defeated the duke near the river. => The duke was defeated by the king near the river.
Paris is larger than Lyon. => Lyon is smaller than Paris.
The museum is north of the station. => The station is south of the museum.
The drug was safe for adults in the trial. => Yes, the drug was safe for adults in the trial.
The bridge was built before the tower. => The tower was built after the bridge.
All members of the club voted for it. => All the members of the club voted for it.
The company did not sell the bank in spring. => No, the company did not sell the bank in spring.
"""
    ),
}
