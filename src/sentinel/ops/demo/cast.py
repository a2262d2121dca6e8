"""Who is who at the provider, and where its customers are. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.accounts.rules import Tier
from sentinel.people.rules import Role

PROVIDER = "Meridian Office Machines"
SENDER = "hello@meridian.example"


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A calendar: its name, the country whose holidays count, and the spans of a working day."""

    key: str
    name: str
    country: str
    subdivision: str = ""
    spans: tuple[tuple[str, str], ...] = (("09:00", "17:00"),)


CALENDARS = (
    Hours(key="de", name="Germany, Hamburg", country="DE", subdivision="HH", spans=(("08:30", "17:00"),)),
    Hours(key="fr", name="France", country="FR", spans=(("09:00", "12:30"), ("14:00", "18:00"))),
    Hours(key="ua", name="Ukraine", country="UA", spans=(("09:00", "13:00"), ("14:00", "18:00"))),
    Hours(key="pt", name="Portugal", country="PT", spans=(("09:00", "13:00"), ("14:00", "18:00"))),
    Hours(
        key="es",
        name="Spain, Valencia",
        country="ES",
        subdivision="VC",
        spans=(("08:30", "14:00"), ("15:30", "18:00")),
    ),
    Hours(key="jp", name="Japan", country="JP", spans=(("09:00", "12:00"), ("13:00", "17:45"))),
    Hours(
        key="il", name="United States, Illinois", country="US", subdivision="IL", spans=(("08:00", "17:00"),)
    ),
    Hours(key="qc", name="Canada, Québec", country="CA", subdivision="QC", spans=(("08:30", "16:30"),)),
)


@dataclass(frozen=True, kw_only=True)
class Colleague:
    """A user of the provider. ``manager`` is the address of whoever leads them, before the "@"."""

    email: str
    name: str
    roles: tuple[Role, ...]
    zone: str
    calendar: str
    telephone: str
    manager: str = ""

    @property
    def address(self) -> str:
        return f"{self.email}@meridian.example"


#: Whoever leads comes before those who are led.
COLLEAGUES = (
    Colleague(email="anders.holm", name="Anders Holm", roles=(Role.EXECUTIVE,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969001"),
    Colleague(email="ruth.feldman", name="Ruth Feldman", roles=(Role.EXECUTIVE,), zone="America/Chicago",
              calendar="il", telephone="+13125550101"),
    Colleague(email="henrike.vogt", name="Henrike Vogt", roles=(Role.MANAGER,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969010", manager="anders.holm"),
    Colleague(email="maria.behrens", name="Maria Behrens", roles=(Role.OWNER,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969021", manager="henrike.vogt"),
    Colleague(email="tom.albrecht", name="Tom Albrecht", roles=(Role.OWNER,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969022", manager="henrike.vogt"),
    Colleague(email="haruka.mori", name="Haruka Mori", roles=(Role.OWNER,), zone="Asia/Tokyo",
              calendar="jp", telephone="+81600000011", manager="henrike.vogt"),
    Colleague(email="kenji.arai", name="Kenji Arai", roles=(Role.OWNER,), zone="Asia/Tokyo",
              calendar="jp", telephone="+81600000012", manager="henrike.vogt"),
    Colleague(email="daniel.reyes", name="Daniel Reyes", roles=(Role.OWNER,), zone="America/Chicago",
              calendar="il", telephone="+13125550111", manager="henrike.vogt"),
    Colleague(email="claire.gagnon", name="Claire Gagnon", roles=(Role.OWNER,), zone="America/Toronto",
              calendar="qc", telephone="+14185550112", manager="henrike.vogt"),
    Colleague(email="ines.moreau", name="Inès Moreau", roles=(Role.OFFICER,), zone="Europe/Paris",
              calendar="fr", telephone="+33199001234", manager="anders.holm"),
    Colleague(email="lars.iversen", name="Lars Iversen", roles=(Role.OFFICER,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969031", manager="anders.holm"),
    Colleague(email="ada.winter", name="Ada Winter", roles=(Role.ADMINISTRATOR,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969041", manager="anders.holm"),
    Colleague(email="alan.brook", name="Alan Brook", roles=(Role.ANALYST,), zone="Europe/Berlin",
              calendar="de", telephone="+494066969042", manager="anders.holm"),
)  # fmt: skip

#: Officer of the day, Monday first.
ROTA = (
    "ines.moreau",
    "lars.iversen",
    "ines.moreau",
    "lars.iversen",
    "ines.moreau",
    "lars.iversen",
    "ines.moreau",
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A site. ``telephone`` is the start of its workers' numbers, two digits short."""

    name: str
    zone: str
    calendar: str
    language: str
    address: str
    telephone: str


@dataclass(frozen=True, kw_only=True)
class Customer:
    """An account: its people at the provider, its places, who gave the permission, and its domain."""

    name: str
    external_ref: str
    domain: str
    tier: Tier
    owner: str
    deputy: str
    executive: str
    given_by: str
    evidence: str
    joins_after_days: int
    places: tuple[Place, ...]


CUSTOMERS = (
    Customer(
        name="Lindqvist Logistics",
        external_ref="K-1042",
        domain="lindqvist.example",
        tier=Tier.KEY,
        owner="maria.behrens",
        deputy="tom.albrecht",
        executive="anders.holm",
        given_by="Birgit Lindqvist, chief operating officer",
        evidence="Service contract of 12 January 2024, clause 9: monthly check-in with all users",
        joins_after_days=0,
        places=(
            Place(name="Hamburg", zone="Europe/Berlin", calendar="de", language="de",
                  address="Am Windspeicher 4, Hamburg", telephone="+4940669693"),
            Place(name="Kyiv", zone="Europe/Kyiv", calendar="ua", language="en",
                  address="12 Warehouse Lane, Kyiv", telephone="+3804400000"),
            Place(name="Lisbon", zone="Europe/Lisbon", calendar="pt", language="en",
                  address="Rua do Cais Novo 18, Lisboa", telephone="+3512100000"),
            Place(name="Valencia", zone="Europe/Madrid", calendar="es", language="es",
                  address="Calle de la Grúa 7, València", telephone="+349600000"),
        ),
    ),
    Customer(
        name="Kansai Precision Works",
        external_ref="K-2210",
        domain="kansai-precision.example",
        tier=Tier.STANDARD,
        owner="haruka.mori",
        deputy="kenji.arai",
        executive="anders.holm",
        given_by="岡本 健一 (Okamoto Ken’ichi), head of general affairs",
        evidence="Letter of 3 April 2025, filed with the lease contract",
        joins_after_days=7,
        places=(
            Place(name="Osaka", zone="Asia/Tokyo", calendar="jp", language="ja",
                  address="大阪市中央区架空町1-2-3", telephone="+816000010"),
            Place(name="Nagoya", zone="Asia/Tokyo", calendar="jp", language="ja",
                  address="名古屋市中区架空町4-5", telephone="+815200020"),
        ),
    ),
    Customer(
        name="Great Lakes Health Network",
        external_ref="K-3307",
        domain="greatlakes-health.example",
        tier=Tier.STANDARD,
        owner="daniel.reyes",
        deputy="claire.gagnon",
        executive="ruth.feldman",
        given_by="Gloria Whitfield, director of facilities",
        evidence="E-mail of 20 May 2025, attached to the master agreement",
        joins_after_days=9,
        places=(
            Place(name="Chicago", zone="America/Chicago", calendar="il", language="en",
                  address="4100 Harbor Street, Chicago, IL", telephone="+131255501"),
            Place(name="Québec", zone="America/Toronto", calendar="qc", language="fr",
                  address="88, rue du Quai-Neuf, Québec", telephone="+141855501"),
        ),
    ),
)  # fmt: skip
