import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';

/** A server of the test, and every connection that was made to it. */
export interface ScriptedServer {
  readonly port: number;
  readonly peers: readonly Peer[];
}

/** One connection, from the side of the server. */
export class Peer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #heard = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
      this.#wake();
    });
  }

  /** Exactly so many bytes. */
  async bytes(count: number): Promise<number[]> {
    while (this.#heard.length < count) await this.#more();
    return [...this.#take(count)];
  }

  /** Up to and with the empty line. */
  async header(): Promise<string> {
    while (!this.#heard.includes('\r\n\r\n')) await this.#more();
    return this.#take(this.#heard.indexOf('\r\n\r\n') + 4).toString();
  }

  send(...bytes: (number | string)[]): void {
    this.socket.write(Buffer.concat(bytes.map((part) => Buffer.from(typeof part === 'string' ? part : [part]))));
  }

  /** One byte at a time, each in a packet of its own as far as the system lets it. */
  async trickle(...bytes: (number | string)[]): Promise<void> {
    this.socket.setNoDelay(true);
    for (const byte of Buffer.concat(bytes.map((part) => Buffer.from(typeof part === 'string' ? part : [part])))) {
      await new Promise((resolve) => this.socket.write(Buffer.from([byte]), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** From now on what comes goes back. */
  echo(): void {
    this.socket.write(this.#take(this.#heard.length));
    this.socket.on('data', (chunk: Buffer) => void this.socket.write(this.#take(chunk.length)));
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(count: number): Buffer {
    const taken = this.#heard.subarray(0, count);
    this.#heard = this.#heard.subarray(count);
    return taken;
  }
}

/** Listens on loopback until the test is over; `serve` has each connection, and its number from 0. */
export async function startScriptedServer(
  t: Pick<Test, 'teardown'>,
  serve: (peer: Peer, index: number) => Promise<void> | void,
): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const server = createServer((socket) => {
    const peer = new Peer(socket);
    void serve(peer, peers.push(peer) - 1);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const { socket } of peers) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, peers };
}

/** Reads until so many bytes came. */
export async function readText(socket: Socket, count: number): Promise<string> {
  let text = '';
  while (text.length < count) text += String((await once(socket, 'data'))[0]);
  return text;
}
