"""Reads a spreadsheet from standard input and says by its exit status whether that went well.

Run in a process of its own: the reader is compiled code that ends its whole process on some damaged files
(it asks for terabytes), and that must not be the process that serves alerts.
"""

import io
import resource
import sys

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

GOOD, NO_SPREADSHEET, ENCRYPTED = 0, 10, 11
MOST_MEMORY = 400 * 2**20  # bytes of address space


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())) as workbook:
            for name in workbook.sheet_names:
                sum(1 for _ in workbook.get_sheet_by_name(name).iter_rows())
    except PasswordError:
        return ENCRYPTED
    except (CalamineError, OSError, ValueError):
        return NO_SPREADSHEET
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
