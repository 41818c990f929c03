import { hostname } from 'node:os';
import {
  abortedError,
  type Channel,
  type ExitStatus,
  type LocalContext,
  type OptionValues,
  type PluginContext,
  toViasshError,
  ViasshError,
} from '@viassh/core';
import { ContentSpool } from '../dialogue/content-spool.ts';
import { type DeliveryResult, worstOutcome } from '../dialogue/delivery.ts';
import { checkName, openSmtp } from '../dialogue/smtp-client.ts';
import type { Batch } from './batch.ts';
import { deliverBatch, undelivered } from './deliver-batch.ts';
import { exitCodeOfError, exitCodeOfResults, sysexits } from './exit-code.ts';
import { type BareNewlines, readBatch } from './read-batch.ts';
import { jsonReport, textReport } from './report.ts';
import { RestFile } from './rest-file.ts';
import { untilAborted } from './until-aborted.ts';

type Text = Readonly<Record<'summary' | 'valueName', string>> & { readonly type: 'string' };

/** The options of `--bsmtp`. */
export const bsmtpOptions: {
  readonly bsmtp: { readonly type: 'boolean'; readonly summary: string };
  readonly bareNewlines: Text;
  readonly rest: Text;
  readonly helo: Text;
  readonly answerTimeout: Omit<Text, 'type'> & { readonly type: 'number'; readonly min: number; readonly max: number };
} = {
  bsmtp: { type: 'boolean', summary: 'deliver the batch of SMTP on stdin, and end with a code of sysexits(3)' },
  bareNewlines: {
    type: 'string',
    valueName: 'repair|refuse',
    summary: 'a bare CR or LF within a message of the batch: make it a line end (default), or refuse the batch',
  },
  rest: {
    type: 'string',
    valueName: 'FILE',
    summary: 'keep in FILE, as a batch, what the server did not accept',
  },
  helo: {
    type: 'string',
    valueName: 'NAME',
    summary: 'our name for EHLO (default: that of the batch, or of this host)',
  },
  answerTimeout: {
    type: 'number',
    valueName: 'SECONDS',
    summary: 'how long the server may take for an answer with --bsmtp (default: 300)',
    min: 0.01,
    max: 86_400,
  },
};

/** Their values. */
export type BsmtpOptions = OptionValues<typeof bsmtpOptions>;

/** What is known of one run: it begins before there is a connection, and may end without one. */
interface BsmtpRun {
  readonly batch: Batch;
  readonly spool: ContentSpool;
  readonly rest: RestFile | undefined;
  readonly results: DeliveryResult[];
  /** All is said. */
  concluded: boolean;
}

const runs = new WeakMap<BsmtpOptions, BsmtpRun>();

/** @throws ViasshError OPTION_INVALID for options that mean something else, or nothing without --bsmtp */
export function checkBsmtp({ bsmtp, bareNewlines, rest, helo, answerTimeout }: BsmtpOptions): void {
  if (bareNewlines !== undefined && bareNewlines !== 'repair' && bareNewlines !== 'refuse')
    throw new ViasshError('OPTION_INVALID', `--bare-newlines is repair or refuse, not '${bareNewlines}'`);
  if (helo !== undefined) checkName(helo);
  const own = [bareNewlines, rest, helo, answerTimeout].some((each) => each !== undefined);
  if (!bsmtp && own)
    throw new ViasshError('OPTION_INVALID', '--bare-newlines, --rest, --helo and --answer-timeout go with --bsmtp', {
      hint: 'add --bsmtp, or leave them away',
    });
}

/**
 * Reads the batch to its end, before anything is dialled.
 *
 * @throws ViasshError BSMTP_INVALID, STREAM_FAILED, ABORTED
 */
export async function takeBatch({ stdio, signal, log }: LocalContext, options: BsmtpOptions): Promise<void> {
  const spool = new ContentSpool();
  try {
    log.info('reading the batch');
    const bareNewlines = (options.bareNewlines ?? 'repair') as BareNewlines;
    const batch = await readBatch(untilAborted(stdio.input, signal), spool, { bareNewlines });
    const rest = options.rest === undefined ? undefined : await RestFile.create(options.rest, batch, spool);
    runs.set(options, { batch, spool, rest, results: [], concluded: false });
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}

/** Delivers it over channels that `open` opens, and says what became of it. The exit status is one of sysexits(3). */
export async function deliverTaken(
  context: PluginContext,
  options: BsmtpOptions,
  open: () => Promise<Channel>,
): Promise<ExitStatus> {
  const run = runs.get(options);
  if (run === undefined) throw new ViasshError('INTERNAL', 'no batch was read');
  const { batch, spool, results } = run;
  const { signal, log } = context;
  let failure: ViasshError | undefined;
  await deliverBatch(batch, spool, {
    log,
    onResult: (result) => {
      results.push(result);
      failure = result.failure ?? failure;
    },
    openSession: async () => {
      if (signal.aborted) throw abortedError(signal.reason);
      const answerTimeoutMs = options.answerTimeout === undefined ? undefined : options.answerTimeout * 1000;
      return await openSmtp(await open(), { name: options.helo ?? nameOf(batch), signal, log, answerTimeoutMs });
    },
  });
  if (failure !== undefined && !context.json) log.info(failure.message);
  return { kind: 'status', code: await conclude(context, options, run, failure) };
}

/** The report for a run that never had a connection. Never throws. */
export async function reportWithoutConnection(
  context: LocalContext,
  error: ViasshError,
  options: BsmtpOptions,
): Promise<void> {
  const run = runs.get(options);
  if (run === undefined) {
    const code = exitCodeOfError(error);
    if (context.json) context.stdio.output.write(jsonReport([], [], { exitCode: code, error }));
    return;
  }
  if (run.concluded) return;
  for (const item of run.batch.items.slice(run.results.length)) run.results.push(undelivered(item, error));
  await conclude(context, options, run, error);
}

/** The exit code when something failed; also right now, in the middle, when the process has to end at once. */
export function bsmtpExitCode(error: ViasshError, options: BsmtpOptions): number {
  const run = runs.get(options);
  if (run === undefined || error.entry.exitCode === sysexits.usage) return exitCodeOfError(error);
  const left = run.batch.items.slice(run.results.length).map((item) => undelivered(item, error));
  return exitCodeOfResults([...run.results, ...left], run.rest !== undefined);
}

/** Keeps the rest, says what became of each, and gives the exit code. */
async function conclude(
  { stdio, log, json }: LocalContext,
  options: BsmtpOptions,
  run: BsmtpRun,
  error: ViasshError | undefined,
): Promise<number> {
  const { batch, spool, rest, results } = run;
  run.concluded = true;
  const left = batch.items.filter((_, index) => results[index]?.outcome !== 'accepted');
  try {
    await rest?.write(left);
  } catch (failure) {
    log.error(`${toViasshError(failure).message}: what was accepted is still in it, too`);
  }
  await spool[Symbol.asyncDispose]();
  const exitCode = error === undefined ? exitCodeOfResults(results, rest !== undefined) : bsmtpExitCode(error, options);
  log.info(`batch: ${worstOutcome(results.map(({ outcome }) => outcome))}, exit code ${exitCode}`);
  if (!json) stdio.output.write(textReport(results));
  else {
    const where = left.length > 0 && options.rest !== undefined ? { rest: options.rest } : {};
    stdio.output.write(
      jsonReport(batch.items, results, { exitCode, ...where, ...(error === undefined ? {} : { error }) }),
    );
  }
  return exitCode;
}

/** A name that every server takes for one, RFC 5321 §4.1.3. */
function nameOf({ name = hostname() }: Batch): string {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$|^\[[A-Za-z0-9.:]+\]$/.test(name) ? name : '[127.0.0.1]';
}
