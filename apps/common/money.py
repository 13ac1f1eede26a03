"""Money is a whole number of units of a stated currency."""

CURRENCIES = ("UZS", "USD", "EUR", "RUB", "KZT", "GBP", "CNY", "JPY", "TRY", "CHF")
CURRENCY_CHOICES = [(code, code) for code in CURRENCIES]
MOST_MONEY = 10**15
