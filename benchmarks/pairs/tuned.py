"""Sentences of our own with a change that breaks what they say, and changes that keep it, by kind: looked at while the
rules were written.
"""

# ruff: noqa: RUF001
from __future__ import annotations

from benchmarks.pairs.lines import Pairs, pairs

BROKEN: Pairs = {
    "prefix": pairs(
        """
The patient is able to walk without help. => The patient is unable to walk without help.
The mixture is safe and not toxic for children. => The mixture is unsafe and toxic for children.
It was a legal contract between two parties. => It was an illegal contract between two parties.
The data are complete and ready to use. => The data are incomplete and ready to use.
Her answer was rational in every respect. => Her answer was irrational in every respect.
The members agreed on the plan. => The members disagreed on the plan.
This error is harmless to the system. => This error is harmful to the system.
The treatment was effective for most patients. => The treatment was ineffective for most patients.
He is a reliable witness. => He is an unreliable witness.
The tool is useful for beginners. => The tool is useless for beginners.
The switch enables the alarm. => The switch disables the alarm.
They activated the service last week. => They deactivated the service last week.
The manager overestimated the costs. => The manager underestimated the costs.
It is not uncommon to see deer here. => It is uncommon to see deer here.
"""
    ),
    "antonyms": pairs(
        """
Prices rose sharply during the spring. => Prices fell sharply during the spring.
The company is hiring more engineers this year. => The company is hiring fewer engineers this year.
She bought the house from her uncle. => She sold the house from her uncle.
The shop opens at nine in the morning. => The shop closes at nine in the morning.
Heat makes the metal expand quickly. => Heat makes the metal contract and shrink quickly.
The older brother left early. => The younger brother left early.
The guards allowed the crowd to enter. => The guards forbade the crowd to enter.
Ice is colder than water. => Ice is hotter than water.
Turn left at the church. => Turn right at the church.
The test was a great success for the team. => The test was a great failure for the team.
The judge found him guilty of theft. => The judge found him innocent of theft.
They won the match in extra time. => They lost the match in extra time.
Add the sugar to the bowl slowly. => Remove the sugar to the bowl slowly.
Exports increased while imports decreased last year. => Exports decreased while imports increased last year.
"""
    ),
    "quantifiers": pairs(
        """
All birds in this park can fly. => Some birds in this park can fly.
Some of the students passed the exam. => All of the students passed the exam.
Every member pays the fee. => No member pays the fee.
He always locks the door at night. => He sometimes locks the door at night.
She sometimes forgets her keys. => She never forgets her keys.
Most people in the town own a car. => All people in the town own a car.
Not all metals are magnetic. => All metals are magnetic.
Everyone in the room agreed. => Someone in the room agreed.
The bus is usually late. => The bus is rarely late.
Only doctors may prescribe this drug. => Doctors may prescribe this drug.
Members may bring guests to the club. => Only members may bring guests to the club.
"""
    ),
    "modals and bounds": pairs(
        """
Visitors must wear a helmet on the site. => Visitors may wear a helmet on the site.
You may leave your bags at the desk. => You must leave your bags at the desk.
The report should be sent by Friday. => The report must not be sent by Friday.
Applicants need at least two references. => Applicants need at most two references.
The bag weighs more than 5 kg when full. => The bag weighs less than 5 kg when full.
Rinse the rice before you cook it. => Rinse the rice after you cook it.
The office is closed until noon. => The office is closed after noon.
You can park here for up to 30 minutes. => You can park here for at least 30 minutes.
Take the pill if you have a fever. => Take the pill unless you have a fever.
Children under 12 travel free. => Children over 12 travel free.
Both doors are locked. => Neither of the doors is locked.
"""
    ),
    "numbers and times": pairs(
        """
Add ½ cup of sugar to the bowl. => Add ¼ cup of sugar to the bowl.
Two thirds of the voters agreed. => One third of the voters agreed.
The meeting starts at 9 am. => The meeting starts at 9 pm.
The train leaves at 17:30. => The train leaves at 5:30 am.
She was born on 5 January 2020. => She was born on 6 January 2020.
Use 1 1/2 cups of flour. => Use 2 1/2 cups of flour.
Half of the cake was eaten. => A quarter of the cake was eaten.
The tank holds 3 litres. => The tank holds 3 gallons.
He paid a dozen times. => He paid 10 times.
"""
    ),
    "negation elsewhere": pairs(
        """
La tienda abre los domingos por la mañana. => La tienda no abre los domingos por la mañana.
Nadie vino a la fiesta de mi hermana. => Todos vinieron a la fiesta de mi hermana.
Il peut venir avec nous demain. => Il ne peut pas venir avec nous demain.
Je n'ai jamais vu ce film avec elle. => J'ai vu ce film avec elle.
Der Vertrag ist gültig und wurde unterschrieben. => Der Vertrag ist nicht gültig und wurde unterschrieben.
Ich habe kein Geld für die Reise. => Ich habe Geld für die Reise.
Il negozio è aperto la domenica. => Il negozio non è aperto la domenica.
Ela gosta de trabalhar com os colegas. => Ela não gosta de trabalhar com os colegas.
Он пришёл на работу вовремя. => Он не пришёл на работу вовремя.
这种药对儿童是安全的。 => 这种药对儿童是不安全的。
彼は昨日学校に行きました。 => 彼は昨日学校に行きませんでした。
그는 어제 학교에 갔다. => 그는 어제 학교에 안 갔다.
هو يعرف الجواب الصحيح. => هو لا يعرف الجواب الصحيح.
वह कल स्कूल गया था। => वह कल स्कूल नहीं गया था।
Sklep jest otwarty w niedzielę. => Sklep nie jest otwarty w niedzielę.
Dükkan bu pazar açık olacak. => Dükkan bu pazar açık değil.
Toko itu buka pada hari Minggu. => Toko itu tidak buka pada hari Minggu.
ร้านนี้เปิดวันอาทิตย์ => ร้านนี้ไม่เปิดวันอาทิตย์
Cửa hàng này mở cửa vào chủ nhật. => Cửa hàng này không mở cửa vào chủ nhật.
"""
    ),
}
KEPT: Pairs = {
    "denial in other words": pairs(
        """
It is not possible to enter the room now. => It is impossible to enter the room now.
He is unable to come to the party. => He cannot come to the party.
She was not happy with the result. => She was unhappy with the result.
I do not think that the water is safe. => I think that the water is not safe.
The bottle is not full. => The bottle isn't full.
They failed to find the key. => They did not find the key.
Not only Ann but also Tom came. => Ann came, and Tom came, too.
The machine is less expensive than the old one. => The machine is cheaper than the old one.
Neither Ann nor Tom was there. => Ann and Tom were not there.
The plan is not without risk. => The plan has some risk.
"""
    ),
    "same words moved": pairs(
        """
After lunch we rest, and before dinner we walk. => Before dinner we walk, and after lunch we rest.
All members must pay; guests may pay. => Guests may pay; all members must pay.
Hot tea and cold milk were served. => Cold milk and hot tea were served.
"""
    ),
    "quantities in other forms": pairs(
        """
Add ½ cup of sugar. => Add 1/2 cup of sugar.
Add 0.5 litres of milk. => Add ½ litre of milk.
Two thirds of the voters agreed. => 2/3 of the voters agreed.
The meeting starts at 9 am. => The meeting starts at 9:00 am.
The train leaves at 5:30 pm. => The train leaves at 17:30.
She was born on January 5, 2020. => She was born on 5 January 2020.
She was born on 2020-01-05. => She was born on January 5th, 2020.
The film lasts 2 hours. => The film lasts 120 minutes.
It costs $5. => It costs 5 dollars.
The run is 5 km long. => The run is 5,000 m long.
There are a dozen eggs. => There are 12 eggs.
He came in first. => He came in 1st.
It rained for two and a half hours. => It rained for 2.5 hours.
"""
    ),
    "sentences and lists": pairs(
        """
Tom said he didn't. Then he left the room. => Tom said he did not. Then he left the room.
The car is Tom's. Ann has a bicycle. => The car is Tom's; Ann has a bicycle.
1. Boil water. 2. Add salt. 3. Stir. => Boil water. Add salt. Stir.
Boil water. Add salt. Stir. => Step 1: Boil water.\\nStep 2: Add salt.\\nStep 3: Stir.
(1) Wash it. (2) Dry it. => - Wash it.\\n- Dry it.
Plan B. Then we go home. => Plan B. Then we will go home.
"""
    ),
    "scope in other words": pairs(
        """
All students have to register. => Every student must register.
You need at least 5 points. => You need 5 points or more.
It takes no more than 10 minutes. => It takes at most 10 minutes.
He often walks to work. => He frequently walks to work.
You are allowed to park here. => You may park here.
Everybody liked the film. => Everyone liked the film.
"""
    ),
    "elsewhere": pairs(
        """
Il ne veut pas de café. => Il ne veut pas du tout de café.
Nadie vino. => No vino nadie.
不仅如此，他还会唱歌。 => 他还会唱歌，而且跳舞。
Er kam nicht nur mit dem Zug, sondern auch mit dem Bus. => Er kam mit dem Zug und auch mit dem Bus.
"""
    ),
}
