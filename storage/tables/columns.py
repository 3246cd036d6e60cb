"""What every table is made of. Plain column types only: text, integers and bytes (see `database.Statements`).

Instants are milliseconds since 1970 UTC; dates are ISO text in the wall time of the area;
`sealed` columns hold what `crypto.Keys.seal` gave, their label being `table.column`.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, MetaData, Text

metadata = MetaData()
BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")  # compared as ranges, whatever the locale


def row_id() -> "Column[str]":
    return Column("id", Text, primary_key=True)


def words(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False)


def maybe(name: str) -> "Column[str]":
    return Column(name, Text)


def number(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False)


def count(name: str) -> "Column[int]":
    return Column(name, BigInteger, nullable=False, server_default="0")


def maybe_number(name: str) -> "Column[int]":
    return Column(name, BigInteger)


def sealed(name: str) -> "Column[bytes]":
    return Column(name, LargeBinary)


def to(name: str, target: str, *, nullable: bool = False) -> "Column[str]":
    return Column(name, Text, ForeignKey(target), nullable=nullable)
