import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listProcesses, waitUntil } from '@viassh/testing';
import { onBothTransports, onTransport } from './both-transports.ts';
import { type BrokerCaller, brokerCaller } from './broker-caller.ts';
import { answers } from './forwarding.ts';

/** Process ids of brokers that commands of this caller have started. */
async function brokers({ runtime }: BrokerCaller): Promise<number[]> {
  const found = (await listProcesses()).filter(({ command }) => command.endsWith('main.js up --until-idle'));
  const environments = await Promise.all(
    found.map(async ({ pid }) => await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')),
  );
  return found
    .filter((_, index) => environments[index]?.includes(`VIASSH_RUNTIME_DIR=${runtime}\0`))
    .map(({ pid }) => pid);
}

const contentOf = async (folder: string): Promise<string[]> => await readdir(folder).catch(() => []);

onBothTransports(
  'share: auto: of two first commands one starts a broker, the next ride on it, and nothing is left when it was idle',
  async (t, transport) => {
    await using stack = new AsyncDisposableStack();
    const caller = await brokerCaller(stack, transport);
    const { sshd, to, runtime, configure, run, logins } = caller;
    await configure({ web: `forward: local, listen: unix:near.sock, to: ${to}` }, 'share: auto\nidle: 6\n');
    const words = ['-F', sshd.configFile, sshd.destination];
    const both = async (one: string, other: string): Promise<(number | null)[]> => {
      const ran = await Promise.all([run('pipe', ...words, '--', one), run('rsh', ...words, other)]);
      t.strictSame(
        ran.map(({ stderr }) => stderr),
        ['', ''],
      );
      return ran.map(({ code }) => code);
    };
    t.strictSame(await both('exit 3', 'exit 4'), [3, 4]);
    t.equal(await logins(), 2, 'they do not wait for it');
    await waitUntil('the broker', () => existsSync(join(runtime, 'control.sock')), { withinMs: 20_000 });
    await waitUntil('one broker', async () => (await brokers(caller)).length === 1);
    t.notOk(await answers({ path: join(runtime, 'near.sock') }), 'it was not asked for the tunnels');
    t.strictSame(await both('exit 5', 'exit 6'), [5, 6]);
    t.equal(await logins(), 3, (await run('logs')).stdout.toString());
    await waitUntil('the broker to end', async () => (await brokers(caller)).length === 0, { withinMs: 30_000 });
    t.strictSame(await contentOf(runtime), []);
    t.strictSame(await sshd.processes(), [sshd.pid]);
  },
);

onTransport('ssh2', 'share: auto with a broken configuration is no trouble for a command', async (t, transport) => {
  await using stack = new AsyncDisposableStack();
  const caller = await brokerCaller(stack, transport);
  const { sshd, env, runtime, run } = caller;
  const words = ['-F', sshd.configFile, sshd.destination, '--', 'echo done; exit 3'];
  await writeFile(env['VIASSH_CONFIG'] ?? '', 'share: auto\nshore: no\n');
  for (const _ of [1, 2]) {
    const { code, stdout, stderr } = await run('pipe', ...words);
    t.strictSame({ code, stdout: stdout.toString(), stderr }, { code: 3, stdout: 'done\n', stderr: '' });
  }
  await waitUntil('the broker to give up', async () => (await brokers(caller)).length === 0);
  t.strictSame(await contentOf(runtime), ['broker.starting'], 'and is not started for every command');
});
