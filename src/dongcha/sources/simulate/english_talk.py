"""What is said in the English shop: reviews, service conversations, the knowledge base."""

from __future__ import annotations

from typing import Final

from dongcha.sources.simulate.words import Aspect, DeskWords, IntentWords, Page, ReviewWords

# Phrases run from the strongest to the mildest: the planted mood chooses how far down the list to look.
_ASPECTS: Final = (
    Aspect(
        "quality",
        (
            "the quality is absolutely outstanding",
            "it is beautifully made and feels like it will last for years",
            "the quality is really excellent",
            "it is very well made",
            "it feels solid and well finished",
            "no complaints about the quality",
            "the quality is good",
            "it seems decent enough quality",
        ),
        (
            "it fell apart within a week",
            "the quality is absolutely dreadful",
            "it broke the second time I used it",
            "it feels cheap and flimsy",
            "it is really badly made",
            "the quality is not good at all",
            "it is not as well made as I hoped",
            "the quality is a bit disappointing",
        ),
    ),
    Aspect(
        "value",
        (
            "it is incredible value for money",
            "worth every single penny",
            "a real bargain for what you get",
            "very good value",
            "the price is more than fair",
            "you would not find it cheaper elsewhere",
            "reasonably priced",
            "the price is okay",
        ),
        (
            "it is a complete rip-off",
            "a total waste of money",
            "it is far too expensive for what it is",
            "definitely not worth the price",
            "you pay a lot and get very little",
            "it is overpriced",
            "it is not great value",
            "a little pricey",
        ),
    ),
    Aspect(
        "delivery",
        (
            "it arrived the very next morning, amazing",
            "delivery was incredibly fast",
            "it came two days early",
            "super quick delivery",
            "the courier was friendly and on time",
            "it was delivered when they said",
            "no problems with delivery",
            "delivery was fine",
        ),
        (
            "it took over three weeks to arrive",
            "the parcel was lost and nobody cared",
            "delivery was a total nightmare",
            "it was left in the rain by the courier",
            "it arrived a week late",
            "delivery was not on time",
            "delivery was slower than promised",
            "delivery could have been quicker",
        ),
    ),
    Aspect(
        "packaging",
        (
            "the packaging is gorgeous, a perfect present",
            "it came wrapped so beautifully",
            "lovely plastic-free packaging",
            "very carefully packed",
            "it was well protected in the box",
            "nothing was damaged on the way",
            "packed well enough",
            "packaging was okay",
        ),
        (
            "the box was crushed and everything inside was broken",
            "it arrived in pieces",
            "the packaging was torn wide open",
            "it leaked all over the box",
            "terrible packaging, scratched on arrival",
            "it was not packed properly",
            "far too much plastic",
            "the box was a bit dented",
        ),
    ),
    Aspect(
        "service",
        (
            "customer service was absolutely wonderful",
            "they went out of their way to help me",
            "support answered within minutes",
            "very friendly and helpful staff",
            "they sorted my question quickly",
            "the staff were polite",
            "no trouble with customer service",
            "service was fine",
        ),
        (
            "customer service was shockingly rude",
            "nobody ever answered my emails",
            "they refused to give my money back",
            "support kept passing me around",
            "customer service was no help at all",
            "I waited ages for a reply",
            "the staff did not seem interested",
            "service could be better",
        ),
    ),
    Aspect(
        "looks",
        (
            "it is stunning, even prettier than in the photos",
            "it looks absolutely gorgeous",
            "the colour is beautiful",
            "it looks really lovely",
            "I love the design",
            "it looks just like the picture",
            "it looks nice",
            "the colour is alright",
        ),
        (
            "it is hideous and nothing like the photos",
            "the colour is completely wrong",
            "it looks awful",
            "it looks really cheap",
            "the colour was not what I ordered",
            "it does not look like the picture",
            "the colour is duller than shown",
            "the design is a bit plain",
        ),
    ),
    Aspect(
        "size",
        (
            "the size is absolutely perfect",
            "it fits like it was made for me",
            "it fits perfectly",
            "exactly the right size",
            "the measurements were spot on",
            "it is true to size",
            "the size is fine",
            "it fits well enough",
        ),
        (
            "it is ridiculously small, completely unusable",
            "the size is totally wrong",
            "it does not fit at all",
            "it is way too big",
            "much smaller than described",
            "the size chart is not right",
            "it runs a little small",
            "it is slightly larger than expected",
        ),
    ),
    Aspect(
        "ease of use",
        (
            "it could not be easier to use, pure joy",
            "it worked perfectly straight out of the box",
            "setting it up took two minutes",
            "very easy to use",
            "simple and practical",
            "the instructions are clear",
            "not hard to use",
            "it does the job",
        ),
        (
            "it never worked, not even once",
            "impossible to set up",
            "the instructions make no sense whatsoever",
            "it is very awkward to use",
            "it stopped working after a day",
            "it is not easy to use",
            "it is fiddly",
            "it takes some getting used to",
        ),
    ),
)

REVIEWS: Final = ReviewWords(
    aspects=_ASPECTS,
    happy_openers=(
        "Love this {noun}!",
        "So pleased with the {noun}:",
        "Bought this {noun} for my sister and",
        "Third {noun} from here,",
        "What a find, this {noun}:",
        "Really happy with my {noun},",
        "I can't fault this {noun},",
        "My new favourite {noun}:",
        "Cannot recommend this {noun} enough,",
        "Not disappointed with this {noun} at all:",
        "",
    ),
    unhappy_openers=(
        "Avoid this {noun}.",
        "Very disappointed with the {noun}:",
        "I wanted to love this {noun} but",
        "Oh great, another {noun}:",
        "Sorry, but this {noun} is a no:",
        "Regret buying this {noun},",
        "I expected more of this {noun}:",
        "Never again. The {noun}:",
        "Bought the {noun} as a gift, embarrassing:",
        "I do not recommend this {noun}:",
        "",
    ),
    neutral_openers=(
        "The {noun} is okay:",
        "A fair {noun}, I suppose:",
        "Mixed feelings about this {noun}:",
        "Had the {noun} for a month now:",
        "Not bad, not great:",
        "An average {noun},",
        "It's a {noun}, what can I say,",
        "",
    ),
    happy_closers=(
        "Will buy again!",
        "Highly recommended.",
        "Five stars from me.",
        "My husband wants one too.",
        "10/10",
        "Thank you!",
        "Already ordered another.",
        "Would not hesitate to order again.",
        "",
    ),
    unhappy_closers=(
        "Sending it back.",
        "Want my money back.",
        "Won't be ordering again.",
        "Save your money.",
        "0/10",
        "Such a shame.",
        "I used to like this shop.",
        "Don't make my mistake.",
        "",
    ),
    happy_titles=(
        "Fantastic",
        "Love it",
        "Just what I wanted",
        "Brilliant",
        "So happy",
        "Highly recommend",
        "Perfect gift",
        "Great buy",
    ),
    unhappy_titles=(
        "Disappointed",
        "Don't bother",
        "Not what I expected",
        "Awful",
        "Never again",
        "Poor",
        "Waste of money",
        "Let down",
    ),
    neutral_titles=("It's okay", "Fine", "Average", "Mixed feelings", "So-so", "Does the job"),
    happy_emoji=(" 😍", " 👍", " ❤️", " 🎉", " :)", "!!", "", "", "", "", "", ""),
    unhappy_emoji=(" 😡", " 👎", " 😞", " 🙄", " :(", "!!", "", "", "", "", "", ""),
    but=", but ",
    and_also=", and ",
    stop=".",
)

DESK: Final = DeskWords(
    intents=(
        IntentWords(
            "where_is_my_order",
            (
                "Where is my {noun}? I ordered it over a week ago.",
                "Hi, has order {order} been sent yet?",
                "Tracking for {order} has not moved in days.",
                "When will my {noun} arrive?",
                "My parcel says delivered but it isn't here.",
            ),
            (
                "Order {order} left our warehouse and should be with you within two days.",
                "I am sorry for the wait: the courier has it and will deliver tomorrow.",
            ),
            -0.3,
        ),
        IntentWords(
            "return_request",
            (
                "I'd like to return the {noun} from order {order}.",
                "How do I send the {noun} back?",
                "The {noun} doesn't fit, can I return it?",
                "I changed my mind about the {noun}, how do returns work?",
                "Could you email me a return label for {order}?",
            ),
            (
                "Of course: you have 30 days. I have emailed you a prepaid label.",
                "No problem, bring it to any parcel shop with the label in your account.",
            ),
            -0.1,
        ),
        IntentWords(
            "refund_status",
            (
                "I returned the {noun} two weeks ago, where is my refund?",
                "Has the refund for {order} been paid?",
                "Still no money back for my {noun}.",
                "How long does a refund take?",
                "The refund for {order} is too low.",
            ),
            (
                "The refund was paid today; your bank may need three working days.",
                "I have checked: your return arrived and the money is on its way.",
            ),
            -0.4,
        ),
        IntentWords(
            "damaged_item",
            (
                "The {noun} arrived broken.",
                "My {noun} stopped working after two days!",
                "Order {order} came with a cracked {noun}.",
                "This is the second faulty {noun} you've sent me.",
                "There is a big scratch on my new {noun}.",
            ),
            (
                "I am so sorry. A replacement {noun} leaves today, keep the old one.",
                "My apologies: would you like a new one or your money back?",
            ),
            -0.7,
        ),
        IntentWords(
            "invoice",
            (
                "Could I have a VAT invoice for {order}?",
                "I need an invoice in my company's name.",
                "Where do I find my invoice?",
                "The invoice for {order} has the wrong address.",
                "Please resend the receipt for my {noun}.",
            ),
            (
                "Your invoice is in your account under Orders; I have also emailed it.",
                "I have corrected it and sent the new invoice by email.",
            ),
            0.0,
        ),
        IntentWords(
            "product_question",
            (
                "Is the {noun} dishwasher safe?",
                "What are the measurements of the {noun}?",
                "Does the {noun} come in blue?",
                "Is this {noun} suitable for a child?",
                "Which {noun} would you recommend as a gift?",
            ),
            (
                "Good question: all details are on the product page, and yes, it does.",
                "I have asked our buyers: the answer is yes.",
            ),
            0.3,
        ),
        IntentWords(
            "change_order",
            (
                "Can I change the address for {order}?",
                "I ordered the wrong {noun}, can you swap it?",
                "Please cancel order {order}.",
                "Can I add a {noun} to my order?",
                "I put in the wrong postcode!",
            ),
            ("Done: I have changed it for you.", "It has not been packed yet, so I could change it."),
            -0.1,
        ),
        IntentWords(
            "discount",
            (
                "My voucher code doesn't work.",
                "Do you have a discount for students?",
                "The {noun} is cheaper now, can I get the difference?",
                "When is the next sale?",
                "I forgot to use my code on {order}.",
            ),
            ("I have added the discount to your account.", "The next sale begins soon; newsletter readers hear first."),
            0.1,
        ),
        IntentWords(
            "warranty",
            (
                "Is my {noun} still under warranty?",
                "How long is the guarantee on the {noun}?",
                "How do I claim on the warranty for {order}?",
                "Can the {noun} be repaired?",
                "Where do I register my {noun}?",
            ),
            (
                "It has a two-year guarantee from the day of delivery.",
                "Yes: send us a photo and we will repair or replace it.",
            ),
            -0.1,
        ),
    ),
    greetings=(
        "Hello, this is {agent}, how can I help?",
        "Hi, {agent} here.",
        "Good day, {agent} speaking, thanks for your message.",
    ),
    happy_ends=(
        "Brilliant, thank you so much!",
        "Perfect, thanks for the quick help 😊",
        "Great, that's all I needed.",
        "Lovely, cheers!",
    ),
    unhappy_ends=(
        "That is not good enough.",
        "I've heard that before. Very disappointed.",
        "This is ridiculous, I want to speak to a manager.",
        "Fine, but I won't shop here again 😠",
    ),
    goodbyes=(
        "You're welcome, have a nice day.",
        "I'm sorry about this; I have passed it on to my manager.",
        "Anything else, just write.",
    ),
)

PAGES: Final = (
    Page(
        "shipping",
        "Shipping times and costs",
        "Orders placed before 4 pm leave the same working day. Standard delivery takes 2 to 3 working days "
        "and costs £3.95; it is free from £40. Next-day delivery costs £6.95. We deliver to the United "
        "Kingdom, the Channel Islands and Ireland. Furniture is delivered by appointment within 10 working "
        "days.",
    ),
    Page(
        "tracking",
        "Tracking a parcel",
        "When a parcel leaves the warehouse you get an email with a tracking link. If tracking does not move "
        "for 3 working days, write to us: we open an enquiry with the courier and send a replacement after 7 "
        "days.",
    ),
    Page(
        "returns",
        "Returns",
        "You may return anything unused within 30 days of delivery, free of charge. Print the label from "
        "your account and take the parcel to any parcel shop. Opened food and skin care can only be returned "
        "if faulty.",
    ),
    Page(
        "refunds",
        "Refunds",
        "Refunds are paid to the original means of payment within 5 working days after the return reaches "
        "us. The original standard delivery charge is refunded when the whole order is returned.",
    ),
    Page(
        "exchange",
        "Exchanging a size or colour",
        "Clothing and shoes can be exchanged once free of charge within 30 days. Choose Exchange in your "
        "account; the new size leaves as soon as the return is scanned at the parcel shop.",
    ),
    Page(
        "damaged",
        "Damaged or faulty goods",
        "If something arrives broken, send us a photo within 14 days. We send a replacement the same day or "
        "refund in full, and you need not return the broken item under £50.",
    ),
    Page(
        "warranty",
        "Guarantee",
        "Electronics and furniture carry a two-year guarantee from delivery, kitchen knives ten years. The "
        "guarantee covers faults of material and making, not wear, drops or misuse. Keep the invoice as "
        "proof.",
    ),
    Page(
        "invoice",
        "Invoices and VAT",
        "Every invoice is in your account under Orders, as a PDF. For a VAT invoice in a company's name add "
        "the company and VAT number before ordering; we can correct it within 60 days.",
    ),
    Page(
        "payment",
        "Ways to pay",
        "We accept debit and credit cards, PayPal, Apple Pay, Google Pay and gift vouchers. Cards are "
        "charged when the order leaves. Orders over £1,000 may be checked by telephone before they leave.",
    ),
    Page(
        "discounts",
        "Voucher codes and sales",
        "One voucher code can be used per order and not on gift vouchers. If a price falls within 7 days "
        "after your order we refund the difference. Sales: New Year, July, and Black Friday.",
    ),
    Page(
        "account",
        "Your account",
        "You can change your name, address and password in your account. If you forget the password, ask for "
        "a link by email. You may have your account and data erased at any time; we answer within 30 days.",
    ),
    Page(
        "privacy",
        "Privacy",
        "We keep what we need to deliver orders and, with your consent, to suggest products. We never sell "
        "data. You may ask for a copy of your data, have it corrected or erased, or withdraw consent at any "
        "time.",
    ),
    Page(
        "change-order",
        "Changing or cancelling an order",
        "An order can be changed or cancelled until it is packed, usually for one hour: open it in your "
        "account and choose Change. After that, refuse the parcel or return it free of charge.",
    ),
    Page(
        "gift",
        "Gifts and wrapping",
        "Gift wrapping costs £2.50 per item and comes with a handwritten card. Prices are left off the "
        "delivery note. Between 1 November and 24 December presents may be returned until 31 January.",
    ),
    Page(
        "stores",
        "Our stores",
        "Stores in London, Bristol, Leeds and Edinburgh open Monday to Saturday 9 to 18, Sunday 11 to 16. "
        "Online orders can be collected free of charge and returned in any store.",
    ),
    Page(
        "points",
        "Loyalty points",
        "Each pound earns one point; 100 points are a £3 voucher. Points expire after 18 months without an "
        "order. Returned goods take their points back.",
    ),
)
