"""Comparisons turned round, and the forms in which English writes quantities, times, lists and initials.

Ten and more of each kind, written before they were tried; the rules were looked at on every second, from the first on.
"""

from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

BROKEN: Pairs = {
    "comparisons": pairs(
        """
Anna is taller than Ben. => Anna is shorter than Ben.
Anna is taller than Ben. => Ben is taller than Anna.
The red box is heavier than the blue box. => The blue box is heavier than the red box.
Tom has more apples than Ann. => Ann has more apples than Tom.
Tom has more apples than Ann. => Tom has fewer apples than Ann.
The first train arrives earlier than the second train. => The second train arrives earlier than the first train.
Gold is more expensive than silver. => Silver is more expensive than gold.
Gold is more expensive than silver. => Gold is less expensive than silver.
The museum is north of the station. => The station is north of the museum.
The lamp hangs above the table. => The table hangs above the lamp.
The bag is 3 kg lighter than the case. => The case is 3 kg lighter than the bag.
Anna is not taller than Ben. => Ben is not taller than Anna.
The old road is longer than the new road. => The new road is shorter than the new road.
Anna is taller than Ben. => Ben is not shorter than Anna.
Mercury is closer to the sun than Venus. => Venus is closer to the sun than Mercury.
The concert takes place before the dinner. => The dinner takes place before the concert.
"""
    ),
    "fractions": pairs(
        """
Add ¾ cup of milk. => Add ¼ cup of milk.
Add 1½ cups of milk. => Add 1¼ cups of milk.
Add 1 ½ cups of milk. => Add ½ cup of milk.
About one third of the class left. => About two thirds of the class left.
Cut off 3/8 of an inch. => Cut off 5/8 of an inch.
A quarter of the voters agreed. => Three quarters of the voters agreed.
He ran 2 1/2 miles. => He ran 21/2 miles.
The tank is half full of water. => The tank is a third full of water.
Use two and a half spoons. => Use two and a quarter spoons.
Nine tenths of the ice is under water. => One tenth of the ice is under water.
The share rose by ⅚ in May. => The share rose by ⅙ in May.
"""
    ),
    "times": pairs(
        """
We meet at 9 am. => We meet at 10 am.
We meet at 9:00 am. => We meet at 9:00 pm.
The shop closes at 18:30. => The shop closes at 8:30 pm.
Lunch is at 12:00 pm. => Lunch is at 12:00 am.
We are open 9-5. => We are open 9-6.
It starts at half past three. => It starts at half past four.
It starts at a quarter to six. => It starts at a quarter past six.
Call me at 7 p.m. on Friday. => Call me at 7 p.m. on Saturday.
The bus leaves at 07:05. => The bus leaves at 07:50.
The show runs from 8 to 10 pm. => The show runs from 8 to 11 pm.
The deadline is noon. => The deadline is midnight.
"""
    ),
    "units": pairs(
        """
It takes 5 minutes. => It takes 5 hours.
The rope is 3 m long. => The rope is 3 cm long.
Heat it to 180 °C. => Heat it to 180 °F.
It weighs 2 lb. => It weighs 2 kg.
The file has 5 MB. => The file has 5 GB.
The car goes 60 km/h. => The car goes 60 mph.
It costs 20 dollars. => It costs 20 cents.
It costs €20. => It costs $20.
The pill has 50 mg. => The pill has 50 g.
It takes 60 minutes. => It takes 2 hours.
The room has 20 square metres. => The room has 20 metres.
The discount is 20%. => The discount is $20.
"""
    ),
    "list marks": pairs(
        """
1. Boil 2 eggs. 2. Peel them. => 1. Boil 3 eggs. 2. Peel them.
- Use 2 cups of flour. => - Use 3 cups of flour.
Step 1: Wait 5 minutes. Step 2: Stir. => Step 1: Wait 15 minutes. Step 2: Stir.
The answer to question 4 is 12. => The answer to question 4 is 14.
(a) 3 apples (b) 5 pears => (a) 5 apples (b) 3 pears
2. Peel 3 eggs.\\n3. Eat them. => 2. Peel 4 eggs.\\n3. Eat them.
* 5 litres of milk\\n* 2 loaves of bread => * 2 litres of milk\\n* 5 loaves of bread
1) Win 3 games 2) Lose 1 game => 1) Win 1 game 2) Lose 3 games
Version 2.1 is out. => Version 2.2 is out.
Chapter 3 has 40 pages. => Chapter 3 has 50 pages.
"""
    ),
    "initials": pairs(
        """
J. R. Smith wrote the book. => J. R. Jones wrote the book.
The U.S. signed the treaty. => The U.K. signed the treaty.
Dr. Ray met Mr. Lee. => Dr. Lee met Mr. Ray.
He works for the FBI. => He works for the CIA.
George W. Bush won in 2000. => George W. Bush lost in 2000.
She lives in St. Louis. => She lives in St. Paul.
Plan B worked well for us. => Plan C worked well for us.
J. Smith paid and M. Brown left. => M. Brown paid and J. Smith left.
Washington, D.C. is the capital. => Washington, D.C. is not the capital.
He took vitamin C. Then he slept. => He took vitamin D. Then he slept.
"""
    ),
}
KEPT: Pairs = {
    "comparisons": pairs(
        """
Anna is taller than Ben. => Ben is shorter than Anna.
The red box is heavier than the blue box. => The blue box is lighter than the red box.
Tom has more apples than Ann. => Ann has fewer apples than Tom.
The first train arrives earlier than the second train. => The second train arrives later than the first train.
Gold is more expensive than silver. => Silver is less expensive than gold.
Gold is more expensive than silver. => Silver is cheaper than gold.
The museum is north of the station. => The station is south of the museum.
The lamp hangs above the table. => The table stands below the lamp.
The bag is 3 kg lighter than the case. => The case is 3 kg heavier than the bag.
Anna is not taller than Ben. => Ben is not shorter than Anna.
The old roads are longer than the new road. => The new road is shorter than the old roads.
The concert takes place before the dinner. => The dinner takes place after the concert.
Anna is much older than her two brothers. => Her two brothers are much younger than Anna.
In winter, the lake is colder than the river. => In winter, the river is warmer than the lake.
She runs faster than he does. => She runs faster than he.
Ann is as tall as Ben. => Ben is as tall as Ann.
"""
    ),
    "fractions": pairs(
        """
Add ¾ cup of milk. => Add 3/4 cup of milk.
Add 1½ cups of milk. => Add 1 1/2 cups of milk.
Add 1 ½ cups of milk. => Add 1.5 cups of milk.
About one third of the class left. => About 1/3 of the class left.
Cut off 3/8 of an inch. => Cut off ⅜ of an inch.
A quarter of the voters agreed. => One quarter of the voters agreed.
He ran 2 1/2 miles. => He ran two and a half miles.
Half of the tank is full. => 50% of the tank is full.
Use two and a half spoons. => Use 2.5 spoons.
Nine tenths of the ice is under water. => 9/10 of the ice is under water.
Three-quarters of the seats are taken. => Three quarters of the seats are taken.
"""
    ),
    "times": pairs(
        """
We meet at 9 am. => We meet at 9:00 am.
We meet at 9:00 a.m. => We meet at 09:00.
The shop closes at 18:30. => The shop closes at 6:30 pm.
Lunch is at 12:00 pm. => Lunch is at noon.
We meet at 9 o'clock in the morning. => We meet at 9 am.
It starts at half past three. => It starts at 3:30.
It starts at 5:45. => It starts at a quarter to six.
Call me at 7 p.m. on Friday. => Call me at 7pm on Friday.
The bus leaves at 07:05. => The bus leaves at 7:05 am.
The show runs from 8 to 10 pm. => The show runs from 8 pm to 10 pm.
We are open from 9 AM to 5 PM. => We are open from 9:00 to 17:00.
"""
    ),
    "units": pairs(
        """
It takes 5 minutes. => It takes 5 min.
The rope is 3 m long. => The rope is 3 metres long.
Heat it to 180 °C. => Heat it to 180 degrees Celsius.
It weighs 2 lb. => It weighs 2 pounds.
The file has 5 MB. => The file has 5 megabytes.
The car goes 60 km/h. => The car goes 60 kilometres per hour.
It costs 20 dollars. => It costs $20.
It costs €20. => It costs 20 euros.
The pill has 500 mg. => The pill has 0.5 g.
The room has 20 square metres. => The room has 20 m².
The discount is 20%. => The discount is 20 percent.
"""
    ),
    "list marks": pairs(
        """
1. Boil 2 eggs. 2. Peel them. => Boil 2 eggs. Peel them.
- Use 2 cups of flour. => Use 2 cups of flour.
Step 1: Wait 5 minutes. Step 2: Stir. => 1. Wait 5 minutes. 2. Stir.
(a) 3 apples (b) 5 pears => a) 3 apples b) 5 pears
1. Peel the eggs.\\n2. Eat them. => Peel the eggs.\\nEat them.
* 5 litres of milk\\n* 2 loaves of bread => 1. 5 litres of milk\\n2. 2 loaves of bread
1) Win 3 games 2) Lose 1 game => Win 3 games, lose 1 game
**1.** Cut it.\\n**2.** Fold it. => 1. Cut it.\\n2. Fold it.
## 1. Start\\nWe begin here. => ## Start\\nWe begin here.
i. Cut it.\\nii. Fold it. => 1. Cut it.\\n2. Fold it.
"""
    ),
    "initials": pairs(
        """
J. R. Smith wrote the book. => J.R. Smith wrote the book.
The U.S. signed the treaty. => The US signed the treaty.
Dr. Ray met Mr. Lee. => Dr Ray met Mr Lee.
He works for the F.B.I. => He works for the FBI.
George W. Bush won in 2000. => In 2000 George W. Bush won.
She lives in St. Louis. => She lives in Saint Louis.
The book is hers, not Tom's. Ann left. => The book is hers, not Tom's; Ann left.
John Smith wrote it. => J. Smith wrote it.
We did it, didn't we? Yes, we did. => We did it, did we not? Yes, we did.
He took vitamin C. Then he slept. => He took vitamin C. Afterwards he slept.
"""
    ),
}
