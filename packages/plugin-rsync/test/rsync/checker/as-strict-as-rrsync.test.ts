import { existsSync } from 'node:fs';
import t from 'tap';
import { isViasshError } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { confine } from '../../../src/rsync/checker/confine.ts';
import { HeldPaths } from '../../../src/rsync/checker/held-paths.ts';
import { readRrsyncArguments } from '../../../src/rsync/checker/limits.ts';
import { readServerCommand } from '../../../src/rsync/checker/read-server-command.ts';
import { type CommandCase, commandCases } from './commands.ts';
import { makeFolder } from './make-folder.ts';

const programs = createProgramRunner();
const rrsync = '/usr/bin/rrsync';
const skip = !existsSync(rrsync) && `${rrsync} is not installed`;

const wholeCommand = ({ command }: CommandCase, root: string): string =>
  (command.startsWith('!') ? command.slice(1) : `rsync --server ${command}`).replaceAll('@', root);

/** Ours says yes or no; nothing is run. */
function oursAllows(limits: readonly string[], command: string, root: string): boolean {
  const read = readRrsyncArguments([...limits, root]);
  if (command === 'true') return true;
  const held = new HeldPaths(root);
  try {
    confine(readServerCommand(command, read), read, held);
    return true;
  } catch (error) {
    if (isViasshError(error, 'RSYNC_REFUSED')) return false;
    throw error;
  } finally {
    held.close();
  }
}

/** rrsync says no in words of its own; whatever it allows ends by itself on an empty stdin. */
async function rrsyncRefuses(limits: readonly string[], command: string, root: string): Promise<string | undefined> {
  const { stderr } = await programs.run({
    file: rrsync,
    args: [...limits, root],
    env: { SSH_ORIGINAL_COMMAND: command },
  });
  if (/Traceback/.test(stderr)) throw new Error(`rrsync broke on ${command}: ${stderr}`);
  return /rrsync error: .*/.exec(stderr)?.[0];
}

// `@` is a letter of -@1: only the cases of -absolute mean the folder by it.
const fixed = (one: CommandCase, root: string): string =>
  one.limits.includes('-absolute')
    ? wholeCommand(one, root)
    : wholeCommand({ ...one, command: one.command.replaceAll('@', '\u0000') }, root).replaceAll('\u0000', '@');

t.test('each command is allowed or refused as written down', async (t) => {
  for (const one of commandCases) {
    const root = await makeFolder(t.testdir());
    t.equal(oursAllows(one.limits, fixed(one, root), root), one.allowed, `${one.limits.join(' ')}: ${one.command}`);
  }
});

t.test('what rrsync refuses, ours never allows', { skip, timeout: 180_000 }, async (t) => {
  let compared = 0;
  for (const one of commandCases) {
    const root = await makeFolder(t.testdir());
    const refusal = await rrsyncRefuses(one.limits, fixed(one, root), root);
    if (one.allowed) t.equal(refusal, undefined, `rrsync, too, allows ${one.command}`);
    compared += 1;
  }
  t.ok(compared >= 60);
});

t.test('nor in commands thrown together from such words', { skip, timeout: 180_000 }, async (t) => {
  const options = [
    '-re.x',
    '-logDtpre.iLsfxCIvu',
    '--sender',
    '-s',
    '-L',
    '--delete',
    '--temp-dir=folder',
    '--suffix',
    '--link-dest',
    '--log-format=%i',
    '--files-from=-',
    '--daemon',
    '-b',
    '--',
    '-',
    '\\-r',
    '--partial-dir',
  ];
  const paths = [
    '.',
    'file',
    'folder/',
    '..',
    '/',
    '//',
    'outside-link',
    'outside-link/',
    'inside-link/inner',
    '*',
    'out*',
    '\\*',
    '~',
    '$(x)',
    "'a",
    '`x`',
    ';',
    '--server',
    '.\\.',
    'folder/./inner',
    'a\\/..',
    '-e',
    '{a,b}',
    '\\{a,..\\}',
  ];
  const limits = [[], ['-ro'], ['-wo'], ['-no-del'], ['-no-overwrite'], ['-absolute']];
  const random = generator(20261121);
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
  let seen = 0;
  for (let tries = 0; tries < 4000 && seen < 60; tries += 1) {
    const own = pick(limits) ?? [];
    const words = [
      ...(random() < 0.5 ? ['--sender'] : []),
      ...Array.from({ length: Math.floor(random() * 4) }, () => pick(options)),
      '.',
      ...Array.from({ length: Math.floor(random() * 3) }, () => pick(paths)),
    ];
    const command = `rsync --server ${words.join(' ')}`;
    const root = await makeFolder(t.testdir());
    if (!oursAllows(own, command, root)) continue;
    seen += 1;
    t.equal(
      await rrsyncRefuses(own, command, await makeFolder(t.testdir())),
      undefined,
      `${own.join(' ')}: ${command}`,
    );
  }
  t.equal(seen, 60, 'enough were allowed to compare');
});

/** The same numbers in each run: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
