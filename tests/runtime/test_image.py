from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL
import pytest
from PIL import Image, ImageFile

from edgecnn.data import samples
from edgecnn_runtime.contract import FILTERS, InputSpec
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import fitted, load, pixels

Array = npt.NDArray[np.uint8]
LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def noise(height: int, width: int) -> Array:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> io.BytesIO:
    """A PNG put together by hand, for what Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)


def tiff(width: int, bits: int, photometric: int, row: bytes) -> io.BytesIO:
    """A grey TIFF of one row put together by hand, for what Pillow does not write."""
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1, 279: len(row)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    pixels = row + b"\0" * (len(row) % 2)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return io.BytesIO(b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory)


def grey(image: Image.Image) -> list[int]:
    values = np.asarray(image).reshape(-1, 3)
    assert (values == values[:, :1]).all()
    return [int(value) for value in values[:, 0]]


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_a_picture_of_the_input_size_passes_bit_for_bit(kind: str, fit: str, tmp_path: Path) -> None:
    spec = InputSpec(5, 7, "lanczos", fit)
    expected = noise(5, 7)
    image = Image.fromarray(expected)
    path = tmp_path / "picture.any"
    path.write_bytes(encoded(image, kind, **LOSSLESS[kind]).getvalue())
    for source in (path, str(path), image, expected, expected[:, ::-1].copy()[:, ::-1]):
        assert np.array_equal(pixels(source, spec), expected)
    with path.open("rb") as file, Image.open(path) as opened:
        assert np.array_equal(pixels(file, spec), expected)
        assert np.array_equal(pixels(opened, spec), expected)


def test_the_pixels_are_not_those_of_the_caller() -> None:
    given = noise(5, 7)
    assert not np.shares_memory(pixels(given, InputSpec(5, 7)), given)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_exif_orientation(kind: str) -> None:
    upright = noise(3, 5)
    turned = {  # by the EXIF standard: which side of the scene the first row and the first column are
        1: upright,  # top, left
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
        5: upright.swapaxes(0, 1),  # left, top
        6: upright[:, ::-1].swapaxes(0, 1),  # right, top
        7: upright[::-1, ::-1].swapaxes(0, 1),  # right, bottom
        8: upright[::-1].swapaxes(0, 1),  # left, bottom
        9: upright,  # no such orientation
    }
    for orientation, stored in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(np.ascontiguousarray(stored))
        file = encoded(image, kind, exif=exif, **LOSSLESS[kind])
        assert np.array_equal(np.asarray(load(file)), upright), orientation


def test_a_turned_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (32, 16), "black")
    image.paste("white", (0, 0, 16, 16))  # the left half: upright it is the top
    turned = load(encoded(image, "JPEG", exif=exif))
    assert turned.size == (16, 32)
    assert grey(turned)[0] > 250
    assert grey(turned)[-1] < 5


def test_broken_exif_does_not_matter() -> None:
    for exif in (b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 30, b"Exif\0\0rubbish", b"Exif\0\0"):
        assert load(encoded(Image.new("RGB", (8, 8), "red"), "JPEG", exif=exif)).size == (8, 8)


def test_every_mode_becomes_rgb() -> None:
    plain = ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"]
    transparent = ["RGBA", "LA", "PA", "La", "RGBa"]
    native = ["I;16N"] if int(PIL.__version__.partition(".")[0]) >= 10 else []
    for mode in [*plain, *transparent, "I;16", "I;16L", "I;16B", *native]:
        image = load(Image.new(mode, (4, 3)))
        assert (image.mode, image.size) == ("RGB", (4, 3)), mode


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"])
def test_formats(kind: str) -> None:
    image = load(encoded(Image.new("RGB", (8, 8), (255, 0, 0)), kind))
    assert np.abs(np.asarray(image, int) - (255, 0, 0)).max() < 8


def test_colours_survive_their_mode() -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for mode in ("P", "CMYK", "YCbCr", "HSV", "LAB"):
        assert np.abs(np.asarray(load(red.convert(mode)), int) - (255, 0, 0)).max() <= 5, mode
    cmyk = load(encoded(red.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(np.asarray(cmyk, int) - (255, 0, 0)).max() < 8


def test_transparent_parts_are_white() -> None:
    rgba = Image.fromarray(np.array([[[255, 0, 0, 0], [255, 0, 0, 255], [0, 0, 0, 128]]], np.uint8))
    for file in (
        rgba,
        encoded(rgba, "PNG"),
        encoded(rgba, "WEBP", lossless=True, exact=True),
        rgba.convert("RGBa"),
    ):
        clear, red, half = np.asarray(load(file))[0].tolist()
        assert clear == [255, 255, 255]
        assert red == [255, 0, 0]
        assert set(half) <= {126, 127, 128}
    la = Image.fromarray(np.array([[[0, 0], [7, 255]]], np.uint8))
    assert grey(load(la)) == grey(load(encoded(la, "PNG"))) == grey(load(la.convert("La"))) == [255, 7]


def test_a_transparent_colour_is_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        pair = np.asarray(load(encoded(palette, kind, transparency=0)))
        assert pair[0].tolist() == [[255, 255, 255], [40, 50, 60]]
    two = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert np.asarray(load(encoded(two, "PNG", transparency=(1, 2, 3))))[0].tolist() == [[255] * 3, [4, 5, 6]]


def test_sixteen_bits_are_scaled() -> None:
    values = np.array([[0, 255, 256, 257 * 100, 65535]], np.uint16)
    expected = [0, 0, 1, 100, 255]
    image = Image.fromarray(values)
    for source in (
        image,
        encoded(image, "PNG"),
        encoded(image, "TIFF"),
        Image.fromarray(values.astype(np.int32)),
    ):
        assert grey(load(source)) == expected
    colour = np.repeat(values[0], 3).astype(">u2").tobytes()
    assert grey(load(png(5, 1, 16, 2, b"\0" + colour))) == expected
    assert grey(load(Image.fromarray(np.array([[-5, 70000]], np.int32)))) == [0, 255]


def test_twelve_bits_are_scaled_and_white_may_be_zero() -> None:
    assert grey(load(tiff(2, 12, 1, bytes([0xFF, 0xF0, 0x80])))) == [255, 8]
    assert grey(load(tiff(3, 16, 1, struct.pack("<3H", 0, 0x40FF, 0xFFFF)))) == [0, 64, 255]
    assert grey(load(tiff(3, 16, 0, struct.pack("<3H", 0, 0x40FF, 0xFFFF)))) == [255, 191, 0]


def test_floats_are_scaled() -> None:
    def floats(*values: float) -> list[int]:
        image = Image.fromarray(np.array([values], np.float32))
        assert grey(load(encoded(image, "TIFF"))) == grey(load(image))
        return grey(load(image))

    assert floats(-1, 0, 0.5, 1) == [0, 0, 128, 255]
    assert floats(0, 0.6, 100, 255, 300) == [0, 1, 100, 255, 255]
    assert floats(float("nan"), float("-inf"), 1) == [0, 0, 255]
    assert floats(0, float("inf")) == [0, 255]


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        file = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **LOSSLESS.get(kind, {}))
        assert np.asarray(load(file))[0, 0].tolist() == [255, 0, 0], kind


def test_the_resize_rule() -> None:
    values = np.repeat((np.arange(32, dtype=np.uint8) * 4).reshape(4, 8, 1), 3, axis=2)
    middle, whole = values[:, 2:6], values
    crop = middle.reshape(2, 2, 2, 2, 3).mean((1, 3))  # box filter: the mean of each 2 x 2 block
    stretch = whole.reshape(2, 2, 2, 4, 3).mean((1, 3))
    for expected, fit in ((crop, "crop"), (stretch, "stretch")):
        spec = InputSpec(2, 2, "box", fit)
        assert np.array_equal(pixels(values, spec), expected)
        assert np.array_equal(pixels(values.swapaxes(0, 1), spec), expected.swapaxes(0, 1))
    # An input twice as wide as high keeps all of a picture twice as wide as high.
    assert np.array_equal(pixels(values, InputSpec(2, 4, "box")), values.reshape(2, 2, 4, 2, 3).mean((1, 3)))
    # And of a square one the middle half.
    square = values[:, :4]
    assert np.array_equal(pixels(square, InputSpec(1, 2, "box")), square[1:3].reshape(1, 2, 2, 2, 3).mean((1, 3)))


def scene(width: int, height: int) -> Image.Image:
    """A real photograph, enlarged."""
    return Image.fromarray(samples.test().images[0]).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2000, 1504), (500, 376)),  # an eighth would leave 188, less than three times 112
        ((2720, 2800), (340, 350)),
        ((2004, 1900), (501, 475)),
        ((1402, 702), (701, 351)),
        ((2001, 1500), (2001, 1500)),  # a half would end in half a pixel
        ((672, 670), (672, 670)),
    ],
)
def test_a_large_jpeg_is_decoded_at_a_scale(size: tuple[int, int], expected: tuple[int, int]) -> None:
    spec = InputSpec(112, 112)
    data = encoded(scene(*size), "JPEG", quality=90)
    assert load(data).size == size
    assert load(data, spec).size == expected
    assert load(encoded(scene(*size), "PPM"), spec).size == size
    difference = np.abs(pixels(data, spec).astype(int) - fitted(load(data), spec))
    assert difference.mean() < 0.6
    assert difference.max() < 8


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_a_scaled_jpeg_is_upright_and_its_middle_the_same(fit: str) -> None:
    spec = InputSpec(32, 48, fit=fit)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encoded(scene(1600, 800), "JPEG", exif=exif)
        assert load(data, spec).size in [(400, 200), (200, 400)]
        assert np.abs(pixels(data, spec).astype(int) - fitted(load(data), spec)).mean() < 0.6


def test_a_jpeg_of_the_input_size_is_decoded_in_full() -> None:
    data = encoded(scene(512, 512), "JPEG")
    assert np.array_equal(pixels(data, InputSpec(512, 512)), np.asarray(load(data)))


def test_an_image_that_is_open_elsewhere_stays_as_it_is() -> None:
    with Image.open(encoded(scene(800, 800), "JPEG")) as opened:
        pixels(opened, InputSpec(32, 32))
        assert opened.size == (800, 800)


def test_only_the_module_of_the_format_is_loaded() -> None:
    script = """
import sys
from edgecnn_runtime.image import load
load(sys.argv[1])
print(*(name for name in sys.modules if name.endswith("ImagePlugin")))
"""
    picture = Path(__file__).parents[2] / "docs" / "pictures" / "frog.png"
    ended = subprocess.run([sys.executable, "-c", script, picture], capture_output=True, text=True, check=True)
    by_jpeg = ["PIL.TiffImagePlugin"] if int(PIL.__version__.partition(".")[0]) < 10 else []
    assert ended.stdout.split() == [*by_jpeg, "PIL.JpegImagePlugin", "PIL.PngImagePlugin"]  # JPEG is asked first


def test_the_middle_of_odd_sizes_and_needles() -> None:
    for size in [(1, 1), (1, 5000), (5000, 1), (3, 2), (1023, 7), (224, 223)]:
        for name in FILTERS:
            for fit in ("crop", "stretch"):
                result = pixels(Image.new("RGB", size, (10, 20, 30)), InputSpec(6, 9, name, fit))
                assert result.shape == (6, 9, 3)
                assert (result == (10, 20, 30)).all()


def test_missing_and_unusable_files(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("this is not a picture")
    (tmp_path / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    for name, complaint in [
        ("none.jpg", "no such file"),
        (".", "is a folder"),
        ("empty.png", "is empty"),
        ("text.jpg", "not a picture"),
        ("drawing.eps", "not a picture"),
    ]:
        with pytest.raises(ImageError, match=complaint) as caught:
            load(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(ImageError):
        load("nul\0byte.png")
    with pytest.raises(ImageError, match="not a picture"):
        load(io.BytesIO())


def test_arrays_that_are_no_picture() -> None:
    for array in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ImageError):
            load(array)
    with pytest.raises(ImageError, match="float32"):
        load(np.zeros((4, 4, 3), np.float32))


@pytest.mark.parametrize("side", [10_001, 12_000, 40_000])
def test_a_bomb_is_not_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="more than 50 megapixels"):
        load(png(side, side, 1, 0, b""))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"])
def test_cut_and_damaged_files(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    data = encoded(Image.fromarray(noise(24, 24)), kind, **options).getvalue()
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        for length in range(0, 3 * len(data) // 4, max(1, len(data) // 60)):
            with pytest.raises(ImageError, match="the picture"):
                load(io.BytesIO(data[:length]))
        rng = np.random.default_rng(5)
        for _ in range(150):  # a changed pixel is still a picture; anything else is an ImageError
            broken = bytearray(data)
            broken[int(rng.integers(len(data)))] = int(rng.integers(256))
            try:
                assert load(io.BytesIO(broken)).mode == "RGB"
            except ImageError as problem:
                assert "\n" not in str(problem)
    assert not leaked
    assert capfd.readouterr() == ("", "")
