"""Which known village a ledger's words mean."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from conversations.documents import ledger_words
from conversations.documents.ledger_fields import Refused
from conversations.documents.ledger_words import pattern, without_ending, word

_WITH_GROUP = pattern("village_with_group")


@dataclass(frozen=True, slots=True)
class Areas:
    """The villages a ledger may speak of: (township's name, village's name) -> the village's area id."""

    villages: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Place:
    """A village found, by its known names; `group` only where the village's cell named one (建设村3组)."""

    area: str
    township: str
    village: str
    group: str | None = None


class Places:
    """Looks names up with and without their endings (建设, 建设村, 建设社区)."""

    def __init__(self, areas: Areas) -> None:
        self._townships: dict[str, str] = {}
        self._township_stems: defaultdict[str, set[str]] = defaultdict(set)
        self._villages: defaultdict[str, list[Place]] = defaultdict(list)
        self._village_stems: defaultdict[str, list[Place]] = defaultdict(list)
        for (township, village), area in areas.villages.items():
            place = Place(area, township, village)
            self._townships[word(township)] = township
            self._township_stems[_township_stem(word(township))].add(township)
            self._villages[word(village)].append(place)
            self._village_stems[_village_stem(word(village))].append(place)

    def township(self, text: str) -> str:
        """The township's known name; raises Refused where there is none, or more than one."""
        name = word(text)
        if name in self._townships:
            return self._townships[name]
        ended = {known for key, known in self._townships.items() if name.endswith(key)}  # 合江县白沙镇
        found = ended or self._township_stems.get(_township_stem(name), set())
        if len(found) != 1:
            raise Refused("township_unknown", value=text)
        return next(iter(found))

    def village(self, text: str, township: str | None) -> Place:
        """The village, in `township` (a known name) where that is given; raises Refused."""
        name = word(text)
        for key, known in self._townships.items():  # 白沙镇建设村
            if township in (None, known) and name.startswith(key) and len(name) > len(key):
                name, township = name[len(key) :], known
                break
        group = None
        found = self._named(name, township)
        if not found and (match := _WITH_GROUP.fullmatch(name)):
            found, group = self._named(match["village"], township), match["group"]
        if len(found) > 1:
            raise Refused("village_ambiguous", value=text)
        if not found and township:
            raise Refused("village_unknown_in_township", value=text, township=township)
        if not found:
            raise Refused("village_unknown", value=text)
        return Place(found[0].area, found[0].township, found[0].village, group)

    def _named(self, name: str, township: str | None) -> list[Place]:
        for places in (self._villages.get(name, []), self._village_stems.get(_village_stem(name), [])):
            if found := [place for place in places if township in (None, place.township)]:
                return found
        return []


def _township_stem(name: str) -> str:
    return without_ending(name, ledger_words.TOWNSHIP_ENDINGS)


def _village_stem(name: str) -> str:
    return without_ending(name, ledger_words.VILLAGE_ENDINGS)
