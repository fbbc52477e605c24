"""The names of tables and columns, each written once: everyone else imports the constant."""

from typing import Final

# Tables of the contract
CUSTOMERS: Final = "customers"
PRODUCTS: Final = "products"
EVENTS: Final = "events"
ORDERS: Final = "orders"
REVIEWS: Final = "reviews"
MESSAGES: Final = "messages"
EXPOSURES: Final = "exposures"
OUTCOMES: Final = "outcomes"
STOCK: Final = "stock"
DOCUMENTS: Final = "documents"
IDENTITIES: Final = "identities"

# What every table has
HAPPENED_AT: Final = "happened_at"
KNOWN_AT: Final = "known_at"
SOURCE: Final = "source"
EXTRAS: Final = "extras"
"""Unknown extra columns of the input, kept as one JSON object of strings (traits, properties)."""
MONTH: Final = "month"
"""The lake's partition: the month of `happened_at`, as `2011-09`."""

# Ids
CUSTOMER_ID: Final = "customer_id"
PRODUCT_ID: Final = "product_id"
MESSAGE_ID: Final = "message_id"
ORDER_ID: Final = "order_id"
REVIEW_ID: Final = "review_id"
CONVERSATION_ID: Final = "conversation_id"
EXPOSURE_ID: Final = "exposure_id"
OUTCOME_ID: Final = "outcome_id"
DOCUMENT_ID: Final = "document_id"
TEXT_ID: Final = "text_id"
"""A review or a message among all that customers said: "reviews/<review_id>" or "messages/<message_id>"."""
SUBJECT_ID: Final = "subject_id"
"""What reviews speak of: "shop/all", "brand/<name>", "category/<name>" or "product/<product_id>"."""
ANONYMOUS_ID: Final = "anonymous_id"
ALIAS_ID: Final = "alias_id"
"""An id that somebody went by before: anonymous, or one that was given up."""
SESSION_ID: Final = "session_id"

# Customers
CREATED_AT: Final = "created_at"
NAME: Final = "name"
EMAIL: Final = "email"
PHONE: Final = "phone"
GENDER: Final = "gender"
BIRTH_DATE: Final = "birth_date"
CITY: Final = "city"
COUNTRY: Final = "country"
LANGUAGE: Final = "language"
CONSENT: Final = "consent"

# Products
CATEGORY: Final = "category"
BRAND: Final = "brand"
PRICE: Final = "price"
CURRENCY: Final = "currency"
COST: Final = "cost"
IMAGE_URL: Final = "image_url"
DESCRIPTION: Final = "description"

# Events
EVENT: Final = "event"
CHANNEL: Final = "channel"
VALUE: Final = "value"

# Orders
LINE: Final = "line"
QUANTITY: Final = "quantity"
DISCOUNT: Final = "discount"
STATUS: Final = "status"

# Reviews, messages, documents
RATING: Final = "rating"
TITLE: Final = "title"
TEXT: Final = "text"
SENDER: Final = "sender"
INTENT: Final = "intent"
URL: Final = "url"

# Exposures
CAMPAIGN: Final = "campaign"
VARIANT: Final = "variant"
CONTROL: Final = "control"
"""The variant of a customer who was held out: not treated."""

# Stock
ON_HAND: Final = "on_hand"
ON_ORDER: Final = "on_order"
LEAD_TIME_DAYS: Final = "lead_time_days"
UNIT_COST: Final = "unit_cost"

# Quarantine
FILE: Final = "file"
TABLE: Final = "table"
ROW: Final = "row"
COLUMN: Final = "column"
REASON: Final = "reason"
LOADED_AT: Final = "loaded_at"

# Ledger
RUN_ID: Final = "run_id"
INSIGHT: Final = "insight"
VERSION: Final = "version"
AS_OF: Final = "as_of"
MADE_AT: Final = "made_at"
ENTITY_ID: Final = "entity_id"
LABEL: Final = "label"
RANK: Final = "rank"
FEATURE: Final = "feature"
EFFECT: Final = "effect"
TYPICAL: Final = "typical"
UNIT: Final = "unit"
FOLD: Final = "fold"
METRIC: Final = "metric"
CONTENDER: Final = "contender"

# Values of `event` that features count (Segment's e-commerce names)
PRODUCT_VIEWED: Final = "Product Viewed"
PRODUCT_ADDED: Final = "Product Added"
PRODUCTS_SEARCHED: Final = "Products Searched"
WISHLIST_ADDED: Final = "Product Added to Wishlist"
ORDER_COMPLETED: Final = "Order Completed"
ORDER_REFUNDED: Final = "Order Refunded"
PRODUCT_REVIEWED: Final = "Product Reviewed"
EMAIL_OPENED: Final = "Email Opened"
EMAIL_CLICKED: Final = "Email Link Clicked"
ORDER_CANCELLED: Final = "Order Cancelled"
PAGE_VIEWED: Final = "Page Viewed"
SCREEN_VIEWED: Final = "Screen Viewed"
GROUP_JOINED: Final = "Group Joined"
