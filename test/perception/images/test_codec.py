# SPDX-License-Identifier: Apache-2.0
"""Every encoding that is read comes out as the same rgb; what is not read says so."""

import struct
import zlib

from ami_ros.perception.images import codec
import cv2
import numpy as np
import pytest

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (6, 8, 3), np.uint8)
SMOOTH = cv2.resize(RNG.integers(0, 256, (3, 4, 3), np.uint8), (40, 30))
OPAQUE = np.full((6, 8, 1), 7, np.uint8)
AS = {      # encoding: the picture as it says
    'rgb8': PICTURE, 'bgr8': PICTURE[..., ::-1],
    'rgba8': np.dstack([PICTURE, OPAQUE]), 'bgra8': np.dstack([PICTURE[..., ::-1], OPAQUE]),
    '8UC3': PICTURE[..., ::-1], '8UC4': np.dstack([PICTURE[..., ::-1], OPAQUE]),
}
GREY = ('mono8', '8UC1')
WIDE = {'rgb16': [0, 1, 2], 'bgr16': [2, 1, 0], 'rgba16': [0, 1, 2, 0], 'bgra16': [2, 1, 0, 0],
        'mono16': [0]}
PAIRS = {'uyvy': (1, 0, 3, 2), 'yuv422': (1, 0, 3, 2), 'yuyv': (0, 1, 2, 3),
         'yuv422_yuy2': (0, 1, 2, 3)}       # where Y0, U, Y1, V lie: out of Y0 U Y1 V
PLANES = {'nv12': (0, 1), 'nv21': (1, 0)}   # the order of U and V
MOSAICS = [f'bayer_{p}{bits}' for p in ('rggb', 'bggr', 'gbrg', 'grbg') for bits in (8, 16)]


def raw(pixels: np.ndarray, padding: int = 0):
    """Lay out rows as a sensor_msgs/Image does; return (data, height, width, step)."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1).view(np.uint8)
    rows = np.hstack([rows, np.full((height, padding), 255, np.uint8)])
    return rows.tobytes(), height, width, rows.shape[1]


def test_every_encoding_in_the_table_is_tested():
    assert {*AS, *GREY, *WIDE, *PAIRS, *PLANES, *MOSAICS} == set(codec.ENCODINGS)


# one byte a value

@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', AS)
def test_every_colour_encoding_is_the_same_picture(encoding, padding):
    out = codec.from_raw(*raw(AS[encoding], padding), encoding)
    assert out.dtype == np.uint8 and np.array_equal(out, PICTURE)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', GREY)
def test_grey_becomes_rgb(encoding, padding):
    out = codec.from_raw(*raw(PICTURE[..., 0], padding), encoding)
    assert np.array_equal(out, np.repeat(PICTURE[..., :1], 3, 2))


def test_rgb_is_not_copied():
    data = np.frombuffer(PICTURE.tobytes(), np.uint8)
    assert np.shares_memory(codec.from_raw(data, 6, 8, 24, 'rgb8'), data)


# two bytes a value

@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 2])
@pytest.mark.parametrize('encoding', WIDE)
def test_sixteen_bits_are_scaled_to_eight(encoding, padding, bigendian):
    deep = RNG.integers(0, 65536, (6, 8, 3), np.uint16)
    deep[0, 0], deep[0, 1] = 0, 65535
    laid = deep[..., WIDE[encoding]].astype('>u2' if bigendian else '<u2')
    expected = np.floor(deep / 257 + 0.5)       # 65535 is 255
    if encoding == 'mono16':
        expected = np.repeat(expected[..., :1], 3, 2)
    assert np.array_equal(codec.from_raw(*raw(laid, padding), encoding, bigendian), expected)


# colours of half or a quarter of the resolution

def rgb_of(y, u, v) -> np.ndarray:
    """ITU-R BT.601 of video range, as the standard has it."""
    y, u, v = (np.asarray(plane, float) for plane in (y, u, v))
    light, u, v = 255 / 219 * (y - 16), (u - 128) / 112 * 255 / 2, (v - 128) / 112 * 255 / 2
    red, blue = light + 1.402 * v, light + 1.772 * u
    green = light - (0.114 * 1.772 * u + 0.299 * 1.402 * v) / 0.587
    return np.clip(np.stack([red, green, blue], -1), 0, 255)


DARKEST = 16        # black; what is below, in noise, OpenCV takes for black
YUV_ERROR = 2       # OpenCV's factors have three digits, and it rounds twice


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('encoding', PAIRS)
def test_pixels_that_share_their_colour_in_pairs(encoding, padding):
    pairs = RNG.integers(DARKEST, 256, (5, 6, 4), np.uint8)     # Y0 U Y1 V
    y0, u, y1, v = np.moveaxis(pairs, -1, 0)
    expected = np.stack([rgb_of(y0, u, v), rgb_of(y1, u, v)], 2).reshape(5, 12, 3)
    data, height, _, step = raw(pairs[..., PAIRS[encoding]], padding)
    out = codec.from_raw(data, height, 12, step, encoding)
    assert np.abs(out - expected).max() <= YUV_ERROR


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('encoding', PLANES)
def test_a_plane_of_grey_and_one_of_colour(encoding, padding):
    y = RNG.integers(DARKEST, 256, (4, 6), np.uint8)
    colour = RNG.integers(0, 256, (2, 3, 2), np.uint8)      # U, V
    u, v = np.moveaxis(colour.repeat(2, 0).repeat(2, 1), -1, 0)
    laid = np.vstack([y, colour[..., PLANES[encoding]].reshape(2, 6)])
    data, _, width, step = raw(laid, padding)
    out = codec.from_raw(data, 4, width, step, encoding)
    assert out.shape == (4, 6, 3) and np.abs(out - rgb_of(y, u, v)).max() <= YUV_ERROR
    with pytest.raises(ValueError, match=f'6x4 {encoding}, .* it needs {6 * step}'):
        codec.from_raw(data[:-1], 4, width, step, encoding)


@pytest.mark.parametrize('encoding, width, height, what', [
    *((name, 7, 4, 'an even width$') for name in PAIRS),
    *((name, 7, 4, 'an even width and height') for name in PLANES),
    *((name, 6, 5, 'an even width and height') for name in PLANES)])
def test_an_odd_size_where_there_can_be_none(encoding, width, height, what):
    with pytest.raises(ValueError, match=f'{width}x{height} {encoding}, which has {what}'):
        codec.from_raw(bytes(200), height, width, 16, encoding)


# mosaics

def mosaic_of(picture: np.ndarray, pattern: str) -> np.ndarray:
    """What a sensor with such a pattern, row by row from the upper left, makes of a picture."""
    out = np.empty(picture.shape[:2], picture.dtype)
    for index, colour in enumerate(pattern):
        part = np.s_[index // 2::2, index % 2::2]
        out[part] = picture[part][..., 'rgb'.index(colour)]
    return out


def interpolated(mosaic: np.ndarray, pattern: str) -> np.ndarray:
    """Bilinear by definition: the mean of the nearest pixels that have the colour, inside."""
    height, width = mosaic.shape
    has = np.array([['rgb'.index(pattern[2 * (y % 2) + x % 2]) for x in range(width)]
                    for y in range(height)])
    out = np.zeros((height, width, 3))
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            near = np.s_[y - 1:y + 2, x - 1:x + 2]
            away = np.abs(np.mgrid[-1:2, -1:2]).sum(0)
            for colour in range(3):
                least = away[has[near] == colour].min()
                out[y, x, colour] = mosaic[near][(has[near] == colour) & (away == least)].mean()
    return out[1:-1, 1:-1]


@pytest.mark.parametrize('size', [(8, 10), (7, 9)])
@pytest.mark.parametrize('encoding', MOSAICS)
def test_a_mosaic_is_interpolated(encoding, size):
    pattern, bits = encoding[6:10], int(encoding[10:])
    mosaic = mosaic_of(RNG.integers(0, 256, (*size, 3)), pattern)
    laid = mosaic.astype(np.uint8) if bits == 8 else (mosaic * 257).astype('<u2')
    out = codec.from_raw(*raw(laid, 2), encoding)
    assert np.abs(out[1:-1, 1:-1] - interpolated(mosaic, pattern)).max() <= 0.5     # rounding


@pytest.mark.parametrize('encoding', MOSAICS)
def test_red_comes_out_red_and_where_it_was(encoding):
    picture = np.full((12, 16, 3), (20, 60, 220), int)
    picture[:, :6] = 230, 40, 10
    picture *= 257 if encoding.endswith('16') else 1
    laid = mosaic_of(picture, encoding[6:10])
    laid = laid.astype('<u2' if encoding.endswith('16') else np.uint8)
    out = codec.from_raw(*raw(laid), encoding)
    assert np.all(out[:, :5] == (230, 40, 10)) and np.all(out[:, 7:] == (20, 60, 220))


@pytest.mark.parametrize('width, height', [(3, 8), (8, 3), (1, 1)])
def test_a_mosaic_too_small_to_be_mixed(width, height):
    with pytest.raises(ValueError, match=f'{width}x{height} bayer_rggb8.* at least 4x4'):
        codec.from_raw(bytes(64), height, width, 8, 'bayer_rggb8')


# what is wrong

@pytest.mark.parametrize('encoding', ['16UC1', '32FC1', 'bayer_rggb12', 'h264', '', 'RGB8'])
def test_another_encoding_names_those_that_are_read(encoding):
    with pytest.raises(ValueError, match='is not read; there are: rgb8, bgr8') as wrong:
        codec.from_raw(*raw(PICTURE), encoding)
    assert repr(encoding) in str(wrong.value)


@pytest.mark.parametrize('data, height, width, step', [
    (b'', 6, 8, 24), (b'x' * 143, 6, 8, 24), (b'x' * 144, 6, 8, 23), (b'x' * 144, 0, 8, 24),
    (b'x' * 144, 6, 0, 24), (b'x' * 144, -6, 8, 24), (b'x' * 144, 7, 8, 24),
    (b'x' * 144, 2**32 - 1, 2**32 - 1, 2**32 - 1), (b'x' * 144, 1, 8, 2**32 - 1)])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgb16', 'nv12', 'uyvy'])
def test_too_few_bytes_say_how_many_there_are(data, height, width, step, encoding):
    if encoding in ('nv12', 'uyvy'):        # fewer bytes a pixel
        height, step = 2 * height, step if step != 24 else 400
    with pytest.raises(ValueError, match=f'{width}x{height} {encoding}, step {step}') as wrong:
        codec.from_raw(data, height, width, step, encoding)
    said = str(wrong.value)
    assert f'brings {len(data)} byte' in said or 'the step is the length of a row' in said


@pytest.mark.parametrize('encoding, row', [('rgb8', 24), ('rgb16', 48), ('mono8', 8), ('nv12', 8)])
def test_a_step_shorter_than_a_row_is_named(encoding, row):
    for step in (0, row - 1):
        with pytest.raises(ValueError, match=f'step {step}; the step is .* at least {row}'):
            codec.from_raw(bytes(1000), 6, 8, step, encoding)


def test_more_pixels_than_a_camera_has():
    data = bytes(codec.MOST_PIXELS + 1)
    with pytest.raises(ValueError, match=f'{len(data)}x1; it may have 1 to {codec.MOST_PIXELS}'):
        codec.from_raw(data, 1, len(data), len(data), 'mono8')


# compressed

def test_png_is_exact_and_jpeg_close():
    assert np.array_equal(codec.from_compressed(codec.to_png(SMOOTH)), SMOOTH)
    off = np.abs(codec.from_compressed(codec.to_jpeg(SMOOTH)).astype(int) - SMOOTH)
    assert off.mean() < 4 and 0 < off.max()


def test_jpeg_quality_counts():
    assert len(codec.to_jpeg(SMOOTH, 95)) > len(codec.to_jpeg(SMOOTH, 30))


FORMATS = ['', 'jpeg', 'png', 'jpg', 'rgb8; jpeg compressed bgr8', 'bgr8; jpeg compressed bgr8',
           'rgb8; jpeg compressed rgb8', 'bgr8; jpeg compressed rgb8', 'rgb8; png compressed bgr8',
           'bayer_rggb8; jpeg compressed bgr8', 'yuv422; jpeg compressed bgr8']


def png_by_hand(picture: np.ndarray, size: tuple[int, int] | None = None, bits: int = 8) -> bytes:
    """Write (H, W, 3) as the PNG standard has it, without OpenCV; may lie about its size."""
    width, height = size or picture.shape[1::-1]
    rows = b''.join(b'\0' + row.astype(f'>u{bits // 8}').tobytes() for row in picture)
    parts = [(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, 2, 0, 0, 0)),
             (b'IDAT', zlib.compress(rows)), (b'IEND', b'')]
    return codec.PNG + b''.join(struct.pack('>I', len(data)) + kind + data
                                + struct.pack('>I', zlib.crc32(kind + data))
                                for kind, data in parts)


@pytest.mark.parametrize('kind', FORMATS)
def test_red_is_what_the_file_says_whatever_the_transport_says(kind):
    red = np.full((16, 16, 3), (230, 30, 40), np.uint8)
    assert np.array_equal(codec.from_compressed(png_by_hand(red), kind), red)
    # encoded by the standard: OpenCV takes blue first
    jpeg = cv2.imencode('.jpg', np.ascontiguousarray(red[..., ::-1]))[1].tobytes()
    assert np.abs(codec.from_compressed(jpeg, kind).astype(int) - red).max() <= 4


def test_a_png_of_sixteen_bits_or_of_grey():
    deep = np.full((4, 5, 3), (65535, 257 * 100, 0), np.uint16)
    out = codec.from_compressed(png_by_hand(deep, bits=16))
    assert np.array_equal(out, np.full((4, 5, 3), (255, 100, 0)))
    grey = cv2.imencode('.png', PICTURE[..., 0])[1].tobytes()
    assert np.array_equal(codec.from_compressed(grey), np.repeat(PICTURE[..., :1], 3, 2))


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('order', ['<', '>'])
def test_the_turn_that_exif_asks_for_is_left_undone(orientation, order):
    plain = codec.to_jpeg(SMOOTH)
    tiff = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(
        order + 'IHHHIHHI', 8, 1, 0x112, 3, 1, orientation, 0, 0)
    exif = b'Exif\0\0' + tiff
    turned = plain[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + plain[2:]
    if orientation > 4:     # the file does say so: OpenCV would turn it
        seen = cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR)
        assert seen.shape == (40, 30, 3)
    assert np.array_equal(codec.from_compressed(turned), codec.from_compressed(plain))


@pytest.mark.parametrize('kind, what', [
    ('16UC1; compressedDepth png', 'depth'), ('16UC1; png compressed ', 'depth'),
    ('32FC1; compressedDepth rvl', 'depth'), ('bayer_rggb8; jpeg compressed ', 'a mosaic'),
    ('bayer_bggr16; png compressed ', 'a mosaic')])
def test_what_is_no_picture_of_colours(kind, what):
    with pytest.raises(ValueError, match=f'compressed image is {kind!r}, {what}'):
        codec.from_compressed(codec.to_png(SMOOTH), kind)


@pytest.mark.parametrize('data', [
    b'', b'no picture', codec.to_png(SMOOTH)[:20], codec.to_jpeg(SMOOTH)[:100], codec.JPEG,
    codec.JPEG + b'\xff' * 3000, codec.JPEG + b'\xe0\0\0' * 9, codec.JPEG[:2] + b'\xff\xd9' * 9,
    cv2.imencode('.bmp', SMOOTH)[1].tobytes(), cv2.imencode('.tiff', SMOOTH)[1].tobytes()])
@pytest.mark.parametrize('kind', [bytes, lambda b: np.frombuffer(b, np.uint8)])
def test_bytes_that_are_no_picture(data, kind):
    with pytest.raises(ValueError, match=f'of {len(data)} bytes is neither JPEG nor PNG'):
        codec.from_compressed(kind(data))


def resized_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG whose frame header lies about its size."""
    data = bytearray(codec.to_jpeg(SMOOTH))
    at = data.index(b'\xff\xc0')
    data[at + 5:at + 9] = struct.pack('>HH', height, width)
    return bytes(data)


@pytest.mark.parametrize('data, size', [
    (png_by_hand(PICTURE, (2**31 - 1, 2**31 - 1)), '2147483647x2147483647'),
    (png_by_hand(PICTURE, (65536, 65536)), '65536x65536'),
    (png_by_hand(PICTURE, (0, 8)), '0x8'), (resized_jpeg(65535, 65535), '65535x65535'),
    (resized_jpeg(40, 0), '40x0')])
def test_a_bomb_is_not_opened(data, size, monkeypatch):
    def opened(*_):
        raise AssertionError('opened')
    monkeypatch.setattr(cv2, 'imdecode', opened)
    with pytest.raises(ValueError, match=f'says {size}; it may have 1 to'):
        codec.from_compressed(data)


def test_a_progressive_jpeg_is_read_unless_it_is_made_of_scans():
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    data = cv2.imencode('.jpg', SMOOTH[..., ::-1], flags)[1].tobytes()
    assert codec.from_compressed(data).shape == SMOOTH.shape
    scan = data[data.index(b'\xff\xda'):-2]
    with pytest.raises(ValueError, match='is neither JPEG nor PNG'):
        codec.from_compressed(data[:-2] + scan * codec.MOST_SCANS + data[-2:])


def test_the_size_that_is_read_from_the_header_is_the_size():
    for data in (codec.to_png(SMOOTH), codec.to_jpeg(SMOOTH), codec.to_jpeg(PICTURE)):
        flat = np.frombuffer(data, np.uint8)
        assert codec.compressed_size(flat) == codec.from_compressed(data).shape[1::-1]


def test_bytes_that_fill_a_jpeg_up_are_left_out():
    data = codec.to_jpeg(SMOOTH)
    filled = data[:2] + b'\xff' * 7 + data[2:]
    assert codec.compressed_size(np.frombuffer(filled, np.uint8)) == (40, 30)
    assert np.array_equal(codec.from_compressed(filled), codec.from_compressed(data))


# sizes

def test_resize_averages_areas():
    halves = np.zeros((4, 8, 3), np.uint8)
    halves[:, ::2] = 200
    assert np.all(codec.resize(halves, (4, 2)) == 100)
    assert codec.resize(halves, (2, 4)).shape == (4, 2, 3)
    assert codec.resize(halves, (16, 8)).shape == (8, 16, 3)


def test_resize_to_the_same_size_does_nothing():
    assert codec.resize(PICTURE, (8, 6)) is PICTURE
