import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from '../processes/wait-until.ts';
import type { ComplianceArea, ComplianceCase } from './compliance-case.ts';
import { closeOf, collect, readUntil } from './collect.ts';

/** SessionChannel: what the remote command sees, and how it ends. */
export const sessionExitArea: ComplianceArea = {
  name: 'session exit',
  cases: [
    ...[0, 1, 7, 127, 255].map(
      (code): ComplianceCase => ({
        name: `exit status ${code}`,
        needs: ['exec'],
        run: async (t, { connection }) => {
          const channel = await (await connection()).openSession({ kind: 'exec', command: `exit ${code}` });
          t.equal(channel.type, 'session');
          t.strictSame((await collect(channel)).exit, { kind: 'status', code });
        },
      }),
    ),
    {
      name: 'a command that is not there: 127 and the shell’s words on stderr',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const { exit, stdout, stderr } = await collect(
          await (await connection()).openSession({ kind: 'exec', command: 'viassh-no-such-program' }),
        );
        t.strictSame(exit, { kind: 'status', code: 127 });
        t.equal(stdout, '');
        t.match(stderr, /viassh-no-such-program/);
      },
    },
    {
      name: 'exit-signal by its name',
      needs: ['exec', 'exit-signal'],
      run: async (t, { connection }) => {
        const { exit } = await collect(
          await (await connection()).openSession({ kind: 'exec', command: 'kill -TERM $$' }),
        );
        t.match(exit, { kind: 'signal', signal: 'TERM', coreDumped: false });
      },
    },
    {
      name: 'sendSignal reaches the remote command',
      needs: ['exec', 'signal'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'echo up; exec sleep 600' });
        await readUntil(channel, 'up\n');
        channel.sendSignal('TERM');
        t.match((await collect(channel)).exit, { kind: 'signal', signal: 'TERM' });
      },
    },
    {
      name: 'a signal whose name RFC 4254 has not is refused here, and the channel lives on',
      needs: ['exec', 'signal'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'cat; exit 4' });
        for (const name of ['WINCH', 'term', '', 'TERM\0', '-9'])
          t.throws(() => channel.sendSignal(name), { code: 'OPTION_INVALID' }, name);
        channel.end('still here');
        t.match(await collect(channel), { stdout: 'still here', exit: { kind: 'status', code: 4 } });
      },
    },
    {
      name: 'an empty command is the empty command',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: '' });
        channel.end('echo this would be a shell; exit 9\n');
        const { exit, stdout } = await collect(channel);
        t.strictSame(exit, { kind: 'status', code: 0 });
        t.equal(stdout, '');
      },
    },
    {
      name: 'the command string arrives unaltered: UTF-8, quotes, line ends',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const text = `  two  blanks\t'single' "double" \\back $HOME \`id\` Grüße 日本 🎈\nline two\r\n; | & # -x  `;
        const command = `printf %s '${text.replaceAll("'", `'\\''`)}'`;
        t.equal((await collect(await (await connection()).openSession({ kind: 'exec', command }))).stdout, text);
      },
    },
    {
      name: 'the command string is not trimmed or wrapped: the shell got the very string',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const command = `\n  cat /proc/$$/cmdline; : 'Grüße'\t\n `;
        const { stdout } = await collect(await (await connection()).openSession({ kind: 'exec', command }));
        t.equal(stdout.split('\0').at(-2), command);
      },
    },
    {
      name: 'a long command string arrives whole',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const { stdout } = await collect(
          await (await connection()).openSession({ kind: 'exec', command: `printf %s ${'x'.repeat(30_000)} | wc -c` }),
        );
        t.equal(stdout.trim(), '30000');
      },
    },
    {
      name: 'close comes without error and after the last byte',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'echo last' });
        const events: string[] = [];
        channel.stderr.resume();
        channel.on('data', () => events.push('data')).once('end', () => events.push('end'));
        channel.once('close', () => events.push('close'));
        t.equal(await closeOf(channel), undefined);
        t.strictSame(events, ['data', 'end', 'close']);
        t.strictSame(await channel.exit, { kind: 'status', code: 0 });
      },
    },
    {
      name: 'exit settles although nobody reads the output, when the channel is destroyed',
      needs: ['exec'],
      run: async (t, { connection }) => {
        const channel = await (await connection()).openSession({ kind: 'exec', command: 'echo unread; exec cat' });
        const closed = closeOf(channel);
        channel.destroy();
        t.equal(await closed, undefined);
        t.match((await channel.exit).kind, /^(missing|signal|status)$/);
      },
    },
    {
      name: 'destroy ends a command that reads, and one that writes',
      needs: ['exec'],
      run: async (t, { connection, server }) => {
        const { folder } = await server();
        for (const program of ['cat', 'cat /dev/zero']) {
          const file = join(folder, `pid-${program.length}`);
          const channel = await (await connection()).openSession({
            kind: 'exec',
            command: `echo $$ >${file}; exec ${program}`,
          });
          const pid = await waitUntil(
            'the command to run',
            async () => (await readFile(file, 'utf8').catch(() => '')).trim() || undefined,
          );
          channel.destroy();
          await waitUntil(
            `${program} to end`,
            async () => !(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).startsWith('cat'),
          );
          t.pass(program);
        }
      },
    },
  ],
};
