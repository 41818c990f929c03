import {
  abortedError,
  type Connection,
  type Logger,
  quoteCommand,
  sanitize,
  type SessionChannel,
  ViasshError,
} from '@viassh/core';

/** Milliseconds for what the far end does in its folder: an account may answer every command with one that says nothing. */
const DEADLINE = 30_000;

/** Characters of its answers: some dozens of displays, and a page of start-up files. */
const MOST_SAID = 256 * 1024;

/** Where X servers and their clients look for the sockets of displays. */
export const SOCKETS = '/tmp/.X11-unix';

/** A private folder on the far end that goes away with its session, however that ends. */
export interface FarFolder extends AsyncDisposable {
  readonly path: string;
  /** The host's own name for itself, which entries of Xauthority go by. */
  readonly hostName: string;
  /** May sockets of displays be made in {@link SOCKETS}? */
  readonly hasSockets: boolean;
  /** Numbers of displays that somebody has a socket for, also one without a file. */
  readonly taken: ReadonlySet<number>;
  /**
   * Writes the file `authority` there, and takes the socket away in the end, where one is named and it is still the same.
   * What is in the file passes through stdin alone: everybody there can read command lines.
   *
   * @throws ViasshError X11_REFUSED, CONNECTION_LOST, ABORTED
   */
  writeAuthority(content: Buffer, socket: string | undefined): Promise<string>;
}

/**
 * For any shell: one line, and nothing in the quotes that csh or fish would read. First what is there, then the path of a
 * socket (or an empty line), the length of a file, the file; then it waits for the end of its input.
 */
const script = [
  'umask 077',
  'd=$(mktemp -d "${TMPDIR:-/tmp}/viassh-x11.XXXXXXXXXX") || exit 1',
  'bye() { rm -rf -- "$d"; [ -n "$s" ] && [ "$(ls -di -- "$s" 2>/dev/null)" = "$i" ] && rm -f -- "$s"; }',
  's= i=',
  'trap bye EXIT',
  'trap "exit 1" HUP INT TERM PIPE',
  `[ -d ${SOCKETS} ] && [ -w ${SOCKETS} ] && echo "viassh-x11 sockets yes"`,
  `for f in ${SOCKETS}/X*; do echo "viassh-x11 taken \${f##*/X}"; done`,
  `[ -r /proc/net/unix ] && sed -n "s|.*@${SOCKETS.replace('.', '[.]')}/X|viassh-x11 taken |p" /proc/net/unix`,
  'echo "viassh-x11 host $(uname -n)"',
  'echo "viassh-x11 folder $d"',
  'IFS= read -r s && read -r n || exit 1',
  '[ -n "$s" ] && i=$(ls -di -- "$s")',
  'dd bs=1 count="$n" of="$d/authority" 2>/dev/null || exit 1',
  'echo "viassh-x11 written $n"',
  'read -r n',
  'exit 0',
].join('; ');

/** @throws ViasshError X11_REFUSED when the far end does not run what it takes; of `openSession` */
export async function makeFarFolder(
  connection: Pick<Connection, 'openSession'>,
  { signal, log }: { readonly signal?: AbortSignal | undefined; readonly log?: Logger | undefined },
): Promise<FarFolder> {
  const session = await connection.openSession({ kind: 'exec', command: quoteCommand(['sh', '-c', script]), signal });
  const answers = new Answers(session, signal);
  try {
    const said = await answers.until('folder');
    const taken = said.get('taken')?.map(Number).filter(Number.isSafeInteger);
    const path = said.get('folder')?.[0] ?? '';
    log?.debug(`the folder ${sanitize(path)} of the far end is for its display`);
    return {
      path,
      hostName: said.get('host')?.[0] ?? '',
      hasSockets: said.has('sockets'),
      taken: new Set(taken),
      async writeAuthority(content, socket = '') {
        session.write(Buffer.concat([Buffer.from(`${socket}\n${content.length}\n`), content]));
        await answers.until('written');
        return `${path}/authority`;
      },
      [Symbol.asyncDispose]: () => end(session),
    };
  } catch (error) {
    await end(session);
    throw error;
  }
}

/**
 * The lines that the script answers with, between whatever start-up files of the shell there say. No more is kept than
 * {@link MOST_SAID}; what comes behind the last answer is forgotten.
 */
class Answers {
  readonly #signal: AbortSignal | undefined;
  readonly #said = new Map<string, string[]>();
  #rest = '';
  #length = 0;
  #stderr = '';
  #ended: string | undefined;
  #onChange: () => void = ignore;

  constructor(session: SessionChannel, signal: AbortSignal | undefined) {
    this.#signal = signal;
    const onEnd = (): void => this.#end('ended');
    session.on('error', ignore).stderr.on('error', ignore);
    session.stderr.on('data', (text: Buffer) => (this.#stderr = `${this.#stderr}${text.toString()}`.slice(-1000)));
    session.setEncoding('utf8').once('end', onEnd).once('close', onEnd);
    session.on('data', (text: string) => this.#hear(text));
  }

  /** All that was said up to the line of that kind, by kinds. */
  async until(kind: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const deadline = AbortSignal.timeout(DEADLINE);
    const over = AbortSignal.any([deadline, ...(this.#signal === undefined ? [] : [this.#signal])]);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void =>
      reject(deadline.aborted ? this.#refused('says nothing') : abortedError(this.#signal?.reason));
    this.#onChange = (): void => {
      if (this.#said.has(kind)) resolve();
      else if (this.#ended !== undefined) reject(this.#refused(this.#ended));
    };
    this.#onChange();
    if (over.aborted) onAbort();
    over.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
      return this.#said;
    } finally {
      over.removeEventListener('abort', onAbort);
    }
  }

  #hear(text: string): void {
    if (this.#ended !== undefined || this.#said.has('written')) return;
    this.#length += text.length;
    if (this.#length > MOST_SAID) return this.#end('says too much');
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, name, value = ''] = /^viassh-x11 (\w+) (.*?)\r?$/.exec(line) ?? [];
      if (name === undefined) continue;
      const values = this.#said.get(name);
      if (values === undefined) this.#said.set(name, [value]);
      else values.push(value);
    }
    this.#onChange();
  }

  #end(how: string): void {
    this.#ended ??= how;
    this.#rest = '';
    this.#onChange();
  }

  #refused(how: string): ViasshError {
    const words = sanitize(this.#stderr.trim());
    return new ViasshError(
      'X11_REFUSED',
      `the command that makes a display on the far end ${how}${words === '' ? '' : `: ${words}`}`,
      { hint: 'for --way forward the account has to run commands of a POSIX shell: no forced command, no sftp alone' },
    );
  }
}

/** The end of its input has the script tidy up; who does not hear it is closed. */
async function end(session: SessionChannel): Promise<void> {
  session.resume().end();
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), DEADLINE / 10);
  const late = new Promise((resolve) => waiting.signal.addEventListener('abort', resolve, { once: true }));
  await Promise.race([session.exit.catch(ignore), late]);
  clearTimeout(timer);
  session.destroy();
}

function ignore(): void {
  // what could not be read or tidied up ends with the session
}
