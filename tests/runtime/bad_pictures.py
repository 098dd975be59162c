"""Bad pictures of every kind, made from nothing and always the same.

As files, to try another program on: python -m tests.runtime.bad_pictures FOLDER
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from PIL import Image

SIDE = 12
OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 80},
    "PNG": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "GIF": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_lzw"},
    "JPEG2000": {},
}
MODES = [
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"),
    *("I;16", "I;16L", "I;16B", "I;16N"),
]
BOMBS = {"PNG": (60_000, 60_000), "WEBP": (16_383, 16_383)}
"""Sizes that are announced; of other formats 65,000 each way."""


class Bad(NamedTuple):
    """A file.

    Attributes:
        name: unique, for a file's name.
        data: its bytes.
        usable: whether it must be classified or must be refused; None where either may be right.
    """

    name: str
    data: bytes
    usable: bool | None


def every() -> Iterable[Bad]:
    """All of them."""
    kinds = cut, flipped, bombs, metadata, disguised, modes, turned, odd_exif, long, shapes, moving
    return chain.from_iterable(kind() for kind in kinds)


def _ending(kind: str) -> str:
    return "jp2" if kind == "JPEG2000" else kind.lower()


def scene(width: int = SIDE, height: int = SIDE, mode: str = "RGB") -> Image.Image:
    """A picture whose pixels all differ from their neighbours."""
    picture = Image.new("RGB", (width, height))
    picture.putdata([(37 * i % 256, 91 * i % 256, 151 * i % 256) for i in range(width * height)])
    return picture if mode == "RGB" else picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture's file."""
    file = BytesIO()
    picture.save(file, kind, **OPTIONS[kind] | options)
    return file.getvalue()


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 2, before: bytes = b"") -> bytes:
    """A PNG put together by hand, with chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    ends = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + ends


def tiff_of_strips(width: int, rows: int, strips: int, *, in_one_place: bool = False) -> bytes:
    """A grey TIFF put together by hand, with so many strips of so many rows, for earlier Pillows write one."""
    places = 1 if in_one_place else strips
    pixels = bytes(places * rows * width)
    offsets = [8 + strip % places * rows * width for strip in range(strips)]
    lists = 8 + len(pixels)
    directory = lists + 8 * strips
    tags = {
        256: (1, width),
        257: (1, rows * strips),
        258: (1, 8),
        259: (1, 1),
        262: (1, 1),
        273: (strips, lists),
        277: (1, 1),
        278: (1, rows),
        279: (strips, lists + 4 * strips),
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, count, value) for tag, (count, value) in tags.items())
    return b"".join(
        [
            b"II*\0" + struct.pack("<I", directory) + pixels,
            struct.pack(f"<{strips}I", *offsets) + struct.pack("<I", rows * width) * strips,
            struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0),
        ]
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segments(number: int, contents: Iterable[bytes]) -> bytes:
    """A JPEG with application segments."""
    plain = encoded(scene(), "JPEG")
    heads = ((struct.pack(">BBH", 0xFF, 0xE0 + number, 2 + len(each)), each) for each in contents)
    return plain[:2] + b"".join(chain.from_iterable(heads)) + plain[2:]


def cut() -> Iterator[Bad]:
    """A file that ends too early, at each of its bytes."""
    for kind in ("JPEG", "PNG"):
        data = encoded(scene(), kind)
        for length in range(len(data)):
            # What is missing at the very end may be of no use to a decoder.
            yield Bad(f"cut-{length}.{_ending(kind)}", data[:length], False if length < len(data) // 2 else None)


def flipped() -> Iterator[Bad]:
    """A file of each format with one byte changed, at each of its first 600, where the structure is."""
    for kind in OPTIONS:
        data = encoded(scene(), kind)
        for position in range(min(len(data), 600)):
            mask = (0x01, 0x80, 0xFF)[position % 3]
            changed = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
            yield Bad(f"flipped-{position}.{_ending(kind)}", changed, None)


def bombs() -> Iterator[Bad]:
    """Small files that announce gigabytes of pixels."""
    for kind in OPTIONS:
        width, height = BOMBS.get(kind, (65_000, 65_000))
        yield Bad(f"bomb.{_ending(kind)}", announcing(kind, width, height), False)
        yield Bad(f"bomb-row.{_ending(kind)}", announcing(kind, width, 1), None)
    yield Bad("bomb-digits.ppm", b"P6 " + b"9" * 5000 + b" 1 255\n", False)
    yield Bad("bomb-huge.png", png(2**31 - 1, 2**31 - 1, b""), False)
    yield Bad("bomb-progressive.jpeg", announcing("JPEG", 7_000, 7_000, progressive=True), False)


def announcing(kind: str, width: int, height: int, **options: object) -> bytes:
    """A small picture's file in whose header another size stands."""
    data = bytearray(encoded(scene(), kind, **options))
    where, form = {
        "JPEG": (data.find(b"\xff\xc2" if options else b"\xff\xc0") + 5, ">HH"),
        "PNG": (16, ">II"),
        "BMP": (18, "<ii"),
        "GIF": (6, "<HH"),
        "JPEG2000": (data.find(b"\xff\x51") + 6, ">II"),
    }.get(kind, (0, ""))
    if kind == "JPEG":
        struct.pack_into(form, data, where, height, width)
    elif kind == "PNG":
        return png(width, height, b"")
    elif kind == "PPM":
        return b"P6 %d %d 255\n" % (width, height) + bytes(300)
    elif kind == "WEBP":
        sizes = (width - 1) | (height - 1) << 14
        struct.pack_into("<I", data, data.find(b"VP8L") + 9, sizes)
    elif kind == "TIFF":
        for tag, value in ((256, width), (257, height)):
            found = data.find(struct.pack("<HHI", tag, 4, 1))
            found = data.find(struct.pack("<HHI", tag, 3, 1)) if found < 0 else found
            struct.pack_into("<HHII", data, found, tag, 4, 1, value)
    else:
        struct.pack_into(form, data, where, width, height)
        if kind == "JPEG2000":
            struct.pack_into(form, data, data.find(b"ihdr") + 4, height, width)
    return bytes(data)


def metadata() -> Iterator[Bad]:
    """Metadata that unpack to gigabytes, or are many, or are nothing."""
    zeros = zlib.compress(bytes(100_000_000), 9)
    row = b"\0" + bytes(3 * SIDE)
    for name, kind, head in (
        ("zTXt", b"zTXt", b"key\0\0"),
        ("iTXt", b"iTXt", b"key\0\1\0\0\0"),
        ("iCCP", b"iCCP", b"profile\0\0"),
    ):
        yield Bad(f"{name}-bomb.png", png(SIDE, SIDE, row * SIDE, before=chunk(kind, head + zeros)), None)
        yield Bad(f"{name}-empty.png", png(SIDE, SIDE, row * SIDE, before=chunk(kind, b"")), None)
    texts = b"".join(chunk(b"zTXt", b"k%d\0\0" % i + zlib.compress(bytes(1_000_000), 9)) for i in range(80))
    yield Bad("zTXt-many.png", png(SIDE, SIDE, row * SIDE, before=texts), None)
    yield Bad("eXIf-long.png", png(SIDE, SIDE, row * SIDE, before=chunk(b"eXIf", bytes(3_000_000))), None)
    yield Bad("pixels-bomb.png", png(SIDE, SIDE, bytes(100_000_000)), None)
    yield Bad("exif-long.jpeg", segments(1, [b"Exif\0\0" + bytes(65_000)] * 50), None)
    parts = [b"ICC_PROFILE\0" + bytes([i + 1, 255]) + bytes(65_000) for i in range(255)]
    yield Bad("icc-long.jpeg", segments(2, parts), None)
    odd = [b"ICC_PROFILE\0", b"ICC_PROFILE\0\xff\0", b"MPF\0", b"MPF\0II*\0\xff\xff\xff\xff"]
    yield Bad("icc-odd.jpeg", segments(2, odd), None)
    yield Bad("photoshop.jpeg", segments(13, [b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff\xff\xff" + bytes(20)]), None)
    yield Bad("adobe.jpeg", segments(14, [b"Adobe\0", b"Adobe\0\x64\0\0\0\0\xff"]), None)


def disguised() -> Iterator[Bad]:
    """The wrong ending, and what is no picture."""
    kinds = list(OPTIONS)
    for kind, other in zip(kinds, kinds[1:] + kinds[:1], strict=True):
        yield Bad(f"{_ending(kind)}-called.{_ending(other)}", encoded(scene(), kind), True)
    yield Bad("empty.jpg", b"", False)
    yield Bad("words.png", b"this is not a picture", False)
    yield Bad("page.jpg", b"<!doctype html><title>404</title>", False)
    yield Bad("drawing.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", False)
    yield Bad("zeros.bmp", bytes(5000), False)
    for kind in OPTIONS:
        data = encoded(scene(), kind)
        yield Bad(f"two-in-one.{_ending(kind)}", data + data, None if kind == "JPEG2000" else True)
        yield Bad(f"head-only.{_ending(kind)}", data[:16] + b"\xff" * 2000, None if kind == "PPM" else False)


def modes() -> Iterator[Bad]:
    """Every mode of Pillow's in every format that holds it."""
    for mode in MODES:
        for kind in OPTIONS:
            try:
                data = encoded(Image.new(mode, (SIDE, SIDE)), kind, **{"lossless": False} if kind == "WEBP" else {})
            except (OSError, KeyError, ValueError):
                continue
            yield Bad(f"mode-{mode.replace(';', '-')}.{_ending(kind)}", data, True)


def turned() -> Iterator[Bad]:
    """Each orientation, also those that there are not."""
    for orientation in (*range(10), 255, 65535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for kind in ("JPEG", "PNG", "WEBP", "TIFF")[: 4 if 1 <= orientation <= 8 else 3]:
            yield Bad(f"turned-{orientation}.{_ending(kind)}", encoded(scene(SIDE, 5), kind, exif=exif), True)


def odd_exif() -> Iterator[Bad]:
    """An orientation of every type and count, a directory that leads to itself, one without an end."""
    for kind in range(16):
        for count, value in ((0, 6), (1, 6), (2, 6), (2**32 - 1, 6), (1, 0xFFFFFFFF)):
            exif = _directory((0x0112, kind, count, value), (0, 0, 0, 0))
            yield _with_exif(f"exif-type-{kind}-{count}-{value}", exif)
    cyclic = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), (0x0112, 3, 1, 6)]
    yield _with_exif("exif-cycle", _directory(*cyclic, following=8))
    yield _with_exif("exif-far", _directory((0x8769, 4, 1, 2**32 - 1), following=2**32 - 1))
    yield _with_exif("exif-many", b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 0x0112, 3, 1, 6) * 5000)
    yield _with_exif("exif-cut", b"II*\0\x08\0\0\0\xff\xff")
    yield _with_exif("exif-words", b"rubbish")
    yield _with_exif("exif-empty", b"")
    tiff = encoded(scene(), "TIFF")
    first = struct.unpack_from("<I", tiff, 4)[0]
    count = struct.unpack_from("<H", tiff, first)[0]
    looped = bytearray(tiff)
    struct.pack_into("<I", looped, first + 2 + 12 * count, first)
    yield Bad("directory-cycle.tiff", bytes(looped), True)
    for field in range(count):
        for form, value in (("<H", 2), ("<H", 12), ("<H", 99)):
            odd = bytearray(tiff)
            struct.pack_into(form, odd, first + 2 + 12 * field + 2, value)
            yield Bad(f"directory-{field}-type-{value}.tiff", bytes(odd), None)
        odd = bytearray(tiff)
        struct.pack_into("<I", odd, first + 2 + 12 * field + 4, 2**32 - 1)
        yield Bad(f"directory-{field}-count.tiff", bytes(odd), None)


def _directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    fields = b"".join(struct.pack("<HHII", *each) for each in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + struct.pack("<I", following)


def _with_exif(name: str, exif: bytes) -> Bad:
    return Bad(f"{name}.jpeg", segments(1, [b"Exif\0\0" + exif]), True)


def long() -> Iterator[Bad]:
    """Large files of which a decoder would look at every byte, or copy them again and again."""
    plain, row = encoded(scene(), "JPEG"), b"\0" + bytes(3 * SIDE)
    yield Bad("long-exif.jpeg", segments(1, [b"Exif\0\0" + bytes(65_000)] * 300), False)
    yield Bad("long-fill.jpeg", plain[:2] + b"\xff" * 2_000_000 + plain[2:], False)
    yield Bad("long-chunks.png", png(SIDE, SIDE, row * SIDE, before=chunk(b"abCd", b"") * 400_000), False)
    yield Bad("long-head.ppm", b"P6 " + b" " * 2_000_000 + b"4 4 255\n" + bytes(48), False)
    yield Bad("long-digits.ppm", b"P3 2001 2001 255\n" + b"1 " * 3 * 2001**2, False)
    data = encoded(scene(), "WEBP")
    data += b"abcd" + struct.pack("<I", 20_000_000) + bytes(20_000_000)
    yield Bad("long-end.webp", data[:4] + struct.pack("<I", len(data) - 8) + data[8:], False)


def shapes() -> Iterator[Bad]:
    """Needles, single pixels and none."""
    for kind in OPTIONS:
        for width, height in ((1, 10_000), (10_000, 1), (1, 1), (2, 3)):
            yield Bad(f"shape-{width}-{height}.{_ending(kind)}", encoded(scene(width, height), kind), True)
        for width, height in ((0, 0), (0, 5), (5, 0)):
            if kind != "WEBP":  # whose smallest number stands for one pixel
                # A JPEG's height may be 0 and stand behind the pixels, and a GIF's frame has a size of its own.
                usable = None if kind in ("JPEG", "GIF") else False
                yield Bad(f"no-pixels-{width}-{height}.{_ending(kind)}", announcing(kind, width, height), usable)


def moving() -> Iterator[Bad]:
    """Animations, of which the first frame counts."""
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        yield Bad(f"moving.{_ending(kind)}", encoded(frames[0], kind, save_all=True, append_images=frames[1:]), True)
    gif = bytearray(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    yield Bad("moving-cut.gif", bytes(gif[: 2 * len(gif) // 3]), None)


def no_files(folder: Path) -> list[Path]:
    """What is called like a picture in ``folder`` and is none: it is made there."""
    names = ("pipe", "folder", "circle", "nowhere", "itself", "device", "hole")
    pipe, inside, circle, nowhere, itself, device, hole = (folder / f"{name}.jpg" for name in names)
    os.mkfifo(pipe)
    inside.mkdir()
    circle.symlink_to(folder / "circle-2.jpg")
    (folder / "circle-2.jpg").symlink_to(circle)
    nowhere.symlink_to(folder / "not there")
    itself.symlink_to(".")
    device.symlink_to("/dev/zero")
    with hole.open("wb") as file:
        file.write(b"\xff\xd8\xff")
        file.truncate(1 << 40)  # a terabyte, of which nothing is on the disk
    return [pipe, inside, circle, nowhere, itself, device, hole]


def main(folder: Path) -> None:
    """Write all into a folder that is made for them."""
    folder.mkdir(parents=True)
    for name, data, _ in every():
        (folder / name).write_bytes(data)
    no_files(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
