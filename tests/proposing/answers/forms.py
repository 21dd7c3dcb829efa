"""Final answers as models and data sets write them, in pairs; what is right of each was decided before it was tried."""

# ruff: noqa: RUF001
from __future__ import annotations


def pairs(text: str) -> list[tuple[str, str]]:
    """Lines of `one \u00a6 other`."""
    found = [line.split("\u00a6") for line in text.strip("\n").split("\n")]
    return [(one.strip(" "), other.strip(" ")) for one, other in found]


SAME = pairs(r"""
\boxed{\boxed{42}} ¦ 42
\boxed{\text{42}} ¦ 42
$\boxed{\frac{3}{4}}$ ¦ 0.75
\boxed{x = 3} ¦ 3
\mathbf{3} ¦ 3
\text{east} ¦ East
1.234.567,89 ¦ 1,234,567.89
12.345,6 ¦ 12345.6
2 3/4 ¦ 11/4
2\frac34 ¦ 2.75
-2 3/4 ¦ -2.75
2 + 3/4 ¦ 2 3/4
x \in (-\infty, 2] ¦ (-\infty, 2]
x \leq 2 ¦ x <= 2
\{1, 2, 3\} ¦ \{3, 1, 2\}
\{1,2,2\} ¦ \{1,2\}
[[1, 2], [3, 4]] ¦ [[1,2],[3,4.0]]
(1, -2) ¦ (1,-2.0)
\left(\frac12, 3\right) ¦ (0.5,3)
5 kg ¦ 5000 g
5\,\text{m/s} ¦ 5 m/s
72 km/h ¦ 20 m/s
1.5 \times 10^{-3} ¦ 0.0015
6.02E23 ¦ 6.02 \cdot 10^{23}
(B) ¦ B
B. ¦ B
Answer: B) Paris ¦ B
**B** ¦ (b)
\boxed{B} ¦ B
$1,200.50 ¦ 1200.5 dollars
1.200,50 € ¦ 1200.50 euros
€1.200,50 ¦ 1200.50 euros
USD 5 ¦ $5
5 USD ¦ $5
5 cents ¦ $0.05
$5 million ¦ 5,000,000 dollars
-3 ¦ (-3)
−3 ¦ -3
\pm 3 ¦ 3 or -3
±3 ¦ \{-3, 3\}
3x ¦ 3 x
3*x ¦ 3x
x=3 or x=-3 ¦ \pm3
50% ¦ 0.5
50 \% ¦ \frac12
12.5\% ¦ 1/8
\frac{-1}{2} ¦ -\frac{1}{2}
\frac{1}{-2} ¦ -1/2
\sqrt{50} ¦ 5\sqrt{2}
\frac{\sqrt{3}}{3} ¦ 1/\sqrt{3}
sqrt(2)/2 ¦ \frac{\sqrt2}{2}
\frac{\pi}{4} ¦ pi/4
10^5 ¦ 100000
2^{10} ¦ 1024
x^2+2x+1 ¦ (x+1)^2
2+3i ¦ 3i+2
1,2,3 ¦ 1, 2, 3
1, 2, and 3 ¦ 1,2,3
10 000 ¦ 10000
$3.00 ¦ 3
3 hours 20 minutes ¦ 200 minutes
\text{(A)} ¦ A
\textbf{(A) } 12 ¦ A
True ¦ true
\dfrac{7}{3}\text{ cm} ¦ 7/3
1.0 ¦ 1
1. ¦ 1
e^2 ¦ e^{2}
\log_{10} 100 ¦ 2
f(x)=2x ¦ 2x
18 ¦ 18.
\$18 ¦ 18 dollars
$18$ dollars ¦ 18
18\ \text{dollars} ¦ $18
100\text{°C} ¦ 100^\circ C
100^\circ\text{C} ¦ 100 degrees Celsius
3 \text{ sq. units} ¦ 3
5.0 \times 10^2 ¦ 500
five ¦ 5
Five apples ¦ 5
twenty-one ¦ 21
one hundred thousand ¦ 100,000
2 dozen ¦ 24
3 1/2 hours ¦ 210 minutes
11:30 AM ¦ 11:30 a.m.
2.5 million ¦ 2,500,000
\left[\begin{matrix} 1 \\ 2 \end{matrix}\right] ¦ \begin{pmatrix}1\\2\end{pmatrix}
Saturday ¦ Saturday.
C: 42 ¦ C
A and C ¦ A, C
3 \cdot 4 ¦ 12
-0 ¦ 0
+7 ¦ 7
.5 ¦ 0.5
1/2 cup ¦ 0.5 cups
12 in^2 ¦ 12 square inches
12\text{ in}^2 ¦ 12 square inches
12 \mathrm{~cm} ¦ 12 cm
\$1.5 ¦ \$1.50
40\% ¦ 40 percent
x=\frac{1}{2} ¦ x = .5
(x-2)(x+3) ¦ x^2+x-6
1e3 ¦ 1000
2\sqrt{3}+1 ¦ 1+2\sqrt{3}
√2/2 ¦ \frac{\sqrt2}{2}
x² ¦ x^2
10⁻³ ¦ 0.001
\frac{9}{4}\pi ¦ \frac{9\pi}{4}
9\pi/4 ¦ \frac{9\pi}{4}
\frac{1}{3}x ¦ \frac{x}{3}
\text{6:30 p.m.} ¦ 6:30 PM
18 m^3 ¦ 18\ \text{cubic meters}
$ 12 ¦ $12
12$ ¦ $12
12 $ ¦ 12 dollars
₹12 ¦ 12 rupees
3 - 2i ¦ 3-2i
3^{2} ¦ 9
3² ¦ 9
1 : 2 ¦ 1:2
4 \text{ children} ¦ 4
2(x+1) ¦ 2x+2
|x-1| ¦ |1-x|
\sqrt[3]{8} ¦ 2
8^{1/3} ¦ 2
(8)^{(1/3)} ¦ 2
10 lbs ¦ 160 oz
10^-2 ¦ 0.01
12 345 ¦ 12345
-(-3) ¦ 3
2(1/2) ¦ 1
2\left(\frac12\right) ¦ 1
zero ¦ 0
p=.05 ¦ 0.05
7 days ¦ 1 week
1 year ¦ 12 months
10000 cm^2 ¦ 1 m^2
5 hours ¦ 5 hr
3 \times 4 ¦ 3\times4
3 × 4 ¦ 3 \times 4
2 \times 10^5 ¦ 200000
2 \times 3^2 ¦ 18
1e5 ¦ 100000
x = 5 cm ¦ 5 cm
area = 12 ¦ 12
A = 12 ¦ 12
12 total ¦ 12
twelve and a half ¦ 12.5
12 hundredths ¦ 0.12
12 hundred ¦ 1200
12 hrs ¦ 12 hours
12 feet ¦ 12 ft
12 feet ¦ 4 yards
1 mile ¦ 5280 ft
1 inch ¦ 2.54 cm
1 lb ¦ 16 oz
1 gallon ¦ 4 quarts
1 L ¦ 1000 mL
[B] ¦ B
B) ¦ B
B: ¦ B
B, ¦ B
Option B: Paris ¦ B
Choice (B) ¦ B
None ¦ none
K ¦ K
(1, 2] ¦ (1,2.0]
1 < x < 2 ¦ 1<x<2
x>=2 ¦ x \ge 2
x ≥ 2 ¦ x \geq 2
x != 2 ¦ x \neq 2
x\in\{1,2\} ¦ \{1,2\}
y = 2x + 1 ¦ 2x+1
y=mx+b ¦ y = b + mx
a=1,b=2 ¦ a=1, b=2
(x,y)=(1,2) ¦ (x, y) = (1, 2)
\frac{2}{3} ¦ 2/3
\frac23 ¦ 2/3
\sqrt2 ¦ \sqrt{2}
x^{10} ¦ x^10
2^{-1} ¦ 1/2
(-2)^2 ¦ 4
-2^2 ¦ -4
\infty ¦ \infty
0.1+0.2 ¦ 0.3
5 apples ¦ five apples
5 apples left ¦ 5 apples
5 each ¦ 5
5 points ¦ 5
5 degrees ¦ 5°
$5.00 each ¦ $5
$5 per hour ¦ $5/hour
1.500,00 ¦ 1500
1,500.00 ¦ 1500
1 500.00 ¦ 1500
1’500 ¦ 1500
-1 ¦ –1
""")

OTHER = pairs(r"""
0,5 ¦ 0.5
12.345 ¦ 12345
12,345 ¦ 12.345
-2 + 3/4 ¦ -2 3/4
x<2 ¦ x\le2
x > 2 ¦ 2 > x
\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} ¦ \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}
[[1, 2], [3, 4]] ¦ [[1,2],[4,3]]
\langle 1, 2 \rangle ¦ \langle 2, 1\rangle
5 kg ¦ 5 g
6.02E23 ¦ 6.02 \cdot 10^{22}
B) Paris ¦ B) London
B or C ¦ B
Both B and C ¦ B
$5k ¦ 5
negative 3 ¦ 3
±3 ¦ 3
3x ¦ 3
3x^2 ¦ 3x2
x3 ¦ 3x
x = 3, y = 4 ¦ x = 4, y = 3
x=3, y=4 ¦ (3,5)
50% ¦ 50
5\sqrt2 ¦ 7.07
45^\circ ¦ \pi/4
3:15 ¦ 3:15 pm
3/4 ¦ 3:4
3:4 ¦ 4:3
\{\} ¦ \{0\}
2+3i ¦ 2-3i
1 and 2 ¦ 12
1,00,000 ¦ 1
3 hours 20 minutes ¦ 3.2 hours
\textbf{(A) } 12 ¦ B
True ¦ False
Yes ¦ No
7/3 cm ¦ 7/3 m
5 \text{ or } 6 ¦ 5
\lfloor 3.5 \rfloor ¦ 4
\lceil 3.5 \rceil ¦ \lfloor 3.5 \rfloor
e ¦ 2.718
f(x) = 2x ¦ g(x)=2x
2x-y=0 ¦ 4x-y=0
18! ¦ 18
100^\circ\text{C} ¦ 100^\circ\text{F}
\approx 3.14 ¦ 3.14
approximately 3.14 ¦ 3.14
2,5 ¦ 2.5
2;5 ¦ 2.5
-\infty ¦ \infty
1/3 ¦ 0.33
33.3% ¦ 1/3
6'2" ¦ 62
11:30 AM ¦ 11:30 PM
noon ¦ midnight
2.5M ¦ 2.5
Saturday ¦ Sunday
C: 42 ¦ 42
A, C ¦ A
AC ¦ A
$1.5 ¦ $15
(x-2)(x-3) ¦ x^2+x-6
3, 3, 4 ¦ 3, 4
5 \pmod{7} ¦ 5
x \equiv 5 \pmod 7 ¦ x \equiv 2 \pmod 7
x/3 ¦ 3/x
£12 ¦ $12
CHF 12 ¦ 12 dollars
x \le 3 \text{ or } x \ge 5 ¦ x \le 3
1.2.3 ¦ 1.23
5+/-2 ¦ 7
7 R 3 ¦ 7
7 remainder 3 ¦ 73
32 ¦ 3²
0.1\overline{6} ¦ 0.16
0.333... ¦ 0.333
\frac{22}{7} ¦ \pi
25\% ¦ 25
1:2 ¦ 2:1
4th ¦ 4
Item 4 ¦ 4
No. 4 ¦ 4
2(x+1) ¦ 2x+1
|x| ¦ x
8^1/3 ¦ 2
10% per year ¦ 10
10 per 100 ¦ 10
5 per hour ¦ 5
5% ¦ $0.05
50% ¦ 0.5 hours
50% ¦ 1/2 cup
1 month ¦ 30 days
12 m ¦ 12 min
10^-2 ¦ 10-2
(1,2) ¦ 12
€12.000 ¦ 12000
sin 30 ¦ 0.5
sin(30°) ¦ sin(30)
90° ¦ 90%
3 or more ¦ 3
at least 3 ¦ 3
less than 3 ¦ 3
3+ ¦ 3
<3 ¦ 3
>3 ¦ 3
3* ¦ 3
3' ¦ 3
3'' ¦ 3
0x10 ¦ 16
0x10 ¦ 0
1010_2 ¦ 10
1010_2 ¦ 1010
1010_{2} ¦ 1010_{3}
0b101 ¦ 5
101_{(2)} ¦ 101
10:30 ¦ 10.5
2nd ¦ 2
20s ¦ 20
7,8 ¦ 78
7 8 ¦ 78
1 00 ¦ 100
1 1/2 ¦ 1/2
2 1/2 ¦ 2, 1/2
2(1/2) ¦ 2 1/2
2\left(\frac12\right) ¦ 5/2
\text{none} ¦ 0
None of the above ¦ none
p = 0.05 ¦ p < 0.05
1 in 4 ¦ 4
1 to 4 ¦ 1/4
1:4 ¦ 1/4
5:00 ¦ 5
2024-01-05 ¦ 2018
January 5, 2024 ¦ January 6, 2024
1 year ¦ 365 days
100 cm^2 ¦ 1 m^2
1 km^2 ¦ 1000 m^2
5° ¦ 5 °C
5 square meters ¦ 5 meters
3 \times 4 ¦ 12
3 \times 4 ¦ 4 \times 3
3x4 ¦ 12
3 by 4 ¦ 12
3 by 4 ¦ 3
x = 5 cm ¦ 5 m
A = 12 ¦ A
A=12 ¦ B=12
about 12 ¦ 12
over 12 ¦ 12
12 not 13 ¦ 12
12, not 13 ¦ 12
12 instead of 13 ¦ 12
12? ¦ 12
12!! ¦ 12
not sure, maybe 12 ¦ 12
12 and a half ¦ 12
12.5 and a half ¦ 13
12 km ¦ 12 miles
1 ton ¦ 1000 kg
B Paris ¦ Paris B
(b) and (c) ¦ B
A and B ¦ A
neither A nor B ¦ A
not B ¦ B
A or B ¦ B
B? ¦ B
K ¦ k
\begin{pmatrix}1 & 2\end{pmatrix} ¦ (1, 2)
\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix} ¦ 1 2 3 4
\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix} ¦ \begin{pmatrix}1 & 2\\3 & 5\end{pmatrix}
(1, 2] ¦ [1, 2)
]1,2[ ¦ [1,2]
1 < x < 2 ¦ 1 < y < 2
1 < x < 2 ¦ 1 \le x < 2
x>=2 ¦ x => 2
x != 2 ¦ x = 2
x ≠ 2 ¦ 2
x > 2 ¦ 2
x \in \{1,2\} ¦ x = 1
2 < 3 ¦ true
y = 2x + 1 ¦ y = 2x - 1
a=1,b=2 ¦ a=2,b=1
(a,b)=(1,2) ¦ (b,a)=(1,2)
\frac{23}{} ¦ 23
\sqrt23 ¦ \sqrt{23}
x^10 ¦ x^1 \cdot 0
-2^2 ¦ 4
1/0 ¦ \infty
0/0 ¦ 0
0.999... ¦ 1
5 red apples ¦ 5 green apples
5 more apples ¦ 5 apples
5 fewer ¦ 5
5 times ¦ 5
5 percent ¦ 5 percentage points
5 people ¦ 5 cars
5 USD ¦ 5 EUR
$5/hour ¦ $5
1,5 ¦ 1.5
1.5 ¦ 1,500
1.500 ¦ 1500
-1 ¦ —1
5 – 3 ¦ 2
5−3 ¦ 2
""")

MAY_BE_REFUSED = pairs(r"""
1 234,5 ¦ 1234.5
[0, 1) ¦ 0 \le x < 1
(0,1) ¦ 0<x<1
2 \geq x ¦ x \leq 2
[[1, 2], [3, 4]] ¦ \begin{pmatrix}1&2\\3&4\end{pmatrix}
\langle 1, 2 \rangle ¦ \langle 1, 2.0\rangle
1.5e-3 ¦ 1.5 x 10^-3
$5k ¦ 5000
minus 3 ¦ -3
negative 3 ¦ -3
x = 3, y = 4 ¦ y = 4, x = 3
\emptyset ¦ \varnothing
\{\} ¦ \emptyset
100,000 ¦ 1,00,000
3h 20m ¦ 200 minutes
\lfloor 3.5 \rfloor ¦ 3
y=2x ¦ x = y/2
2x-y=0 ¦ 4x-2y=0
\infty ¦ infinity
all real numbers ¦ \mathbb{R}
a dozen ¦ 12
6'2" ¦ 74 inches
noon ¦ 12:00 PM
A, C ¦ C, A
AC ¦ A, C
Rs. 500 ¦ 500 rupees
Rs 500 ¦ 500
CHF 12 ¦ 12
(2, 3], (4, 5) ¦ (2,3] \cup (4,5)
5+/-2 ¦ 5 \pm 2
7 R 3 ¦ 7 remainder 3
0.333... ¦ 1/3
#4 ¦ 4
1/2, 1/3 ¦ (1/2, 1/3)
-1/2 ¦ 1/-2
10\%\text{ per year} ¦ 10%
10 lb ¦ 10 pounds
£10 ¦ 10 pounds
3.0 x 10^8 ¦ 300000000
\sin 30^\circ ¦ \frac12
sin(30°) ¦ 1/2
3 (apples) ¦ 3
IV ¦ 4
2 \frac{x}{2} ¦ x
\frac{1}{2}3 ¦ 3/2
1 in 4 ¦ 1/4
1 out of 4 ¦ 1/4
2024-01-05 ¦ January 5, 2024
Jan 5, 2024 ¦ January 5, 2024
half an hour ¦ 30 minutes
Area: 12 ¦ 12
total: 12 ¦ 12
12 (total) ¦ 12
exactly 12 ¦ 12
just 12 ¦ 12
only 12 ¦ 12
12 exactly ¦ 12
12 and a half ¦ 12.5
12 h ¦ 12 hours
12h ¦ 12 hours
12' ¦ 12 ft
1 ton ¦ 2000 lbs
The answer is B ¦ B
B (Paris) ¦ B
B - Paris ¦ B
B Paris ¦ B
<B> ¦ B
{B} ¦ B
(B ¦ B
\begin{pmatrix}1 \\ 2\end{pmatrix} ¦ (1, 2)
]1, 2] ¦ (1, 2]
1 < x < 2 ¦ 2 > x > 1
3y = 6x ¦ y=2x
a=1,b=2 ¦ b=2,a=1
(a,b)=(1,2) ¦ (1,2)
\sqrt 23 ¦ 3\sqrt2
e^{i\pi} ¦ -1
i^2 ¦ -1
5 apples ¦ 5 apple
5 red apples ¦ 5 apples
5 pairs ¦ 10
5°C ¦ 5
5 people per car ¦ 5
$5 an hour ¦ $5 per hour
1 500,00 ¦ 1500
１２ ¦ 12
١٢ ¦ 12
12。 ¦ 12
十二 ¦ 12
$１２ ¦ 12
""")
"""One value, written so that a reader may hold it for another: to be called equal, or not to be."""
