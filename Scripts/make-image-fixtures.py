#!/usr/bin/env python3
"""Writes fixtures/images/ and the facts the tests hold the normaliser to.

Needs Pillow and numpy, and the photos of scikit-image's wheel:
    pip install Pillow numpy && pip download --no-deps scikit-image && unzip scikit_image-*.whl 'skimage/data/*' -d DIR
    Scripts/make-image-fixtures.py DIR/skimage/data

Every expectation is computed from the pixels a file was made of, never by decoding the file with the libraries under test.
An expectation is the upright size and the mean colour of each cell of an 8 x 8 grid, on the background named in the facts.
"""
import io, json, pathlib, struct, sys, zlib
import numpy as np
from PIL import Image, ImageCms, ImageDraw

DATA = pathlib.Path(sys.argv[1])
OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "images"
GRID = 8
WHITE, DARK = (255, 255, 255), (32, 32, 32)
facts = []


def grid(rgb):
    """Mean colour of each cell, row by row."""
    rgb = np.asarray(rgb, dtype=np.float64)
    h, w = rgb.shape[:2]
    cells = []
    for j in range(GRID):
        for i in range(GRID):
            cell = rgb[h * j // GRID : h * (j + 1) // GRID, w * i // GRID : w * (i + 1) // GRID]
            cells.append([round(float(v), 1) for v in cell.reshape(-1, 3).mean(axis=0)])
    return cells


def on(background, rgba):
    """Blends an h x w x 4 array (0...255) onto a colour."""
    rgba = np.asarray(rgba, dtype=np.float64)
    a = rgba[..., 3:] / 255
    return rgba[..., :3] * a + np.asarray(background, dtype=np.float64) * (1 - a)


def fact(name, data, rgb, tolerance=5, **more):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    rgb = np.asarray(rgb)
    if rgb.ndim == 2:
        rgb = np.stack([rgb] * 3, axis=-1)
    facts.append({"file": name, "width": rgb.shape[1], "height": rgb.shape[0], "tolerance": tolerance, "grid": grid(rgb), **more})


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


# ---- PNG, written by hand: Pillow does not write most of its kinds.

def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def packed(rows, depth):
    """h x w x c samples to rows of bytes, each behind filter type 0."""
    out = b""
    for row in rows:
        flat = row.reshape(-1)
        if depth == 16:
            line = flat.astype(">u2").tobytes()
        elif depth == 8:
            line = flat.astype(np.uint8).tobytes()
        else:
            bits = ((flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(-1)
            line = np.packbits(bits.astype(np.uint8)).tobytes()
        out += b"\0" + line
    return out


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, kind, depth, interlaced=False, before=b"", after=b""):
    samples = np.asarray(samples)
    if samples.ndim == 2:
        samples = samples[..., None]
    h, w = samples.shape[:2]
    if interlaced:
        raw = b"".join(packed(samples[y::dy, x::dx], depth) for x, y, dx, dy in ADAM7 if samples[y::dy, x::dx].size)
    else:
        raw = packed(samples, depth)
    header = struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(raw, 9)) + after + chunk(b"IEND", b"")


def exif(orientation, big_endian=False):
    order = ">" if big_endian else "<"
    head = b"MM\0*" if big_endian else b"II*\0"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


# ---- Pictures to start from

def crop(name, box, size):
    return Image.open(DATA / name).convert("RGB").crop(box).resize(size, Image.LANCZOS)


def marked(size):
    """A picture whose eight turns cannot be mistaken for each other."""
    image = crop("astronaut.png", (120, 0, 360, 160), size)
    draw = ImageDraw.Draw(image)
    w, h = size
    draw.rectangle((0, 0, w // 3, h // 4), fill=(220, 30, 30))
    draw.rectangle((w - w // 5, 0, w, h // 4), fill=(30, 160, 40))
    draw.rectangle((0, h - h // 3, w // 6, h), fill=(30, 60, 200))
    return image


# How a camera stores an upright picture under each orientation: the inverse of the turn a viewer makes.
STORED = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE, 6: Image.ROTATE_90,
          7: Image.TRANSVERSE, 8: Image.ROTATE_270}


def orientations():
    for label, size in (("whole-blocks", (96, 64)), ("odd", (91, 61))):
        upright = marked(size)
        for value, how in STORED.items():
            image = upright.transpose(how) if how is not None else upright
            note = b"Exif\0\0" + exif(value, big_endian=value % 2 == 0)
            lossless = label == "whole-blocks" and value > 1
            for sampling, code in (("420", 2), ("444", 0)):
                action = "passed_through" if value == 1 else "turned_losslessly" if lossless else None
                fact(f"orientation/jpeg-{sampling}-{label}-{value}.jpg", saved(image, format="JPEG", quality=92, subsampling=code, exif=note),
                     upright, 6, action=action)
        for value, how in STORED.items():
            image = upright.transpose(how) if how is not None else upright
            if label == "odd":
                fact(f"orientation/png-{value}.png", png(np.array(image), 2, 8, before=chunk(b"eXIf", exif(value, value > 4))), upright, 6,
                     action="turned" if value > 1 else "reencoded")
                fact(f"orientation/webp-{value}.webp", saved(image, format="WEBP", quality=90, exif=exif(value)), upright, 8,
                     action="turned" if value > 1 else "reencoded")
    image = marked((96, 64))
    fact("orientation/nonsense-9.jpg", saved(image, format="JPEG", quality=92, exif=b"Exif\0\0" + exif(9)), image, 6, action="passed_through")
    fact("orientation/nonsense-bytes.jpg", saved(image, format="JPEG", quality=92, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"), image, 6, action="passed_through")
    fact("orientation/exif-after-pixels.png", png(np.array(image.transpose(Image.ROTATE_90)), 2, 8, after=chunk(b"eXIf", exif(6))), image, 6, action="turned")


def colours():
    photo = np.array(crop("coffee.png", (100, 50, 420, 290), (80, 60))).astype(np.int64)
    grey = np.array(crop("chelsea.png", (100, 20, 340, 200), (80, 60)).convert("L")).astype(np.int64)
    alpha = np.tile(np.linspace(0, 255, 80).round().astype(np.int64), (60, 1))
    for depth in (1, 2, 4, 8, 16):
        top = (1 << depth) - 1
        samples = (grey * top + 127) // 255
        seen = samples * 255 / top
        fact(f"colour/grey-{depth}.png", png(samples, 0, depth), seen, sampling="grey", action="sixteen_bit_scaled" if depth == 16 else None)
        fact(f"colour/grey-{depth}-interlaced.png", png(samples, 0, depth, True), seen, sampling="grey")
        key = int(samples[30, 40])
        a = np.where(samples == key, 0, 255)
        rgba = np.dstack([seen] * 3 + [a])
        fact(f"colour/grey-{depth}-trns.png", png(samples, 0, depth, before=chunk(b"tRNS", struct.pack(">H", key))), on(WHITE, rgba), 5, sampling="grey",
             background="white")
    for depth in (8, 16):
        top = (1 << depth) - 1
        samples = photo * top // 255
        seen = samples * 255 / top
        fact(f"colour/rgb-{depth}.png", png(samples, 2, depth), seen)
        fact(f"colour/rgb-{depth}-interlaced.png", png(samples, 2, depth, True), seen)
        key = samples[5, 5]
        a = np.where((samples == key).all(axis=2), 0, 255)
        fact(f"colour/rgb-{depth}-trns.png", png(samples, 2, depth, before=chunk(b"tRNS", struct.pack(">HHH", *map(int, key)))),
             on(WHITE, np.dstack([seen, a])), background="white")
        fact(f"colour/rgba-{depth}.png", png(np.dstack([samples, alpha * top // 255]), 6, depth), on(WHITE, np.dstack([seen, alpha])), background="white")
        fact(f"colour/rgba-{depth}-interlaced.png", png(np.dstack([samples, alpha * top // 255]), 6, depth, True), on(WHITE, np.dstack([seen, alpha])))
        gs = grey * top // 255
        fact(f"colour/grey-alpha-{depth}.png", png(np.dstack([gs, alpha * top // 255]), 4, depth),
             on(WHITE, np.dstack([gs * 255 / top] * 3 + [alpha])), sampling="grey", background="white")
    for depth in (1, 2, 4, 8):
        count = 1 << depth
        image = Image.fromarray(photo.astype(np.uint8)).quantize(count)
        indices = np.array(image)
        table = np.array((image.getpalette() + [0] * 768)[: count * 3]).reshape(-1, 3)
        plte = chunk(b"PLTE", bytes(table.reshape(-1).astype(np.uint8)))
        fact(f"colour/palette-{depth}.png", png(indices, 3, depth, before=plte), table[indices], 8, sampling="4:4:4")
        fact(f"colour/palette-{depth}-interlaced.png", png(indices, 3, depth, True, before=plte), table[indices], 8)
        opaque = np.array([0, 128] + [255] * (count - 2))[:count]
        rgba = np.dstack([table[indices], opaque[indices]])
        fact(f"colour/palette-{depth}-trns.png", png(indices, 3, depth, before=plte + chunk(b"tRNS", bytes([0, 128]))), on(WHITE, rgba), 8, background="white")
    linear = np.round(((photo / 255) ** 2.2) * 65535).astype(np.int64)
    fact("colour/gamma-1.png", png(linear, 2, 16, before=chunk(b"gAMA", struct.pack(">I", 100000))), photo, 5, action="gamma_corrected")
    fact("colour/gamma-1-but-srgb.png", png(photo, 2, 8, before=chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 45455))), photo)

    image = Image.fromarray(photo.astype(np.uint8))
    fact("colour/grey.jpg", saved(Image.fromarray(grey.astype(np.uint8)), format="JPEG", quality=90), grey, sampling="grey", action="passed_through")
    fact("colour/rgb-stored.jpg", saved(image, format="JPEG", quality=92, keep_rgb=True), photo, action="passed_through")
    fact("colour/progressive.jpg", saved(image, format="JPEG", quality=90, progressive=True), photo, action="passed_through")
    fact("colour/lossless.webp", saved(image, format="WEBP", lossless=True), photo, action="reencoded")
    fact("colour/lossy-alpha.webp", saved(Image.fromarray(np.dstack([photo, alpha]).astype(np.uint8)), format="WEBP", quality=95, exact=True),
         on(WHITE, np.dstack([photo, alpha])), 6, background="white")
    fact("colour/lossless-alpha.webp", saved(Image.fromarray(np.dstack([photo, alpha]).astype(np.uint8)), format="WEBP", lossless=True, exact=True),
         on(WHITE, np.dstack([photo, alpha])), background="white")

    # CMYK: inks chosen, colour by the plain formula every decoder without a profile uses.
    ink = np.dstack([255 - photo[..., 0], 255 - photo[..., 1], 255 - photo[..., 2], np.tile(np.linspace(0, 120, 60), (80, 1)).T]).astype(np.uint8)
    seen = (255.0 - ink[..., :3]) * (255.0 - ink[..., 3:]) / 255
    adobe = saved(Image.fromarray(ink, "CMYK"), format="JPEG", quality=95, subsampling=0)
    fact("colour/cmyk-adobe.jpg", adobe, seen, 5, action="converted_from_cmyk")
    marker = adobe.index(b"\xff\xeeX"[:2])
    length = struct.unpack(">H", adobe[marker + 2 : marker + 4])[0]
    upside = saved(Image.fromarray(255 - ink, "CMYK"), format="JPEG", quality=95, subsampling=0)
    at = upside.index(b"\xff\xee")
    fact("colour/cmyk-plain.jpg", upside[:at] + upside[at + 2 + length :], seen, 5, action="converted_from_cmyk")
    # YCCK: what is stored is the YCbCr form of 255 minus Adobe's inverted inks, that is, of the inks themselves.
    ycc = np.array(Image.fromarray(ink[..., :3], "RGB").convert("YCbCr"))
    ycck = saved(Image.fromarray(255 - np.dstack([ycc, 255 - ink[..., 3]]), "CMYK"), format="JPEG", quality=95, subsampling=0)
    at = ycck.index(b"Adobe")
    fact("colour/ycck.jpg", ycck[: at + 11] + b"\x02" + ycck[at + 12 :], seen, 6, action="converted_from_cmyk")

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    fact("colour/profile.jpg", saved(image, format="JPEG", quality=90, icc_profile=profile, exif=b"Exif\0\0" + exif(1), comment=b"by someone"), photo,
         action="profile_kept")
    fact("colour/profile-turned.jpg", saved(marked((96, 64)).transpose(Image.ROTATE_90), format="JPEG", quality=90, icc_profile=profile, exif=b"Exif\0\0" + exif(6)),
         marked((96, 64)), 6, action="profile_kept")
    fact("colour/profile.png", saved(image, format="PNG", icc_profile=profile), photo, action="profile_kept")
    fact("colour/profile.webp", saved(image, format="WEBP", quality=92, icc_profile=profile), photo, 6, action="profile_kept")


def backgrounds():
    w, h = 96, 48
    def logo(colour, alpha=255):
        image = Image.new("RGBA", (w, h), (0, 0, 0, 0))
        draw = ImageDraw.Draw(image)
        draw.ellipse((8, 6, 44, 42), fill=colour + (alpha,))
        draw.rectangle((56, 12, 88, 36), fill=colour + (alpha,))
        return image
    for name, image, background, label in (
        ("white-logo", logo((255, 255, 255)), DARK, "dark"), ("black-logo", logo((0, 0, 0)), WHITE, "white"),
        ("yellow-logo", logo((250, 240, 60)), DARK, "dark"), ("red-logo-half", logo((200, 20, 20), 128), WHITE, "white"),
        ("invisible", Image.new("RGBA", (w, h), (9, 99, 199, 0)), WHITE, "white")):
        fact(f"background/{name}.png", saved(image, format="PNG"), on(background, np.array(image)), 5, background=label)
        fact(f"background/{name}.webp", saved(image, format="WEBP", lossless=True, exact=True), on(background, np.array(image)), 5, background=label)
    # Bright on top, dark below: the first rows alone would choose the wrong background.
    tall = Image.new("RGBA", (2400, 1400), (0, 0, 0, 0))
    ImageDraw.Draw(tall).rectangle((100, 100, 2300, 700), fill=(255, 255, 255, 255))
    ImageDraw.Draw(tall).rectangle((100, 900, 2300, 1390), fill=(0, 0, 0, 255))
    fact("background/late-black.png", saved(tall, format="PNG", compress_level=9), on(WHITE, np.array(tall)), 5, background="white")
    tall = Image.new("RGBA", (2400, 1400), (0, 0, 0, 0))
    ImageDraw.Draw(tall).rectangle((100, 1000, 2300, 1390), fill=(255, 255, 255, 255))
    fact("background/late-white.png", saved(tall, format="PNG", compress_level=9), on(DARK, np.array(tall)), 5, background="dark")
    grey_alpha = np.dstack([np.full((h, w), 250), np.tile(np.linspace(0, 255, w), (h, 1))]).astype(np.int64)
    fact("background/white-grey-alpha.png", png(grey_alpha, 4, 8), on(DARK, np.dstack([grey_alpha[..., 0]] * 3 + [grey_alpha[..., 1]])), 5, background="dark", sampling="grey")


def riff(chunks):
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(c)) + c + b"\0" * (len(c) & 1) for name, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(value):
    return struct.pack("<I", value)[:3]


def animations():
    w, h = 64, 48
    patch = crop("chelsea.png", (100, 20, 340, 200), (32, 24))
    second = Image.new("RGB", (w, h), (255, 0, 0))
    canvas = Image.new("RGBA", (w, h), (0, 0, 0, 0))
    canvas.paste(patch, (20, 10))
    seen = on(WHITE, np.array(canvas))

    quantized = patch.quantize(64)
    table = np.array(quantized.getpalette()[: 64 * 3]).reshape(-1, 3)
    frame = np.zeros((h, w, 4))
    frame[10:34, 20:52] = np.dstack([table[np.array(quantized)], np.full((24, 32), 255)])

    def gif(interlaced=False, transparent=None, screen=(w, h), frames=2):
        out = b"GIF89a" + struct.pack("<HHBBB", *screen, 0, 0, 0)
        for n in range(frames):
            flags = 8 if n else 0 if transparent is None else 1
            out += b"\x21\xf9\x04" + bytes([flags, 5, 0, transparent or 0]) + b"\0"
            indices = np.array(quantized) if n == 0 else np.zeros((24, 32), np.uint8)
            if interlaced:
                order = [y for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(start, 24, step)]
                indices = indices[order]
            out += b"\x2c" + struct.pack("<HHHHB", 20, 10, 32, 24, 0x80 | 5 | (0x40 if interlaced else 0)) + bytes(table.reshape(-1).astype(np.uint8))
            # Uncompressed LZW: clear codes often enough that the code width stays at 7 bits.
            bits, acc, count, body = [], 0, 0, bytearray()
            codes = []
            for i, value in enumerate(indices.reshape(-1)):
                if i % 60 == 0: codes.append(64)
                codes.append(int(value))
            codes.append(65)
            for code in codes:
                acc |= code << count
                count += 7
                while count >= 8:
                    body.append(acc & 255)
                    acc >>= 8
                    count -= 8
            if count: body.append(acc & 255)
            out += b"\x06" + b"".join(bytes([len(body[i : i + 255])]) + bytes(body[i : i + 255]) for i in range(0, len(body), 255)) + b"\0"
        return out + b"\x3b"

    fact("animation/offset.gif", gif(), on(WHITE, frame), 8, action="first_frame", background="white")
    fact("animation/offset-interlaced.gif", gif(True), on(WHITE, frame), 8, action="first_frame")
    fact("animation/still-offset.gif", gif(frames=1), on(WHITE, frame), 8, action="flattened")
    fact("animation/no-screen.gif", gif(screen=(0, 0)), on(WHITE, frame[:34, :52]), 8, action="first_frame")
    holes = frame.copy()
    key = int(np.array(quantized)[12, 16])
    holes[10:34, 20:52][np.array(quantized) == key] = 0
    fact("animation/transparent.gif", gif(transparent=key), on(WHITE, holes), 8, action="first_frame")

    lossless = saved(patch, format="WEBP", lossless=True)
    lossy = saved(patch, format="WEBP", quality=95)
    other = saved(second.resize((64, 48)), format="WEBP", lossless=True)
    for name, still, tolerance in (("lossless", lossless, 8), ("lossy", lossy, 10)):
        def anmf(x, y, fw, fh, content):
            return b"ANMF", u24(x // 2) + u24(y // 2) + u24(fw - 1) + u24(fh - 1) + u24(100) + b"\0" + content
        data = riff([(b"VP8X", b"\x02\0\0\0" + u24(w - 1) + u24(h - 1)), (b"ANIM", b"\0\0\xff\xff\0\0"), anmf(20, 10, 32, 24, still[12:]), anmf(0, 0, w, h, other[12:])])
        fact(f"animation/offset-{name}.webp", data, seen, tolerance, action="first_frame")
    frames = [Image.fromarray(np.array(canvas)), second.convert("RGBA")]
    fact("animation/pillow.webp", saved(frames[0], format="WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True), seen, 8, action="first_frame")

    fact("animation/default-is-first.png", saved(frames[0], format="PNG", save_all=True, append_images=frames[1:]), seen, 8, action="first_frame")

    def fctl(sequence, fw, fh, x, y):
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, fw, fh, x, y, 1, 10, 0, 0))
    raw = zlib.compress(packed(np.array(patch), 8))
    apng = png(np.full((h, w, 3), 77), 2, 8, before=chunk(b"acTL", struct.pack(">II", 2, 0)),
               after=fctl(0, 32, 24, 20, 10) + chunk(b"fdAT", struct.pack(">I", 1) + raw[:500]) + chunk(b"fdAT", struct.pack(">I", 2) + raw[500:])
               + fctl(3, w, h, 0, 0) + chunk(b"fdAT", struct.pack(">I", 4) + zlib.compress(packed(np.array(second), 8))))
    fact("animation/default-left-out.png", apng, seen, 8, action="first_frame")


def photos():
    for name, source, size, options, action in (
        ("astronaut.jpg", "astronaut.png", (512, 512), dict(format="JPEG", quality=88), "passed_through"),
        ("astronaut-progressive.jpg", "astronaut.png", (384, 384), dict(format="JPEG", quality=88, progressive=True), "passed_through"),
        ("chelsea.png", "chelsea.png", (300, 200), dict(format="PNG"), "reencoded"),
        ("coffee.webp", "coffee.png", (600, 400), dict(format="WEBP", quality=80), "reencoded"),
        ("rocket.gif", "rocket.jpg", (240, 160), None, "reencoded"),
        ("retina.jpg", "retina.jpg", (700, 700), dict(format="JPEG", quality=85, subsampling=0), "passed_through")):
        image = Image.open(DATA / source).convert("RGB").resize(size, Image.LANCZOS)
        if options is None:
            palette = image.quantize(256, dither=Image.Dither.NONE)
            fact("photos/" + name, saved(palette, format="GIF"), np.array(palette.convert("RGB")), action=action)
        else:
            fact("photos/" + name, saved(image, **options), np.array(image), action=action)
    page = Image.new("RGB", (640, 400), (250, 250, 252))
    draw = ImageDraw.Draw(page)
    for line in range(14):
        draw.text((24, 20 + 26 * line), f"{line:02d}  let picture = try normalize(bytes, to: target)", fill=(20, 20, 120) if line % 3 else (180, 20, 40))
    fact("photos/screenshot.png", saved(page, format="PNG"), np.array(page), sampling="4:4:4", action="reencoded")


orientations()
colours()
backgrounds()
animations()
photos()
lines = ",\n".join("  " + json.dumps(f, separators=(",", ":")) for f in facts)
(OUT / "facts.json").write_text("[\n" + lines + "\n]\n")
print(len(facts), "pictures,", sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")
