import { plainNumber } from './progress.ts';

/** What a run of rsync did, by its own statistics. Sizes are bytes. */
export interface RsyncStatistics {
  /** Everything looked at: files, folders, links, devices. */
  readonly files: number;
  /** New on the receiving side. */
  readonly created: number;
  readonly deleted: number;
  /** Regular files of which content was sent. */
  readonly transferred: number;
  /** The size of all files, and of those transferred. */
  readonly totalSize: number;
  readonly transferredSize: number;
  /** Content that had to be sent, and content that the receiver had already. */
  readonly literalBytes: number;
  readonly matchedBytes: number;
  /** What went through the remote shell. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

// main.c, output_summary(). rsync does not translate them.
const LABELS: Readonly<Record<string, keyof RsyncStatistics>> = {
  'Number of files': 'files',
  'Number of created files': 'created',
  'Number of deleted files': 'deleted',
  'Number of regular files transferred': 'transferred',
  'Total file size': 'totalSize',
  'Total transferred file size': 'transferredSize',
  'Literal data': 'literalBytes',
  'Matched data': 'matchedBytes',
  'Total bytes sent': 'bytesSent',
  'Total bytes received': 'bytesReceived',
};

/** Collects the statistics of `--info=stats2` from rsync's lines. What a run does not say is 0. */
export class StatisticsReader {
  readonly #found: { -readonly [K in keyof RsyncStatistics]: number } = {
    files: 0,
    created: 0,
    deleted: 0,
    transferred: 0,
    totalSize: 0,
    transferredSize: 0,
    literalBytes: 0,
    matchedBytes: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
  #begun = false;

  /** True when the line belongs to the statistics. They come last: nothing behind their first line is a file's name. */
  take(line: string): boolean {
    const match = /^([A-Z][a-z ]+): (\d[\d.,'\u00a0\u202f]*)(?= |$)/.exec(line);
    this.#begun ||= match?.[1] === 'Number of files';
    const label = match === null ? undefined : LABELS[match[1] ?? ''];
    if (this.#begun && label !== undefined) this.#found[label] = plainNumber(match?.[2] ?? '');
    return this.#begun;
  }

  get statistics(): RsyncStatistics {
    return { ...this.#found };
  }
}
