const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const CRLF = Buffer.from('\r\n');

/** What closes a message that {@link wireContent} gave, RFC 5321 §4.1.1.4. */
export const END_OF_DATA: Buffer = Buffer.from('.\r\n');

/**
 * A message as DATA wants it, but for {@link END_OF_DATA}: each line ends in CRLF, the last one too, and one that begins
 * with a dot gets another (RFC 5321 §4.5.2). CRLF, a bare CR and a bare LF are a line end each, so that nothing in it can
 * be taken for the end of data by whatever server (RFC 5321 §2.3.8).
 */
export async function* wireContent(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let lineStart = true;
  let afterCr = false;
  for await (const chunk of content) {
    const out = Buffer.allocUnsafe(chunk.length * 2); // no byte becomes more than two
    let length = 0;
    for (const byte of chunk) {
      const ends = byte === CR || (byte === LF && !afterCr);
      if (ends) {
        out[length++] = CR;
        out[length++] = LF;
      } else if (byte !== LF) {
        if (lineStart && byte === DOT) out[length++] = DOT;
        out[length++] = byte;
      }
      lineStart = byte === CR || byte === LF;
      afterCr = byte === CR;
    }
    if (length > 0) yield out.subarray(0, length);
  }
  if (!lineStart) yield CRLF;
}
