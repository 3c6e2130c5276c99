"""Pictures for the benchmarks, made by Pillow from noise at several scales: about as hard to compress as photographs are."""

import hashlib
import pathlib
import random
import struct

from PIL import Image

TWELVE_MEGAPIXELS = (4000, 3000)
FIFTY_MEGAPIXELS = (8160, 6120)
NAMES = ["12mp.png", "12mp.webp", "12mp-alpha.webp", "12mp-fade.webp", "12mp.jpg", "6mb.jpg", "50mp.jpg", "small.jpg"]

# How much each scale adds. The finest, of single pixels, weighs little, or the PNG would be twice as large as a camera's.
COARSE, FINE = 0.35, 0.1


def _noise(random_source, width, height):
    layers = None
    longest = max(width, height)
    for scale in [8, 32, 128, 512, 2048]:
        step = (max(2, width * scale // longest), max(2, height * scale // longest))
        layer = Image.frombytes("L", step, random_source.randbytes(step[0] * step[1])).resize((width, height), Image.BICUBIC)
        layers = layer if layers is None else Image.blend(layers, layer, FINE if scale == 2048 else COARSE)
    return layers


def photograph(size, seed=1):
    source = random.Random(seed)
    return Image.merge("RGB", [_noise(source, *size) for _ in range(3)])


def _cut_out(picture):
    """The picture as a cut-out: opaque within an oval with a soft edge, transparent outside."""
    alpha = Image.radial_gradient("L").resize(picture.size, Image.BICUBIC).point(lambda distance: min(255, max(0, (168 - distance) * 8)))
    result = picture.copy()
    result.putalpha(alpha)
    return result


def _faded(picture):
    """The picture fading out from bottom to top: the kind of transparency that takes libwebp most memory."""
    result = picture.copy()
    result.putalpha(Image.linear_gradient("L").resize(picture.size))
    return result


def make(folder):
    """Writes the pictures unless they are there as this file makes them, and returns their paths by name."""
    paths = {name: folder / name for name in NAMES}
    recipe = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    made = folder / "recipe"
    if made.exists() and made.read_text() == recipe:
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    picture = photograph(TWELVE_MEGAPIXELS)
    picture.save(paths["12mp.png"], compress_level=6)
    picture.save(paths["12mp.webp"], quality=85, method=2)
    _cut_out(picture).save(paths["12mp-alpha.webp"], quality=85, method=2)
    _faded(picture).save(paths["12mp-fade.webp"], quality=85, method=2)
    picture.save(paths["12mp.jpg"], quality=85)
    for quality in range(86, 101):
        picture.save(paths["6mb.jpg"], quality=quality)
        if paths["6mb.jpg"].stat().st_size >= 6_000_000:
            break
    picture.resize((1024, 768)).save(paths["small.jpg"], quality=90)
    photograph(FIFTY_MEGAPIXELS, 2).save(paths["50mp.jpg"], quality=85)
    made.write_text(recipe)
    return paths


def variant(jpeg, number):
    """The JPEG with other coded pixels in one place, so that no cache knows it; its structure stays whole."""
    digits = b"%08d" % number
    place = len(jpeg) // 2
    # A byte of 255 before them would make a marker of the first digit.
    while jpeg[place - 1] == 255:
        place += 1
    return jpeg[:place] + digits + jpeg[place + len(digits):]


def commented(jpeg, number):
    """The same with a comment that has to be cut out, of a length that is another modulo three each time."""
    comment = (b"benchmark picture %08d" % number) + b" " * (number % 3)
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + variant(jpeg, number)[2:]
