"""Names to invent people and companies from. Any likeness to a real one is chance."""

MEN = (
    "Aziz", "Akmal", "Alisher", "Anvar", "Bahodir", "Bekzod", "Botir", "Dilshod", "Doniyor", "Davron",
    "Eldor", "Farhod", "Farrux", "Gʻayrat", "Hamid", "Ilhom", "Islom", "Jahongir", "Jasur", "Kamol",
    "Laziz", "Mansur", "Mirzo", "Nodir", "Odil", "Oybek", "Otabek", "Rustam", "Ravshan", "Sardor",
    "Sherzod", "Shuhrat", "Temur", "Ulugʻbek", "Umid", "Xurshid", "Yusuf", "Zafar", "Ziyod", "Sanjar",
    "Андрей", "Артём", "Виктор", "Дмитрий", "Евгений", "Игорь", "Олег", "Павел", "Руслан", "Тимур",
)  # fmt: skip
WOMEN = (
    "Aziza", "Barno", "Charos", "Dilfuza", "Dildora", "Feruza", "Gulnora", "Gulchehra", "Hilola", "Iroda",
    "Kamola", "Lola", "Madina", "Malika", "Mohira", "Muhabbat", "Nargiza", "Nigora", "Nilufar", "Nodira",
    "Oygul", "Ozoda", "Parvina", "Rayhon", "Roʻza", "Sabina", "Saodat", "Sevara", "Shahnoza", "Shoira",
    "Surayyo", "Umida", "Xurshida", "Yulduz", "Zamira", "Zebo", "Zilola", "Ziyoda", "Zuhra", "Munisa",
    "Анна", "Виктория", "Галина", "Елена", "Ирина", "Марина", "Наталья", "Ольга", "Светлана", "Татьяна",
)  # fmt: skip
# Without the ending: -ov and -ova, or -ев and -ева where the name is written in Cyrillic.
FAMILIES = (
    "Abdullay", "Abdurahmon", "Ahmed", "Alimov", "Azimov", "Boboyev", "Ergash", "Fayziyev", "Gʻaniyev", "Hakim",
    "Hamroyev", "Haydarov", "Ibragim", "Ismoilov", "Joʻrayev", "Karim", "Kholmat", "Mahmud", "Mirzayev", "Muminov",
    "Nazar", "Nematov", "Normat", "Olimov", "Oripov", "Qodir", "Qosim", "Rahim", "Rasul", "Saidov",
    "Salim", "Sharip", "Sobir", "Sodiqov", "Sulton", "Toshmat", "Turgʻun", "Umar", "Usmon", "Xolmat",
    "Yoʻldosh", "Yunus", "Yusup", "Zokir", "Ziyayev",
)  # fmt: skip
CYRILLIC_FAMILIES = (
    "Алексе", "Андре", "Васил", "Григор", "Дмитри", "Евсе", "Игнат", "Серге", "Тимофе", "Фёдор",
)  # fmt: skip
FIRMS = (
    "Zarafshon", "Chirchiq", "Oltin Vodiy", "Registon", "Afrosiyob", "Buyuk Ipak", "Orzu", "Humo", "Navroʻz",
    "Sogʻdiyona", "Bogʻiston", "Oqtosh", "Qoratogʻ", "Sirdaryo", "Guliston", "Marvarid", "Yangi Asr",
    "Farovon", "Mehnat", "Baraka",
)  # fmt: skip
# What a company does -> its section of the industry list.
TRADES = {
    "Agro": "A", "Toʻqimachilik": "C", "Mebel": "C", "Qurilish": "F", "Savdo": "G", "Trans Logistika": "H",
    "Mehmonxona": "I", "Soft": "J", "Konsalting": "M", "Klinika": "Q",
}  # fmt: skip


def family_name(stem: str, *, sex: str, cyrillic: bool) -> str:
    """The family name of a man or a woman from its stem."""
    if cyrillic:
        ending = "ов" if stem[-1] not in "еи" else "ев"
        return stem + ending + ("а" if sex == "female" else "")
    ending = "" if stem.endswith("v") else "ev" if stem.endswith("y") else "ov"
    return stem + ending + ("a" if sex == "female" else "")


def is_cyrillic(name: str) -> bool:
    return "а" <= name[-1].lower() <= "я"
