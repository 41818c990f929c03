import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ViasshError } from '@viassh/core';

const IN_MEMORY = 4 * 1024 * 1024; // bytes
const BLOCK = 64 * 1024; // bytes

/**
 * Keeps what was read until it is known what to do with it: in memory as long as it is little, then in a file of the
 * temporary folder that has no name any more, so that nothing of it is left however this process ends.
 */
export class ContentSpool implements AsyncDisposable {
  readonly #inMemory: number;
  #chunks: Buffer[] = [];
  #file: FileHandle | undefined;
  #size = 0;

  constructor({ inMemory = IN_MEMORY }: { /** Bytes. */ readonly inMemory?: number | undefined } = {}) {
    this.#inMemory = inMemory;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** The chunk is the spool's from here on. @throws ViasshError STREAM_FAILED */
  async append(chunk: Buffer): Promise<void> {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#file === undefined && this.#size <= this.#inMemory) return;
    try {
      this.#file ??= await openNameless();
      const waiting = Buffer.concat(this.#chunks);
      this.#chunks = [];
      await writeAll(this.#file, waiting, this.#size - waiting.length);
    } catch (error) {
      throw spoolFailed(error);
    }
  }

  /** The bytes from `start` up to `end`. @throws ViasshError STREAM_FAILED */
  async *read(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    if (this.#file === undefined) {
      let at = 0;
      for (const chunk of this.#chunks) {
        const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
        if (part.length > 0) yield part;
        at += chunk.length;
      }
      return;
    }
    for (let at = start; at < end; ) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK, end - at));
      const bytesRead = await readSome(this.#file, block, at);
      yield block.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks = [];
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `viassh-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await unlink(path);
  return file;
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

async function readSome(file: FileHandle, block: Buffer, position: number): Promise<number> {
  try {
    const { bytesRead } = await file.read(block, 0, block.length, position);
    if (bytesRead > 0) return bytesRead;
  } catch (error) {
    throw spoolFailed(error);
  }
  throw spoolFailed(new Error('it is shorter than what was written'));
}

function spoolFailed(cause: unknown): ViasshError {
  const { message } = cause as Error;
  return new ViasshError('STREAM_FAILED', `a message cannot be kept in the temporary folder: ${message}`, {
    hint: `look at the space in ${tmpdir()}, or set TMPDIR`,
    cause,
  });
}
