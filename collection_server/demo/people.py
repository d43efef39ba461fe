"""Debtors and those around them: names, numbers, masked identity numbers. All drawn from one seeded source."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from collection_server.demo.places import CITIES, LANDLINE_HEADS, City
from collection_server.demo.words import FEMALE, MALE, SURNAMES


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    sex: str
    age: int
    city: City
    id_number_masked: str


class People:
    """Makes people and numbers; no number is given twice."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._used: set[str] = set()

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def person(self) -> Person:
        sex = self.random.choice(("male", "male", "female"))
        return self._person(self._name(sex), sex, self.random.randint(23, 58), self.random.choice(CITIES))

    def zhang(self) -> Person:
        """The debtor that the guides and the pictures show."""
        return Person("张建国", "male", 47, CITIES[0], "110108****3316")

    def _person(self, name: str, sex: str, age: int, city: City) -> Person:
        # The last digit but one is odd for men (GB 11643).
        order = self.random.randrange(0, 500) * 2 + (sex == "male")
        check = self.random.choice("0123456789X")
        return Person(name, sex, age, city, f"{city.district}****{order % 1000:03d}{check}")

    def _name(self, sex: str) -> str:
        given = self.random.choice(MALE if sex == "male" else FEMALE)
        return self.random.choice(SURNAMES) + given

    def relative(self, debtor: Person, relation: str) -> str:
        """The name of somebody around the debtor."""
        other = "female" if debtor.sex == "male" else "male"
        sex = other if relation == "spouse" else self.random.choice(("male", "female"))
        name = self._name(sex)
        return debtor.name[0] + name[1:] if relation in ("parent", "sibling", "child") else name

    def mobile(self, city: City) -> str:
        """A mobile number of the city in E.164."""
        return self._unused(lambda: f"+86{self.random.choice(city.mobiles)}{self.random.randrange(10_000):04d}")

    def landline(self, city: City) -> str:
        """A landline number of the city in E.164."""
        head = self.random.choice(LANDLINE_HEADS)
        return self._unused(lambda: f"+86{city.area}{head}{self.random.randrange(1_000_000):06d}")

    def take(self, number: str) -> str:
        """A number that is given, so that nobody else gets it."""
        self._used.add(number)
        return number

    def _unused(self, make: Callable[[], str]) -> str:
        while (number := make()) in self._used:
            pass
        return self.take(number)
