import { randomUUID } from 'node:crypto';
import { open, rename, stat, unlink } from 'node:fs/promises';
import { ViasshError } from '@viassh/core';
import type { ContentSpool } from '../dialogue/content-spool.ts';
import type { EnvelopeRecipient } from '../dialogue/delivery.ts';
import { END_OF_DATA, wireContent } from '../dialogue/wire-content.ts';
import type { Batch, BatchItem } from './batch.ts';

/**
 * A file with those messages of a batch that are not known to be accepted, itself a batch (in CRLF, 0600). It has them
 * all before the first is sent, so that none is lost however this process ends, and is gone when none is left.
 */
export class RestFile {
  readonly #path: string;
  readonly #batch: Batch;
  readonly #spool: ContentSpool;

  private constructor(path: string, batch: Batch, spool: ContentSpool) {
    this.#path = path;
    this.#batch = batch;
    this.#spool = spool;
  }

  /** @throws ViasshError STREAM_FAILED, also when something is there that is no file, or has something in it: it may be mail */
  static async create(path: string, batch: Batch, spool: ContentSpool): Promise<RestFile> {
    const file = new RestFile(path, batch, spool);
    const there = await stat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile()) {
      throw new ViasshError('STREAM_FAILED', `the rest cannot be kept in what is no ordinary file: ${path}`, {
        hint: 'give --rest a file that is not there yet; nothing was sent',
      });
    }
    if (there !== undefined && there.size > 0) {
      throw new ViasshError('STREAM_FAILED', `the file for the rest has something in it: ${path}`, {
        hint: 'deliver what is in it, or move it away; nothing was sent',
      });
    }
    await file.write(batch.items);
    return file;
  }

  /** @throws ViasshError STREAM_FAILED; the file is then as it was */
  async write(items: readonly BatchItem[]): Promise<void> {
    const fresh = `${this.#path}.${randomUUID()}`;
    try {
      if (items.length === 0) return await unlink(this.#path);
      await this.#fill(fresh, items);
      await rename(fresh, this.#path);
    } catch (error) {
      await unlink(fresh).catch(() => undefined);
      throw new ViasshError('STREAM_FAILED', `the rest cannot be written: ${(error as Error).message}`, {
        hint: 'look at the folder and the space there',
        cause: error,
      });
    }
  }

  async #fill(path: string, items: readonly BatchItem[]): Promise<void> {
    await using file = await open(path, 'wx', 0o600);
    const { name } = this.#batch;
    if (name !== undefined) await file.appendFile(`HELO ${name}\r\n`);
    for (const item of items) {
      await file.appendFile(`MAIL FROM:${pathLine({ address: item.from, parameters: item.parameters })}`);
      for (const recipient of item.recipients) await file.appendFile(`RCPT TO:${pathLine(recipient)}`);
      await file.appendFile('DATA\r\n');
      for await (const block of wireContent(this.#spool.read(item.start, item.end))) await file.appendFile(block);
      await file.appendFile(END_OF_DATA);
    }
    await file.sync();
  }
}

function pathLine({ address, parameters }: EnvelopeRecipient): string {
  return `${[`<${address}>`, ...parameters].join(' ')}\r\n`;
}
