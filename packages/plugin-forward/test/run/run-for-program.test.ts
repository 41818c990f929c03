import type { ExitStatus, NearEnd, ProgramRequest, ProgramRunner, RemoteAddress } from '@viassh/core';
import { waitUntil } from '@viassh/testing';
import t from 'tap';
import { forwardVariables } from '../../src/run/run-for-program.ts';
import { parseDynamicForward, parseLocalForward, parseRemoteForward } from '../../src/spec/parse-forward.ts';
import { runForward } from './run-forward.ts';

const near = (host: string, port: number): NearEnd => ({ kind: 'tcp', host, port });

t.test('a program finds each forward by its kind and number, IPv6 with and without brackets', async (t) => {
  const there: RemoteAddress = { kind: 'tcpip', bindAddress: '', port: 9030 };
  const variables = forwardVariables([
    { spec: parseLocalForward('0:web:80'), address: near('localhost', 4001) },
    { spec: parseLocalForward('/tmp/db:/run/db'), address: { kind: 'unix', path: '/tmp/db' } },
    { spec: parseDynamicForward('[::1]:0', 'socks'), address: near('::1', 4002) },
    { spec: parseDynamicForward('0', 'http'), address: near('localhost', 4003) },
    { spec: parseRemoteForward('*:0:web:80'), address: there },
  ]);
  t.same(variables, {
    VIASSH_FORWARD_LOCAL_1: 'localhost:4001',
    VIASSH_FORWARD_LOCAL_1_HOST: 'localhost',
    VIASSH_FORWARD_LOCAL_1_PORT: '4001',
    VIASSH_FORWARD_LOCAL_2: '/tmp/db',
    VIASSH_FORWARD_SOCKS_1: '[::1]:4002',
    VIASSH_FORWARD_SOCKS_1_HOST: '::1',
    VIASSH_FORWARD_SOCKS_1_PORT: '4002',
    VIASSH_FORWARD_HTTP_1: 'localhost:4003',
    VIASSH_FORWARD_HTTP_1_HOST: 'localhost',
    VIASSH_FORWARD_HTTP_1_PORT: '4003',
    VIASSH_FORWARD_REMOTE_1: '*:9030',
    VIASSH_FORWARD_REMOTE_1_HOST: '*',
    VIASSH_FORWARD_REMOTE_1_PORT: '9030',
  });
});

t.test('a lost connection ends the program, and is what is reported', async (t) => {
  let request: ProgramRequest | undefined;
  const programs = fakePrograms((asked) => (request = asked));
  const run = await runForward(t, { local: ['0:web:80'], for: true }, { programs, words: ['program', 'word'] });
  const started = await waitUntil('the program to be started', () => request);
  t.match(started, { file: 'program', args: ['word'], stdio: ['inherit', 'inherit', 'inherit'] });
  t.equal(run.said(), '', 'stdout is the program’s');
  run.world.transport.server.cut();
  t.match(await run.end, { error: { code: 'CONNECTION_LOST' } });
  t.ok(started.signal?.aborted);
});

/** Runs nothing: a program that stays until it is ended. */
function fakePrograms(onStart: (request: ProgramRequest) => void): ProgramRunner {
  const fake: Pick<ProgramRunner, 'start'> = {
    start: (request) => {
      onStart(request);
      const ended: ExitStatus = { kind: 'signal', signal: 'TERM', coreDumped: false, message: '' };
      const exit = new Promise<ExitStatus>((resolve) =>
        request.signal?.addEventListener('abort', () => resolve(ended), { once: true }),
      );
      const streams = { stdin: undefined, stdout: undefined, stderr: undefined, descriptor: () => undefined };
      return Promise.resolve({ pid: 1, ...streams, exit, kill: () => undefined });
    },
  };
  return fake as ProgramRunner;
}
