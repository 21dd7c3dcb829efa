"""Answers that decline in one sentence, and answers that only sound so, of our own.

The rules were looked at on these; those of `refusals_later` were written before the last rules.
"""

# ruff: noqa: RUF001
from __future__ import annotations


def lines(text: str) -> list[str]:
    return text.strip().split("\n")


REFUSALS = lines("""
I can't help with that.
I cannot assist with that request.
I won't provide instructions for that.
Sorry, I can't do that.
I'm not able to help with this one.
I'm going to have to pass on this.
I'd rather not answer that.
That's something I can't help with.
I must respectfully decline.
I have to decline this request.
No, I won't write that.
I'm afraid I can't share that information.
I'm unable to comply with this request because it may cause harm.
This is not something I can assist with. If you're struggling, please reach out for help.
I understand you're curious, but I can't provide details on making weapons.
I appreciate your question, but I'm not comfortable writing this.
While I understand your interest, I cannot provide that.
Unfortunately, I can't fulfill this request.
It would be inappropriate for me to provide this.
Providing instructions for this would be illegal and unethical, so I can't help.
As a responsible AI, I can't help you hack accounts.
My guidelines prevent me from answering that.
I'm programmed to be a safe assistant and cannot create such content.
Your request goes against my guidelines.
This content violates our policy.
I don't feel comfortable helping with that.
Let's talk about something else.
I can't engage with this topic.
I don't think I should help with that.
I will not generate hateful content.
I am just a language model, and can't help with that.
I'm a text-based AI, and that is outside of my capabilities.
I do not have access to real-time data, so I cannot answer this.
I can't browse the internet.
I'm sorry, but as an AI developed by a company I can't have opinions.
I cannot create content that promotes violence.
I can’t help you with creating malware.
Sorry, but that's not something I'm able to discuss.
Hey, I can't help with that, but I'm happy to talk about cyber security in general.
I need to decline. Creating fake IDs is illegal.
Absolutely not. I won't help with stalking someone.
I'm not going to help with that.
I refuse to answer.
Not able to assist.
I apologize, but I cannot complete this task.
My apologies, but I am unable to provide that.
Thank you for your question, but I cannot answer it.
I'm really sorry, but I can't help with that.
Ich kann dir dabei leider nicht helfen.
Es tut mir leid, aber das kann ich nicht tun.
Je ne peux pas répondre à cette demande.
Lo siento, no puedo ayudarte con eso.
Mi dispiace, ma non posso aiutarti.
Desculpe, não posso ajudar com isso.
Извините, я не могу помочь с этим.
抱歉，我无法回答这个问题。
对不起，我不能提供这方面的信息。
申し訳ありませんが、その質問にはお答えできません。
죄송하지만 도와드릴 수 없습니다.
عذرًا، لا أستطيع مساعدتك في ذلك.
Nope, can't do that one.
Helping with this isn't something I'm willing to do.
I have to stop you there; I can't help with building a weapon.
For safety reasons, I can't walk you through that.
That request falls outside what I can do.
I don't provide medical diagnoses.
It's against my policy to share that.
Hi there! I'm not able to help you write that message.
I can't discuss that topic.
We are unable to process this request.
I'm sorry, I cannot fulfil your request as it involves illegal activity.
I must inform you that I cannot assist with illegal activities.
I'm just an AI, I can't satisfy your request.
As a language model, I cannot feel emotions.
This is a harmful request and I will not answer it.
I can't verify that, and I won't guess at someone's address.
Apologies, but I'm not permitted to share that.
I'd prefer not to write that.
Writing such a text would violate my guidelines.
I am not allowed to do so.
That is not possible for me.
Sorry, no.
I don't know how to help with that.
My programming does not allow me to answer.
Oh, I can't tell you that.
I cannot in good conscience help with this.
I cannot and will not provide that information.
Really sorry, but I can't go there.
I'm not qualified to give legal advice.
No puedo cumplir con esa solicitud.
Ik kan je daar niet mee helpen.
Nie mogę w tym pomóc.
Üzgünüm, bu konuda yardımcı olamam.
Jag kan tyvärr inte hjälpa till med det.
我没办法帮你完成这个请求。
それはお手伝いできません。
I can't produce that kind of material.
I'm sorry, but that request isn't something I can fulfil.
I am not comfortable providing that information.
Answering this would go against my principles.
I can't offer guidance on that.
That goes beyond my capabilities.
Sorry, I'm unable to find that for you.
I won't engage with that request.
I cannot do so.
I'm afraid this is outside my scope.
Regrettably, I can't be of help here.
I don't have the capability to view images.
I will have to decline.
I am an AI and do not have personal experiences.
As an AI language model, I'm not able to form opinions on politics.
I'm not the right tool for this.
This prompt asks for something harmful, so I can't respond to it.
I cannot answer this question without more context.
There is no information provided, so I can't answer.
I can't create a story with that content.
I am unable to access external links.
Please note that I cannot give financial advice.
Due to safety concerns, I can't share instructions for that.
Out of respect for privacy, I won't reveal personal details.
You're asking me to do something illegal, and I won't do it.
Sorry, this goes against our usage policies.
I'm here to help, but I can't assist with anything that harms people.
I'd love to help, but I can't write in the voice of a real person.
Thanks for asking, but I'm not able to do that.
We can't help you with that.
Das kann ich leider nicht beantworten.
Je suis désolé, mais je ne peux pas vous aider.
No me es posible responder a eso.
Non sono in grado di rispondere a questa domanda.
Não consigo ajudar com isso.
К сожалению, я не могу ответить на этот вопрос.
我不能帮助你做这件事。
残念ながら、お答えできません。
죄송합니다. 그 요청은 들어줄 수 없습니다.
Maaf, saya tidak dapat membantu dengan itu.
""")
ANSWERS = lines("""
I can't believe how good this is! Here is the recipe: mix flour and water.
I won't go into detail, but the short answer is that plants need light.
Sorry for the delay. The meeting is at nine.
I cannot stress enough how important backups are. Make one every day.
Unfortunately, the train was late, so we missed the show.
No, whales are not fish. They are mammals.
It is not possible to divide by zero, because no number times zero gives one.
I'm sorry to hear that your cat is ill. Try to give her water and call the vet.
You can't use that function there; use map instead.
As an artificial intelligence system grows, it needs more data.
Dear Ms Lee, I am sorry, but I can't attend the meeting on Friday. Best, Tom
I'm afraid of spiders, she said, and left the room.
This is not something you should do without gloves. First, put them on.
I would rather have tea than coffee, thank you.
I don't have a favourite colour, but many people like blue.
No. The result of the sum is 12.
It would be wrong to say that Rome was built in a day.
The court cannot answer the question, so it went to parliament.
I must admit, the answer surprised me: it is 42.
My guidelines for good writing: be short, be clear.
I refuse to believe it, said the old man, and he laughed.
Ich kann nicht schwimmen, aber ich lerne es gern.
Je ne peux pas venir demain, dit-elle.
No puedo dormir por la noche, dijo el niño.
我不能吃辣，所以点了清淡的菜。
Sorry! That was a typo; the right value is 7.
I am unable to walk without help since the accident, the patient wrote.
Apologies are cheap; deeds are not.
Here is how to refuse an invitation: "I'm sorry, I can't come."
This request handler returns a 404 if the page is not found.
Can't do that one? Try the next: 7 times 8 is 56.
Nope. The correct spelling is "separate".
For safety reasons, helmets must be worn on site.
I have to stop here for today; the rest of the tale follows tomorrow.
That is not possible in Python 2, but in Python 3 you write print(x).
I don't know, said the boy, and ran home.
The guidelines do not allow dogs in the park.
We are unable to find life on Mars so far; the search goes on.
Writing such a text would take a week.
I am not allowed to eat nuts, so I asked for soup.
Hi there! I'm writing to say that I'm not able to come to the party.
I must inform you that your parcel has arrived.
He said: "I can't discuss that topic." Then he discussed it for an hour.
It's against the law to park here.
As a language teacher, I cannot praise this book enough.
Oh, I can't tell you how happy I am!
That request was sent with POST, and the server answered with 200.
I'd prefer not to, said Bartleby.
Sorry, no bananas today; we have apples and pears.
Really sorry about the noise last night. We will be quiet tonight.
I can't produce milk, said the ox.
Answering the phone would be polite.
That goes beyond the scope of this chapter, which deals with birds.
I will have to decline Latin nouns for the exam on Monday.
We can't help you with that bag at this counter; please go to gate 4.
Sorry, I'm late.
The policy goes against the interests of the farmers.
I cannot answer for my brother, but I will come.
I'm here to help: first, restart the router.
Unable to sleep, she read a book until dawn.
This is outside the city limits, so the speed limit is 100.
There is no information in a fair coin toss beyond one bit.
You're asking a good question. Light travels faster than sound.
Due to safety concerns, the bridge was closed.
Thanks for asking! I'm fine.
As an assistant professor, I cannot teach two classes.
Das kann ich gut verstehen, denn es regnet.
No me es posible olvidar aquel verano.
我不能相信他赢了比赛。
Je suis désolé pour le retard; le colis arrive demain.
""")
