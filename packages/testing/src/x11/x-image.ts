import { crc32, deflateSync } from 'node:zlib';

/** What a window or a screen showed. */
export interface XImage {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of each pixel, row by row from the top. */
  readonly pixels: Buffer;
}

/**
 * Reads what `xwd` wrote of a true-colour screen: XWDFile.h, version 7.
 *
 * @throws Error for pictures of other kinds
 */
export function readXwd(file: Buffer): XImage {
  const field = (index: number): number => file.readUInt32BE(4 * index);
  const [headerSize, version, format] = [field(0), field(1), field(2)];
  const [width, height, byteOrder, bitsPerPixel, bytesPerLine] = [field(4), field(5), field(7), field(11), field(12)];
  if (version !== 7 || format !== 2 || bitsPerPixel !== 32) throw new Error('not a picture of 32 bits a pixel');
  const masks = [field(14), field(15), field(16)];
  const start = headerSize + 12 * field(19); // behind the colour table
  const pixels = Buffer.alloc(3 * width * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const at = start + y * bytesPerLine + 4 * x;
      const value = byteOrder === 0 ? file.readUInt32LE(at) : file.readUInt32BE(at);
      for (const [index, mask] of masks.entries())
        pixels[3 * (y * width + x) + index] = ((value & mask) >>> 0) / (mask & -mask);
    }
  return { width, height, pixels };
}

/** How many colours there are in it: one means that nothing was drawn. */
export function coloursOf({ pixels }: XImage): number {
  const seen = new Set<number>();
  for (let at = 0; at < pixels.length; at += 3) seen.add(pixels.readUIntBE(at, 3));
  return seen.size;
}

/** The picture as a PNG file, for people to look at. */
export function toPng({ width, height, pixels }: XImage): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // bits of a colour; true colour
  const rows = Array.from({ length: height }, (_, y) => [
    Buffer.of(0), // no filter
    pixels.subarray(3 * y * width, 3 * (y + 1) * width),
  ]);
  const data = deflateSync(Buffer.concat(rows.flat()));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
