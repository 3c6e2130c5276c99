"""Pictures for the benchmarks, made by Pillow from noise at several scales: as hard to compress as photographs are."""

import random
import struct

from PIL import Image

TWELVE_MEGAPIXELS = (4000, 3000)
FIFTY_MEGAPIXELS = (8160, 6120)


def _noise(random_source, width, height):
    layers = None
    scale = 8
    while scale <= max(width, height):
        step = (max(2, width // (max(width, height) // scale)), max(2, height // (max(width, height) // scale)))
        layer = Image.frombytes("L", step, random_source.randbytes(step[0] * step[1])).resize((width, height), Image.BICUBIC)
        layers = layer if layers is None else Image.blend(layers, layer, 0.35)
        scale *= 4
    return layers


def photograph(size, seed=1):
    source = random.Random(seed)
    return Image.merge("RGB", [_noise(source, *size) for _ in range(3)])


def make(folder):
    """Writes the pictures that are not there yet and returns their paths by name."""
    paths = {name: folder / name for name in [
        "12mp.png", "12mp.webp", "12mp.jpg", "12mp-rotated.jpg", "6mb.jpg", "50mp.jpg", "50mp.png", "small.jpg"]}
    if all(path.exists() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    picture = photograph(TWELVE_MEGAPIXELS)
    picture.save(paths["12mp.png"], compress_level=6)
    picture.save(paths["12mp.webp"], quality=85, method=2)
    picture.save(paths["12mp.jpg"], quality=85)
    exif = Image.Exif()
    exif[0x0112] = 2
    # An orientation on a grid that is no multiple of blocks, so that it has to be decoded.
    picture.crop((0, 0, 3996, 2996)).save(paths["12mp-rotated.jpg"], quality=85, exif=exif)
    for quality in range(70, 101):
        picture.save(paths["6mb.jpg"], quality=quality)
        if paths["6mb.jpg"].stat().st_size >= 6_000_000:
            break
    picture.resize((1024, 768)).save(paths["small.jpg"], quality=90)
    large = photograph(FIFTY_MEGAPIXELS, 2)
    large.save(paths["50mp.jpg"], quality=85)
    large.save(paths["50mp.png"], compress_level=1)
    return paths


def variant(jpeg, number):
    """The same JPEG with another comment in it: different bytes, so that no cache knows it."""
    comment = b"benchmark picture %d" % number
    return jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:]
