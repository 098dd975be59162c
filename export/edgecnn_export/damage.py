"""What libraries raise on bytes that are not what they should be."""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib

ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
"""Reading a ZIP archive, or an HDF5 file; RuntimeError where it seems encrypted or newer, too."""

ARRAY = (ValueError, TypeError, EOFError, SyntaxError, tokenize.TokenError, MemoryError)
"""Reading an array as numpy saves it, whose header is a piece of Python and may ask for any amount of memory."""
