/** How far a transfer is, as rsync counts: over all files. */
export interface RsyncProgress {
  /** Bytes of file content dealt with, those that needed no transfer included. */
  readonly bytes: number;
  /** Of the bytes known so far, 0 to 100: it can go back while rsync is still looking for files. */
  readonly percent: number;
  readonly bytesPerSecond: number;
  /** What rsync expects to need still; undefined when it cannot say. Once all is done: what it took. */
  readonly seconds: number | undefined;
  /** Files transferred; undefined in the middle of one. */
  readonly filesTransferred: number | undefined;
  /** Files to look at still, and all that are known; undefined in the middle of one. */
  readonly filesToCheck: number | undefined;
  readonly filesKnown: number | undefined;
  /** True once rsync has found all files, so that `filesKnown` and `percent` are final. */
  readonly complete: boolean;
}

// progress.c, rprint_progress(): "%15s %3d%% %7.2f%s %s%s" and "(xfr#%d, %s-chk=%d/%d)". Numbers may be grouped, and
// their decimal sign is the locale's.
const LINE =
  /^\s*(\d[\d.,'\u00a0\u202f]*)\s+(\d+)%\s+(\d+)[.,](\d\d)([kMGT]?)B\/s\s+(?:(\d+):(\d\d):(\d\d)|\?\?:\?\?:\?\?)(?:\s+\(xfr#(\d+), (ir|to)-chk=(\d+)\/(\d+)\))?\s*$/;
const KIB = 1024;

/** Reads one line of `--info=progress2` without `-h`; undefined for any other line. */
export function parseProgress(line: string): RsyncProgress | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, bytes = '', percent, rate, hundredths, unit = '', hours, minutes, seconds, transferred, kind, left, known] =
    match;
  const filesKnown = numberOf(known);
  return {
    bytes: plainNumber(bytes),
    percent: Math.min(100, Number(percent)),
    bytesPerSecond: Math.round(Number(`${rate}.${hundredths}`) * KIB ** ' kMGT'.indexOf(unit === '' ? ' ' : unit)),
    seconds: hours === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    filesTransferred: numberOf(transferred),
    filesToCheck: numberOf(left),
    filesKnown,
    complete: kind === 'to',
  };
}

/** A whole number with or without a locale's signs between its groups. */
export function plainNumber(text: string): number {
  return Number(text.replaceAll(/[^\d]/g, ''));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
