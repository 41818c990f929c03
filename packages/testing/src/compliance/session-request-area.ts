import type { ComplianceArea } from './compliance-case.ts';
import { codeOf, collect, readUntil } from './collect.ts';

/** SessionChannel: shell, subsystem, env and pty requests. */
export const sessionRequestArea: ComplianceArea = {
  name: 'session requests',
  cases: [
    {
      name: 'a shell reads its commands from us',
      needs: ['shell'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'shell' });
        channel.end('echo from the shell; exit 5\n');
        const { stdout, exit } = await collect(channel);
        t.match(stdout, /from the shell\n$/);
        t.strictSame(exit, { kind: 'status', code: 5 });
      },
    },
    {
      name: 'a subsystem that is there',
      needs: ['subsystem'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'subsystem', subsystem: 'echo' });
        channel.end('to and fro');
        t.equal((await collect(channel)).stdout, 'to and fro');
      },
    },
    {
      name: 'a subsystem that is not there: REQUEST_REFUSED, and the connection lives on',
      needs: ['subsystem'],
      run: async (t, { connection }) => {
        const shared = await connection();
        t.equal(await codeOf(shared.openSession({ kind: 'subsystem', subsystem: 'viassh-none' })), 'REQUEST_REFUSED');
        t.strictSame((await collect(await shared.openSession({ kind: 'exec', command: 'true' }))).exit, {
          kind: 'status',
          code: 0,
        });
      },
    },
    {
      name: 'env reaches the command where the server accepts it, and is dropped without a word where not',
      needs: ['env'],
      run: async (t, { connection }) => {
        const env = { VIASSH_ONE: ' blanks  and ü ', VIASSH_TWO: '', OTHER_VIASSH: 'x' };
        const command = 'printf "[%s][%s][%s]" "$VIASSH_ONE" "${VIASSH_TWO-unset}" "${OTHER_VIASSH-unset}"';
        const { stdout } = await collect(await (await connection()).openSession({ kind: 'exec', command, env }));
        t.equal(stdout, '[ blanks  and ü ][][unset]');
      },
    },
    {
      name: 'env does not stay for the next session',
      needs: ['env'],
      run: async (t, { connection }) => {
        const shared = await connection();
        await collect(await shared.openSession({ kind: 'exec', command: 'true', env: { VIASSH_ONE: 'x' } }));
        t.equal(
          (await collect(await shared.openSession({ kind: 'exec', command: 'printf %s "${VIASSH_ONE-unset}"' })))
            .stdout,
          'unset',
        );
      },
    },
    {
      name: 'a pty of the size and kind asked for',
      needs: ['pty'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: 'tty; stty size; echo $TERM; echo to stderr >&2',
          pty: { term: 'vt100', columns: 101, rows: 37 },
        });
        const { stdout, stderr } = await collect(channel);
        t.match(stdout, /\/dev\/(pts\/\d+|tty)/);
        t.match(stdout, /\b37 101\r\n/);
        t.match(stdout, /vt100\r\n/);
        t.match(stdout, /to stderr\r\n/);
        t.equal(stderr, '', 'a pty has one output');
      },
    },
    {
      name: 'without a pty there is no terminal',
      run: async (t, { connection }) => {
        t.equal(
          (await collect(await (await connection()).openSession({ kind: 'exec', command: 'test -t 0 || echo none' })))
            .stdout,
          'none\n',
        );
      },
    },
    {
      name: 'changeWindow reaches the terminal',
      needs: ['pty'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({
          kind: 'exec',
          command: `trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.05; done`,
          pty: { term: 'xterm', columns: 80, rows: 24 },
        });
        await readUntil(channel, 'up\r\n');
        channel.changeWindow({ columns: 132, rows: 50 });
        t.match((await collect(channel)).stdout, /50 132\r\n/);
      },
    },
  ],
};
