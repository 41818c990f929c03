import { createLogger, type ResolvedDestination } from '@viassh/core';
import { listProcesses, startSshd, waitUntil } from '@viassh/testing';
import t from 'tap';
import { expandProxyCommand } from '../../src/wire/proxy-command.ts';
import { connectTo, failureOf, output } from '../connect-to.ts';

const hop = {
  hostName: 'real.example',
  port: 2222,
  user: 'mike',
  destination: { host: 'alias' },
} as ResolvedDestination;

t.test('tokens are filled in as ssh does', async (t) => {
  t.equal(expandProxyCommand('nc %h %p # %r at %n, 100%%', hop), 'nc real.example 2222 # mike at alias, 100%');
  t.throws(() => expandProxyCommand('nc %q', hop), { code: 'CONFIG_INVALID' });
  t.throws(() => expandProxyCommand('nc %', hop), { code: 'CONFIG_INVALID' });
});

t.test('names that the shell would run are refused', async (t) => {
  t.throws(() => expandProxyCommand('nc %h', { ...hop, hostName: 'h;reboot' }), { code: 'DESTINATION_INVALID' });
  t.throws(() => expandProxyCommand('nc %r', { ...hop, user: '$(reboot)' }), { code: 'DESTINATION_INVALID' });
  t.throws(() => expandProxyCommand('nc %n', { ...hop, destination: { host: '-oProxyCommand=x' } }), {
    code: 'DESTINATION_INVALID',
  });
});

t.test('carries the connection, logs what it says on stderr, and is gone afterwards', async (t) => {
  await using sshd = await startSshd();
  const lines: string[] = [];
  const log = createLogger('info', (_level, line) => lines.push(line));
  const command = `ProxyCommand=sh -c 'echo %h:%p for %r >&2; exec $(which sshd || echo /usr/sbin/sshd) -i -f ${sshd.folder}/sshd_config -E ${sshd.folder}/sshd.log'`;
  const connection = await connectTo(sshd, { options: [command], log });
  t.equal(await output(connection, 'echo through'), 'through\n');
  t.ok(lines.includes(`ProxyCommand: 127.0.0.1:22 for ${sshd.user}`), lines.join());
  await connection.close();
  await waitUntil('all of its processes to be gone', async () =>
    (await listProcesses()).every(({ command: line }) => !line.includes(sshd.folder)),
  );
});

t.test('ends before a connection stands: PROXY_FAILED with its status and last words', async (t) => {
  await using sshd = await startSshd();
  const error = await failureOf(connectTo(sshd, { options: ["ProxyCommand=sh -c 'echo no way >&2; exit 3'"] }));
  t.match(error, { code: 'PROXY_FAILED', message: /status 3.*no way/ });
});

t.test('stays silent: CONNECT_TIMEOUT, and it is ended', async (t) => {
  await using sshd = await startSshd();
  const mark = `10${process.pid}`;
  const error = await failureOf(connectTo(sshd, { options: [`ProxyCommand=sleep ${mark}`, 'ConnectTimeout=1'] }));
  t.equal(error.code, 'CONNECT_TIMEOUT');
  t.notOk((await listProcesses()).some(({ command }) => command.includes(`sleep ${mark}`)));
});
