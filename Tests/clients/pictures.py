"""Pictures in every shape that clients send, made on the fly, each with what Pillow makes of it."""

import base64
import functools
import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageOps

from bridge import REPOSITORY

PHOTOS = REPOSITORY / "fixtures/images/photos"


def photo(name):
    """A public-domain photograph by the start of its file's name, as RGB."""
    return Image.open(photo_path(name)).convert("RGB")


def photo_path(name):
    found = sorted(PHOTOS.glob(f"{name}.*"))
    assert found, f"no photograph {name} in {PHOTOS}"
    return found[0]


def graphic(size=(320, 200)):
    """Something like a screenshot: few colours, sharp edges, lines of one pixel."""
    picture = Image.new("RGB", size, (246, 246, 248))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, size[0], 24), fill=(44, 62, 80))
    draw.rectangle((12, 40, 120, 180), fill=(231, 76, 60))
    draw.ellipse((140, 50, 260, 170), fill=(39, 174, 96), outline=(0, 0, 0))
    for x in range(0, size[0], 16):
        draw.line((x, 26, x, 36), fill=(120, 120, 130))
    draw.text((16, 6), "File  Edit  View", fill=(255, 255, 255))
    return picture


def quarters(size=(96, 64)):
    """A different colour in each quarter, so that every turn and flip shows."""
    width, height = size
    picture = Image.new("RGB", size, (200, 30, 30))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=(30, 200, 30))
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=(30, 30, 200))
    draw.rectangle((width // 2, height // 2, width, height), fill=(220, 220, 40))
    return picture


def with_alpha(picture):
    """The picture fading out to the right, with a hole in it."""
    width, height = picture.size
    alpha = np.tile(np.linspace(255, 0, width).round().astype(np.uint8), (height, 1))
    alpha[height // 4: height // 2, width // 4: width // 2] = 0
    result = picture.convert("RGBA")
    result.putalpha(Image.fromarray(alpha))
    return result


def on_white(picture):
    """What a picture looks like on white, as RGB."""
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture).convert("RGB")
    return picture.convert("RGB")


def encode(picture, format, **options):
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def png(samples, *, depth=8, interlaced=False, palette=None, transparency=None):
    """A PNG from an array of (height, width) or (height, width, channels), for what Pillow does not write: 16 bits, Adam7.

    Samples are of `depth` bits; with a palette they are indexes."""
    samples = np.asarray(samples)
    if samples.ndim == 2:
        samples = samples[:, :, None]
    height, width, channels = samples.shape
    color_type = 3 if palette is not None else {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def rows(part):
        if part.shape[0] == 0 or part.shape[1] == 0:
            return b""
        lines = []
        for row in part:
            if depth == 16:
                data = row.astype(">u2").tobytes()
            elif depth == 8:
                data = row.astype(np.uint8).tobytes()
            else:
                bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:].reshape(-1)
                data = np.packbits(bits).tobytes()
            lines.append(b"\0" + data)
        return b"".join(lines)

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(rows(samples[y::step_y, x::step_x]) for x, y, step_x, step_y in passes)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced)))]
    if palette is not None:
        parts.append(chunk(b"PLTE", bytes(palette)))
    if transparency is not None:
        parts.append(chunk(b"tRNS", bytes(transparency)))
    parts += [chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@functools.cache
def icc_profile():
    """One for the whole run: it holds the second in which it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation=None):
    """EXIF bytes with an orientation, a position and a camera."""
    data = Image.Exif()
    if orientation:
        data[0x0112] = orientation
    data[0x010F] = "ACME Cameras"
    gps = data.get_ifd(0x8825)
    gps[1], gps[2] = "N", (52.0, 31.0, 12.0)
    gps[3], gps[4] = "E", (13.0, 24.0, 18.0)
    return data.tobytes()


@dataclass
class Case:
    """A picture to send, and what has to arrive."""

    name: str
    data: bytes
    expected: Image.Image
    # Peak signal to noise in dB that must be reached.
    quality: float = 30

    def __str__(self):
        return self.name


def seen_by_pillow(data):
    """The first frame, upright, on white."""
    picture = Image.open(io.BytesIO(data))
    picture.seek(0)
    return on_white(ImageOps.exif_transpose(picture))


def cases():
    """Photographs and graphics in all formats and shapes."""
    chelsea, astronaut = photo("chelsea"), photo("astronaut")
    small = chelsea.resize((180, 120), Image.LANCZOS)
    screen = graphic()
    made = []

    def add(name, data, expected=None, quality=30.0):
        made.append(Case(name, data, expected or seen_by_pillow(data), quality))

    # As they lie in the folder.
    for path in sorted(PHOTOS.glob("*.*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".gif"):
            add(f"photo {path.name}", path.read_bytes())

    # Photographs.
    add("jpeg", encode(chelsea, "JPEG", quality=92))
    add("jpeg progressive 4:4:4", encode(astronaut, "JPEG", quality=90, progressive=True, subsampling=0))
    add("jpeg grey", encode(chelsea.convert("L"), "JPEG"))
    add("jpeg CMYK", encode(chelsea.convert("CMYK"), "JPEG", quality=92))
    add("jpeg with ICC", encode(chelsea, "JPEG", quality=92, icc_profile=icc_profile()))
    add("mpo of two", encode(chelsea, "MPO", save_all=True, append_images=[small.resize(chelsea.size)]))
    add("png rgb", encode(chelsea, "PNG"))
    add("png rgba", encode(with_alpha(chelsea), "PNG"))
    add("png grey", encode(chelsea.convert("L"), "PNG"))
    add("png grey+alpha", encode(with_alpha(chelsea).convert("LA"), "PNG"))
    add("webp lossy", encode(chelsea, "WEBP", quality=90))
    add("webp lossless", encode(chelsea, "WEBP", lossless=True))
    add("webp lossy alpha", encode(with_alpha(chelsea), "WEBP", quality=90))
    add("webp lossless alpha", encode(with_alpha(chelsea), "WEBP", lossless=True, exact=True))
    add("gif of a photo", encode(chelsea.quantize(256), "GIF"))

    # 16 bits: of a smooth ramp, where clipping instead of scaling would show at once.
    ramp = np.tile(np.linspace(0, 65535, 256).round(), (64, 1))
    ramp_rgb = np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 30000)], axis=2)
    eight = Image.fromarray((ramp_rgb / 257).round().astype(np.uint8))
    grey = Image.fromarray((ramp / 257).round().astype(np.uint8)).convert("RGB")
    add("png 16-bit rgb", png(ramp_rgb, depth=16), eight)
    add("png 16-bit rgb interlaced", png(ramp_rgb, depth=16, interlaced=True), eight)
    add("png 16-bit grey", png(ramp, depth=16), grey)
    opaque = np.full((64, 256, 1), 65535.0)
    add("png 16-bit rgba", png(np.concatenate([ramp_rgb, opaque], axis=2), depth=16), eight)
    add("png interlaced", png(np.asarray(small), interlaced=True), small)

    # Graphics.
    add("graphic png", encode(screen, "PNG"))
    add("graphic jpeg", encode(screen, "JPEG", quality=95, subsampling=0))
    add("graphic webp", encode(screen, "WEBP", lossless=True))
    add("graphic gif", encode(screen.quantize(16, dither=Image.Dither.NONE), "GIF"))
    indexed = screen.quantize(16, dither=Image.Dither.NONE)
    add("png palette", encode(indexed, "PNG"))
    nibbles = png(np.asarray(indexed), depth=4, interlaced=True, palette=indexed.getpalette()[:48])
    add("png palette of 4 bits interlaced", nibbles, indexed.convert("RGB"))
    add("png palette+tRNS", encode(indexed, "PNG", transparency=bytes([0, 128] + [255] * 14)))
    add("png 1 bit", encode(screen.convert("1"), "PNG"))
    add("png grey with tRNS", png(np.asarray(screen.convert("L")), transparency=struct.pack(">H", 246)))
    transparent = with_alpha(screen).quantize(64, method=Image.Quantize.FASTOCTREE)
    add("gif transparent", encode(transparent, "GIF", transparency=0))

    # Only the first frame counts. (4:2:0 costs such a small picture of pure colours more than a photograph.)
    first, then = quarters(), {"save_all": True, "append_images": [Image.new("RGB", (96, 64), (5, 5, 5))], "duration": 80}
    add("gif animated", encode(first, "GIF", loop=0, **then), first, quality=25)
    add("webp animated", encode(first, "WEBP", lossless=True, **then), first, quality=25)
    add("apng", encode(first, "PNG", **then), first, quality=25)

    # Awkward sizes.
    for size in ((1, 1), (1, 40), (17, 3)):
        add(f"png {size[0]}x{size[1]}", encode(Image.new("RGB", size, (90, 140, 60)), "PNG"))
    return made


def mean_difference(one, other):
    """The largest difference of the channels' means, in levels."""
    one, other = (np.asarray(picture.convert("RGB"), dtype=float).mean(axis=(0, 1)) for picture in (one, other))
    return float(np.abs(one - other).max())


def psnr(one, other):
    one, other = (np.asarray(picture.convert("RGB"), dtype=float) for picture in (one, other))
    error = float(((one - other) ** 2).mean())
    return 99.0 if error == 0 else 10 * float(np.log10(255 ** 2 / error))


def assert_shows(arrived, expected, quality=30):
    """Fails unless the picture that arrived shows what it should."""
    assert arrived.size == expected.size
    assert mean_difference(arrived, expected) <= 2
    assert psnr(arrived, expected) >= quality


def base64_of(data):
    return base64.b64encode(data).decode()
