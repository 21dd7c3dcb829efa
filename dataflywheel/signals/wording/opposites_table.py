"""Opposites of everyday English and irregular forms, as plain lists."""

# ruff: noqa: SIM905
from __future__ import annotations

CLUSTERS = """
increase rise grow raise climb expand gain boost / decrease fall drop decline reduce lower shrink diminish lessen lose
more / less fewer
many much / few little
high tall / low short
big large huge great / small little tiny
long / short brief
old / young new
hot warm / cold cool
fast quick rapid / slow
early / late
strong powerful / weak feeble
hard difficult tough / easy simple
hard / soft
heavy / light
bright light / dark dim
deep / shallow
wide broad / narrow
thick fat / thin slim
rich wealthy / poor
full / empty
clean / dirty polluted contaminated
dry / wet moist
open / close shut
loud noisy / quiet silent
cheap inexpensive / expensive costly
safe secure harmless / dangerous hazardous risky harmful toxic unsafe
healthy / sick ill
good great excellent / bad poor terrible awful
best / worst
better / worse
right correct accurate / wrong incorrect false inaccurate
true / false untrue
real genuine / fake
positive / negative
happy glad / sad unhappy
love like adore enjoy / hate dislike detest
friend ally / enemy foe
win / lose
success succeed / failure fail
pass / fail
accept approve / reject refuse decline deny disapprove
agree / disagree
agree consent / refuse decline
acceptance approval / refusal rejection
cause / prevent avoid
confirm / deny
prove / disprove refute
victory / defeat
gain / loss
continue / stop end
release emit / absorb
on / off
sink / float
fill / empty
for / against
real / imaginary
anode / cathode
numerator / denominator
latitude / longitude
allow permit let / forbid prohibit ban prevent deny
legal lawful / illegal unlawful
include / exclude
add / remove subtract delete
multiply / divide
plus / minus
buy purchase / sell
borrow / lend
give send / take receive get
push / pull
start begin launch / stop end finish
first / last
before / after
earlier sooner / later
previous / next following
above over / below under beneath
inside within / outside
in / out
up / down
north northern / south southern
east eastern / west western
left / right
front / back rear
top / bottom
upper / lower
near close / far distant
arrive come enter / leave go exit depart
rise / set
ascend ascending / descend descending
upward / downward
forward / backward
horizontal / vertical
internal interior / external exterior
minimum minimal least / maximum maximal most
minimise minimize / maximise maximize
optional voluntary / mandatory compulsory required obligatory
possible / impossible
likely probable / unlikely improbable
common frequent / rare scarce
often frequently usually / rarely seldom
permanent / temporary
ancient old / modern
public / private
majority / minority
major / minor
senior / junior
superior / inferior
expert / novice beginner
guilty / innocent
alive live / dead die
birth / death
male man boy / female woman girl
husband / wife
king / queen
father / mother
son / daughter
brother / sister
day / night
summer / winter
morning / evening
sunrise / sunset
black / white
war / peace
profit / loss
asset / liability
debit / credit
supply / demand
cause / effect
question / answer
attack / defend
attacker / defender
save / waste spend
save / lose
build create construct / destroy demolish
appear / disappear vanish
connect attach join / disconnect detach separate
lock / unlock
tie / untie
install / uninstall
hire employ / fire dismiss
praise / criticise criticize blame
protect / endanger harm
help support aid / hinder hamper oppose harm
encourage / discourage
enable / disable
activate / deactivate
remember / forget
show reveal expose / hide conceal
freeze / melt thaw
solid / liquid
hit / miss
strengthen / weaken
improve / worsen deteriorate
ahead / behind
present / absent
presence / absence
advantage benefit / disadvantage drawback
pro / con
always / never
everybody everyone / nobody
everything / nothing
everywhere / nowhere
interesting exciting / boring dull
kind nice / cruel mean
brave / cowardly
polite / rude
honest / dishonest
smart clever intelligent / stupid dumb
beautiful pretty / ugly
calm / nervous anxious
rough / smooth
sharp / blunt
sweet / sour bitter
raw / cooked
asleep / awake
innocuous / noxious
odd / even
acid acidic / alkaline basic
conductor / insulator
entrance / exit
import / export
inhale / exhale
attract / repel
compress / expand
convex / concave
deposit / withdraw
employee / employer
teacher / student
doctor / patient
plaintiff / defendant
predator / prey
winner / loser
optimist optimistic / pessimist pessimistic
zenith / nadir
clockwise / counterclockwise anticlockwise
active / passive
fresh / stale
fixed / variable
dependent / independent
singular / plural
visible / invisible
abundant / scarce
synthetic artificial / natural
urban / rural
domestic / foreign
local / global
liberal / conservative
ally / rival
"""
"""A line a pair: words of one meaning, and those that say the contrary. Base forms."""
IRREGULAR = {
    form: base
    for base, given in (
        line.split(":")
        for line in (
            "rise:rose risen|grow:grew grown|fall:fell fallen|lose:lost|win:won|buy:bought|sell:sold|give:gave "
            "given|take:took taken|send:sent|begin:began begun|come:came|go:went gone "
            "goes|leave:left|lend:lent|forget:forgot forgotten|hide:hid hidden|freeze:froze "
            "frozen|build:built|spend:spent|shrink:shrank shrunk|break:broke broken|forbid:forbade "
            "forbidden|withdraw:withdrew withdrawn|understand:understood|let:let|shut:shut|hit:hit|get:got "
            "gotten|show:shown|sleep:slept|wake:woke woken|man:men|woman:women|wife:wives|die:died dying|tie:tied "
            "tying|mean:meant|set:set|keep:kept|find:found|deny:denied|know:knew "
            "known|like:liked|make:made|do:did done does|run:ran|see:saw seen|have:has had|be:is are was were "
            "been being am|lead:led|draw:drew drawn|teach:taught|think:thought|bring:brought|stand:stood|"
            "hold:held|tell:told|pay:paid|rebuild:rebuilt|overcome:overcame|undo:undid undone|live:living|far:further "
            "farther farthest"
        ).split("|")
    )
    for form in given.split()
}
