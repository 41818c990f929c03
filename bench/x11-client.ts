/**
 * A client of the X server that DISPLAY names, for measuring what lies between: `node x11-client.ts JOB COUNT`, and one
 * line with the milliseconds comes back. It speaks X11 itself, so that nothing of Xlib's buffering is in the figure.
 *
 *     trips N     N requests, each sent when the answer of the one before is there
 *     put N       N pictures of a megabyte go to the display (PutImage), as a video does
 *     get N       N pictures of a megabyte come from it (GetImage)
 *     clients N   N connections, one after the other, each with the first answer
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';

const [job = '', count = ''] = process.argv.slice(2);
const [, host = '', number = ''] = /^(.*):(\d+)(?:\.\d+)?$/.exec(process.env['DISPLAY'] ?? '') ?? [];
const entry = execFileSync('xauth', ['list', process.env['DISPLAY'] ?? ''], { encoding: 'utf8' });
const cookie = Buffer.from(/MIT-MAGIC-COOKIE-1 +([0-9a-f]+)/.exec(entry)?.[1] ?? '', 'hex');

/** A connection that was let in; reads are of so many bytes. */
class Client {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  idBase = 0;
  root = 0;

  constructor() {
    this.#socket =
      host === '' || host === 'unix'
        ? connect(`/tmp/.X11-unix/X${number}`)
        : connect({ host, port: 6000 + Number(number), noDelay: true });
    this.#chunks = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async open(): Promise<void> {
    const name = Buffer.from('MIT-MAGIC-COOKIE-1\0\0');
    const first = Buffer.alloc(12);
    first.write('l');
    for (const [at, value] of [11, 0, 18, cookie.length].entries()) first.writeUInt16LE(value, 2 + 2 * at);
    this.#socket.write(Buffer.concat([first, name, cookie]));
    const head = await this.read(8);
    if (head[0] !== 1) throw new Error('the display refuses');
    const body = await this.read(4 * head.readUInt16LE(6));
    this.idBase = body.readUInt32LE(4);
    const [vendor, formats] = [body.readUInt16LE(16), body.readUInt8(21)];
    this.root = body.readUInt32LE(32 + 4 * Math.ceil(vendor / 4) + 8 * formats);
  }

  async read(bytes: number): Promise<Buffer> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < bytes) {
      const { value, done } = await this.#chunks.next();
      if (done === true) throw new Error('the display went away');
      parts.push(value);
      have += value.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts, have);
    this.#rest = all.subarray(bytes);
    return all.subarray(0, bytes);
  }

  /** X11's opcode, its byte of data, and the rest in words of 32 bits; then bytes. */
  async write(opcode: number, data: number, words: readonly number[], bytes: Buffer = Buffer.alloc(0)): Promise<void> {
    const request = Buffer.alloc(4 + 4 * words.length);
    request.writeUInt8(opcode, 0);
    request.writeUInt8(data, 1);
    request.writeUInt16LE(1 + words.length + bytes.length / 4, 2);
    for (const [index, word] of words.entries()) request.writeUInt32LE(word >>> 0, 4 + 4 * index);
    this.#socket.write(request);
    if (bytes.length > 0 && !this.#socket.write(bytes)) await once(this.#socket, 'drain');
  }

  /** One answer. */
  async answer(): Promise<number> {
    const head = await this.read(32);
    if (head[0] !== 1) throw new Error(`the display says ${head[0]}, ${head[1]}`);
    const more = 4 * head.readUInt32LE(4);
    await this.read(more);
    return more;
  }

  close(): void {
    this.#socket.destroy();
  }
}

const GET_INPUT_FOCUS = 43;
const [WIDTH, HEIGHT, ROWS] = [512, 512, 64]; // 128 KiB a request: all may have 256 KiB

const jobs: Readonly<Record<string, (client: Client) => Promise<void>>> = {
  async trips(client) {
    for (let trip = 0; trip < Number(count); trip += 1) {
      await client.write(GET_INPUT_FOCUS, 0, []);
      await client.answer();
    }
  },
  async put(client) {
    const [pixmap, context] = await canvas(client);
    const rows = Buffer.alloc(4 * WIDTH * ROWS, 0x5a);
    for (let picture = 0; picture < Number(count); picture += 1)
      for (let y = 0; y < HEIGHT; y += ROWS)
        await client.write(72, 2, [pixmap, context, size(WIDTH, ROWS), size(0, y), 24 << 8], rows);
    await client.write(GET_INPUT_FOCUS, 0, []);
    await client.answer();
  },
  async get(client) {
    const [pixmap] = await canvas(client);
    const ask = (): Promise<void> => client.write(73, 2, [pixmap, 0, size(WIDTH, HEIGHT), 0xff_ff_ff_ff]);
    for (let picture = 0; picture < Number(count); picture += 1) {
      await ask();
      if ((await client.answer()) !== 4 * WIDTH * HEIGHT) throw new Error('another size');
    }
  },
  async clients() {
    for (let index = 0; index < Number(count); index += 1) {
      const client = new Client();
      await client.open();
      client.close();
    }
  },
};

/** CreatePixmap and CreateGC. */
async function canvas(client: Client): Promise<[number, number]> {
  const [pixmap, context] = [client.idBase + 1, client.idBase + 2];
  await client.write(53, 24, [pixmap, client.root, size(WIDTH, HEIGHT)]);
  await client.write(55, 0, [context, pixmap, 0]);
  return [pixmap, context];
}

/** Two numbers of 16 bits in a word. */
function size(first: number, second: number): number {
  return first + second * 0x1_00_00;
}

const client = new Client();
await client.open();
await client.write(GET_INPUT_FOCUS, 0, []);
await client.answer();
const before = performance.now();
await jobs[job]?.(client);
console.log((performance.now() - before).toFixed(3));
client.close();
