import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Sshd, startSshd, waitUntil } from '@viassh/testing';
import { answering, serve } from './forwarding.ts';
import { type Outcome, type RunningViassh, startViassh, viassh } from './run-viassh.ts';

/** A user with a configuration, who calls viassh. */
export interface BrokerCaller {
  readonly sshd: Sshd;
  /** An echo server of the far end that says `far: ` before each word. */
  readonly to: string;
  readonly runtime: string;
  /** Has its log files. */
  readonly state: string;
  /** What leads a program's viassh to the same broker. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes config.yaml: `via` and, unless it has one, `ssh` are added to each tunnel. */
  configure(tunnels: Readonly<Record<string, string>>, more?: string): Promise<void>;
  run(...args: string[]): Promise<Outcome>;
  start(...args: string[]): RunningViassh;
  /** A broker that stands; SIGTERM at the end. */
  up(...args: string[]): Promise<RunningViassh>;
  /** How often somebody has logged in. */
  logins(): Promise<number>;
}

/** Starts nothing but the servers; all goes with the stack. */
export async function brokerCaller(
  stack: AsyncDisposableStack,
  transport: string,
  given?: Sshd,
): Promise<BrokerCaller> {
  const sshd = given ?? stack.use(await startSshd({ mode: 'listen' }));
  const far = await serve(stack, { host: '127.0.0.1', port: 0 }, answering('far'));
  const runtime = join(sshd.folder, 'run');
  const config = join(sshd.folder, 'config.yaml');
  const state = join(sshd.folder, 'state');
  const env = {
    VIASSH_CONFIG: config,
    VIASSH_RUNTIME_DIR: runtime,
    VIASSH_STATE_DIR: state,
    VIASSH_TRANSPORT: transport,
  };
  const start = (...args: string[]): RunningViassh => startViassh(args, { env, stdin: 'ignore' });
  await writeFile(config, '');
  return {
    sshd,
    to: `127.0.0.1:${(far.address() as AddressInfo).port}`,
    runtime,
    state,
    env,
    async configure(tunnels, more = '') {
      const lines = Object.entries(tunnels).map(
        ([name, rest]) =>
          `  ${name}: { via: ${sshd.destination}, ${rest.includes('ssh: ') ? '' : `ssh: [-F, ${sshd.configFile}], `}${rest} }\n`,
      );
      await writeFile(config, `${more}tunnels:\n${lines.join('')}`);
    },
    run: (...args) => viassh(args, { env }),
    start,
    async up(...args) {
      const running = start('up', ...args);
      stack.defer(async () => {
        running.kill('SIGTERM');
        running.stdout.destroy();
        await running.exit;
      });
      const socket = join(runtime, 'control.sock');
      let ended = false;
      void running.exit.then(() => (ended = true));
      await waitUntil('the broker', () => ended || existsSync(socket), { withinMs: 20_000 });
      if (ended) throw new Error(`the broker ended: ${running.stderr()}`);
      return running;
    },
    logins: async () => (await sshd.log()).match(/Accepted publickey/g)?.length ?? 0,
  };
}
