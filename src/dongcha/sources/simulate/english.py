"""The shop in English: a British home-and-living shop."""

from __future__ import annotations

from typing import Final

from dongcha.sources.simulate.english_talk import DESK, PAGES, REVIEWS
from dongcha.sources.simulate.words import CategoryWords, Festival, People, Words, listed

_PEOPLE: Final = People(
    women=listed(
        "Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophia Isabella Grace Daisy "
        "Sienna Poppy Elsie Emily Ella Evelyn Phoebe Evie Charlotte Harper Millie Matilda Maya Sophie "
        "Alice Emma Ruby Priya Aisha Zara Hannah Fatima Niamh Bronwen Eilidh Margaret Susan Helen Claire "
        "Joanne Nicola"
    ),
    men=listed(
        "Noah Oliver George Arthur Muhammad Leo Harry Oscar Archie Henry Theodore Freddie Jack Charlie "
        "Theo Alfie Jacob Thomas Finley Arlo William Lucas Roman Tommy Isaac Teddy Alexander Luca Edward "
        "James Joshua Albie Elijah Max Hamish Rhys Callum Rohan Omar Ibrahim David Stephen Graham Neil "
        "Simon Peter"
    ),
    families=listed(
        "Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Roberts Johnson Lewis Walker "
        "Robinson Wood Thompson White Watson Jackson Wright Green Harris Cooper King Lee Martin Clarke "
        "James Morgan Hughes Edwards Hill Moore Clark Harrison Scott Young Morris Hall Ward Turner "
        "Carter Phillips Mitchell Patel Adams Campbell Anderson Allen Cook Bailey Khan Begum Hussain "
        "Singh Murray Stewart Reid Ross MacDonald Kelly Murphy Byrne Griffiths"
    ),
    family_first=False,
    mail_names=(),
    cities=(
        "London",
        "Birmingham",
        "Manchester",
        "Leeds",
        "Glasgow",
        "Sheffield",
        "Liverpool",
        "Bristol",
        "Edinburgh",
        "Leicester",
        "Cardiff",
        "Coventry",
        "Belfast",
        "Nottingham",
        "Newcastle upon Tyne",
        "Brighton",
        "Hull",
        "Plymouth",
        "Southampton",
        "Derby",
        "Norwich",
        "Oxford",
        "Cambridge",
        "York",
        "Exeter",
        "Aberdeen",
        "Swansea",
        "Bath",
        "Dundee",
        "Reading",
        "Milton Keynes",
        "Ipswich",
        "Chester",
        "Inverness",
        "Canterbury",
        "Lancaster",
    ),
    country="GB",
    phone_prefixes=("+44 7400", "+44 7511", "+44 7624", "+44 7700", "+44 7810", "+44 7922"),
    mail_hosts=("example.com", "example.org", "example.net", "post.example", "mail.example"),
)

_CATEGORIES: Final = (
    CategoryWords(
        "Coffee & Tea",
        (
            "Espresso Beans",
            "Filter Coffee",
            "Green Tea",
            "Breakfast Tea",
            "Cold Brew",
            "Herbal Infusion",
            "Matcha",
            "Decaf Roast",
        ),
        ("Morning Bell", "Harlow & Finch", "Tidewater", "Kestrel"),
        9.5,
        refill_days=30,
    ),
    CategoryWords(
        "Skin Care",
        ("Face Cream", "Cleanser", "Serum", "Hand Balm", "Sun Lotion", "Night Mask", "Lip Balm", "Toner"),
        ("Fennel", "Saltmarsh", "Luma", "Orchard Row"),
        16.0,
        refill_days=60,
    ),
    CategoryWords(
        "Pet Supplies",
        ("Dog Food", "Cat Food", "Cat Litter", "Chew Toy", "Pet Bed", "Dog Lead", "Treats", "Scratching Post"),
        ("Barkley", "Whisker & Co", "Burrow", "Tailwind"),
        14.0,
        refill_days=35,
    ),
    CategoryWords(
        "Stationery",
        (
            "Notebook",
            "Fountain Pen",
            "Planner",
            "Pencil Set",
            "Gift Wrap",
            "Desk Organiser",
            "Ink Bottle",
            "Greeting Cards",
        ),
        ("Quillfeather", "Paper Lane", "Inkwell", "Foolscap"),
        8.0,
        gift=True,
    ),
    CategoryWords(
        "Kitchen",
        ("Frying Pan", "Chef's Knife", "Storage Jar", "Teapot", "Mixing Bowl", "Chopping Board", "Kettle", "Casserole"),
        ("Copperpot", "Hearthside", "Galley", "Thistle"),
        32.0,
        gift=True,
    ),
    CategoryWords(
        "Home & Decor",
        ("Candle", "Throw Blanket", "Cushion", "Table Lamp", "Vase", "Picture Frame", "Rug", "Mirror"),
        ("Willow & Rye", "Lantern", "Nordhus", "Clayfield"),
        28.0,
        gift=True,
    ),
    CategoryWords(
        "Electronics",
        ("Headphones", "Bluetooth Speaker", "Smart Watch", "Tablet", "E-Reader", "Desk Lamp", "Power Bank", "Webcam"),
        ("Volt", "Sonara", "Brightline", "Pixelworks"),
        95.0,
    ),
    CategoryWords(
        "Women's Clothing",
        ("Wool Jumper", "Linen Dress", "Rain Coat", "Silk Scarf", "Jeans", "Cardigan", "Blouse", "Ankle Boots"),
        ("Marlowe", "Ivy Street", "Seabright", "Petal & Thorn"),
        45.0,
    ),
    CategoryWords(
        "Men's Clothing",
        (
            "Oxford Shirt",
            "Chinos",
            "Waxed Jacket",
            "Merino Jumper",
            "Leather Belt",
            "Polo Shirt",
            "Desert Boots",
            "Flat Cap",
        ),
        ("Ashdown", "Northgate", "Harris & Vale", "Drover"),
        48.0,
    ),
    CategoryWords(
        "Toys & Games",
        ("Board Game", "Wooden Train", "Puzzle", "Plush Bear", "Building Blocks", "Card Game", "Paint Set", "Kite"),
        ("Tumbledown", "Little Acorn", "Jolly Robin", "Rook & Pawn"),
        19.0,
        gift=True,
    ),
    CategoryWords(
        "Sport & Outdoors",
        ("Yoga Mat", "Running Shoes", "Tent", "Water Bottle", "Rucksack", "Bike Light", "Dumbbells", "Sleeping Bag"),
        ("Fellwalker", "Summit", "Swift & Sure", "Trailhead"),
        39.0,
    ),
    CategoryWords(
        "Furniture",
        ("Armchair", "Bookcase", "Coffee Table", "Bed Frame", "Dining Chair", "Sideboard", "Office Chair", "Wardrobe"),
        ("Oak & Anvil", "Homestead", "Joinery", "Larch"),
        180.0,
    ),
)

WORDS: Final = Words(
    language="en",
    currency="GBP",
    utc_offset_hours=0,
    people=_PEOPLE,
    adjectives=(
        "Classic",
        "Everyday",
        "Heritage",
        "Compact",
        "Deluxe",
        "Organic",
        "Soft",
        "Bright",
        "Rustic",
        "Modern",
        "Petite",
        "Grand",
        "Autumn",
        "Coastal",
        "Midnight",
        "Garden",
    ),
    categories=_CATEGORIES,
    festivals=(
        Festival("New Year Sale", (1, 2), (1, 10), 1.7),
        Festival("Valentine's Day", (2, 7), (2, 13), 1.4),
        Festival("Mother's Day", (3, 1), (3, 10), 1.4),
        Festival("Summer Sale", (7, 8), (7, 16), 1.8),
        Festival("Back to School", (8, 25), (9, 3), 1.3),
        Festival("Black Friday", (11, 22), (11, 30), 2.8),
        Festival("Christmas", (12, 5), (12, 20), 1.9),
    ),
    channels=("web", "app"),
    store="store",
    describe="{adjective} {noun} by {brand}. Made to be used every day, returnable within 30 days.",
    reviews=REVIEWS,
    desk=DESK,
    pages=PAGES,
)
