import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ProgramOutput, RunningProgram } from '@viassh/core';
import { createProgramRunner } from '@viassh/program';
import { atExit } from '../processes/at-exit.ts';
import { killQuietly } from '../processes/processes.ts';
import { findProgram } from '../sshd/find-sshd.ts';
import { makeScratchFolder } from '../sshd/scratch-folder.ts';
import { authorityFile } from './authority-file.ts';
import { readXwd, type XImage } from './x-image.ts';

/** What a test can ask of {@link startXvfb}. */
export interface XvfbOptions {
  /** False: the server has no SECURITY extension, so that nobody can make an untrusted cookie. Default: true. */
  readonly security?: boolean | undefined;
  /** False: everybody on this machine may connect, and there is no cookie. Default: true. */
  readonly cookie?: boolean | undefined;
  /** True: it listens on TCP, too, at 6000 and the display's number, on all of this machine's addresses. Default: false. */
  readonly tcp?: boolean | undefined;
  /** Default: one of 640x480, 24 bits deep. */
  readonly screens?: readonly string[] | undefined;
}

/** A window that stands on the root window. */
export interface XWindow {
  /** As `xwd -id` takes it. */
  readonly id: string;
  /** Its WM_NAME; empty where it has none. */
  readonly name: string;
}

/** A real X server without a screen to look at. Disposing stops it and leaves nothing in /tmp. */
export interface Xvfb extends AsyncDisposable {
  /** `:N`. */
  readonly display: string;
  readonly number: number;
  /** Its Unix socket; there is an abstract one of the same name. */
  readonly socket: string;
  readonly pid: number;
  /** The MIT-MAGIC-COOKIE-1 that it wants, 32 hexadecimal digits; empty when it wants none. */
  readonly cookie: string;
  /** What `XAUTHORITY` is to name: one entry, for this host and this display. */
  readonly authorityFile: string;
  /** DISPLAY and XAUTHORITY of a client of this machine. */
  readonly env: Readonly<Record<'DISPLAY' | 'XAUTHORITY', string>>;
  /** Runs a client here, with nothing in between. */
  run(file: string, args?: readonly string[]): Promise<ProgramOutput>;
  /** All windows that stand on the root window, those of other clients too. */
  windows(): Promise<readonly XWindow[]>;
  /** What a window shows, inside its border; without an id the whole screen. */
  picture(id?: string): Promise<XImage>;
  /** SIGKILL: the server dies under its clients. */
  kill(): Promise<void>;
}

/** The reason why {@link startXvfb} cannot work here, for tap's `skip`; undefined when it can. */
export async function missingForXvfb(): Promise<string | undefined> {
  const packages = { Xvfb: 'xvfb', xwd: 'x11-apps', xwininfo: 'x11-utils' };
  for (const [program, from] of Object.entries(packages))
    if ((await findProgram(program)) === undefined)
      return `no ${program} on this machine (Debian: apt-get install ${from})`;
  return undefined;
}

/**
 * Starts an X server on a display that is free. It keeps the cookies that its SECURITY extension made until it ends
 * (`-noreset`).
 *
 * @throws Error when it is missing (ask {@link missingForXvfb} first) or does not come up
 */
export async function startXvfb(options: XvfbOptions = {}): Promise<Xvfb> {
  await using undo = new AsyncDisposableStack();
  const { path: folder } = undo.use(await makeScratchFolder());
  const cookie = options.cookie === false ? '' : randomBytes(16).toString('hex');
  const ofServer = join(folder, 'server-authority');
  const entries = cookie === '' ? [] : [{ family: 'wild' as const, address: '', number: '', cookie }];
  await writeFile(ofServer, authorityFile(entries), { mode: 0o600 });
  const server = await createProgramRunner().start({
    file: 'Xvfb',
    args: serverArguments(options, ofServer),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const forget = atExit(() => killQuietly(server.pid, 'SIGTERM'));
  undo.defer(async () => {
    server.kill('SIGTERM');
    await server.exit;
    forget();
  });
  const number = await displayNumber(server);
  const socket = `/tmp/.X11-unix/X${number}`;
  undo.defer(async () => {
    server.kill('SIGTERM');
    if ((await server.exit).kind === 'signal') await rm(socket, { force: true }); // nobody else took it away
  });
  const ofClients = join(folder, 'authority');
  const own = entries.map((entry) => ({
    ...entry,
    family: 'local' as const,
    address: hostname(),
    number: `${number}`,
  }));
  await writeFile(ofClients, authorityFile(own), { mode: 0o600 });
  const env = { DISPLAY: `:${number}`, XAUTHORITY: ofClients };
  const run: Xvfb['run'] = (file, args = []) => createProgramRunner().run({ file, args, env });
  let pictures = 0;
  const owned = undo.move();
  return {
    display: env.DISPLAY,
    number,
    socket,
    pid: server.pid,
    cookie,
    authorityFile: ofClients,
    env,
    run,
    windows: async () => windowsOf(await expectGood(run('xwininfo', ['-root', '-tree']))),
    async picture(id) {
      const file = join(folder, `picture-${++pictures}`);
      await expectGood(
        run('xwd', ['-silent', '-nobdrs', ...(id === undefined ? ['-root'] : ['-id', id]), '-out', file]),
      );
      const image = readXwd(await readFile(file));
      await rm(file);
      return image;
    },
    async kill() {
      server.kill('SIGKILL');
      await server.exit;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function serverArguments(
  { security, cookie, tcp, screens = ['640x480x24'] }: XvfbOptions,
  authority: string,
): string[] {
  return [
    '-displayfd',
    '1',
    ...(cookie === false ? ['-ac'] : ['-auth', authority]),
    ...screens.flatMap((screen, index) => ['-screen', `${index}`, screen]),
    tcp === true ? '-listen' : '-nolisten',
    'tcp',
    security === false ? '-extension' : '+extension',
    'SECURITY',
    '-noreset',
  ];
}

/** @throws Error with what the server said when it ends before it listens */
async function displayNumber({ stdout, stderr, exit }: RunningProgram): Promise<number> {
  if (stdout === undefined || stderr === undefined) throw new Error('no streams of Xvfb');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const lines = createInterface({ input: stdout });
  const first = await Promise.race([once(lines, 'line') as Promise<string[]>, exit]);
  if (!Array.isArray(first)) throw new Error(`Xvfb did not start: ${said}`);
  return Number(first[0]);
}

async function expectGood(output: Promise<ProgramOutput>): Promise<string> {
  const { exit, stdout, stderr } = await output;
  if (exit.kind !== 'status' || exit.code !== 0) throw new Error(`an X client failed: ${stderr}`);
  return stdout;
}

/** The root window's children in what `xwininfo -root -tree` prints. */
function windowsOf(tree: string): XWindow[] {
  return [...tree.matchAll(/^ {5}(0x[0-9a-f]+) (?:"(.*)"|\(has no name\)):/gm)].map(([, id = '', name = '']) => ({
    id,
    name,
  }));
}
