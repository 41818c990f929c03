import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { silentLogger } from '@viassh/core';
import { type BrokerStatus, serveMetrics } from '@viassh/broker';
import { makeScratchFolder, waitUntil, watchLeaks } from '@viassh/testing';
import { aStatus } from './a-status.ts';

watchLeaks(t);

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

function get(socketPath: string, path = '/metrics', method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, type: response.headers['content-type'], text }));
    });
    asking.on('error', reject).end();
  });
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

t.test('what Prometheus reads', async (t) => {
  await using scratch = await makeScratchFolder();
  const path = join(scratch.path, 'metrics.sock');
  let status: BrokerStatus = aStatus;
  await using _ = await serveMetrics({ kind: 'unix', path }, () => status, { log: silentLogger });
  t.equal((await stat(path)).mode & 0o777, 0o600);
  const { status: code, type, text } = await get(path);
  t.equal(code, 200);
  t.match(type, /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'viassh_info{version="0.1.0"} 1',
    'viassh_tunnel_up{name="web",plugin="forward",via="gate",connection="k1"} 1',
    'viassh_tunnel_up{name="raw",plugin="pipe",via="gate",connection="k1"} 0',
    'viassh_tunnel_probe_ok{name="web",plugin="forward",via="gate",connection="k1"} 0',
    String.raw`viassh_connection_up{connection="k2",destination="far\"away\\\n"} 0`,
    String.raw`viassh_connection_state{connection="k2",destination="far\"away\\\n",state="waiting"} 1`,
    'viassh_connection_round_trip_seconds{connection="k1",destination="gate"} 0.0124',
    'viassh_connection_ups_total{connection="k1",destination="gate"} 3',
    'viassh_connection_sent_bytes_total{connection="k1",destination="gate"} 1234567',
    'viassh_connection_leases{connection="k1",destination="gate"} 1',
  ])
    t.ok(text.split('\n').includes(line), line);
  t.notMatch(text, /round_trip_seconds\{connection="k2"/, 'what was not measured is not told');
  status = { ...aStatus, tunnels: [], connections: [] };
  t.notMatch((await get(path)).text, /name="web"/, 'a tunnel that is gone is gone here, too');
});

t.test('other paths and methods', async (t) => {
  await using scratch = await makeScratchFolder();
  const path = join(scratch.path, 'm');
  await using _ = await serveMetrics({ kind: 'unix', path }, () => aStatus, { log: silentLogger });
  t.match(await get(path, '/'), { status: 404, text: /at \/metrics/ });
  t.match(await get(path, '/metrics', 'POST'), { status: 405 });
  t.match(await get(path, '/metrics?x=1', 'HEAD'), { status: 200, text: '' });
});

t.test('clients that connect and stay do not keep others out for good, nor the broker from ending', async (t) => {
  await using scratch = await makeScratchFolder();
  const path = join(scratch.path, 'm');
  const listener = await serveMetrics({ kind: 'unix', path }, () => aStatus, { log: silentLogger });
  const idle = await Promise.all(Array.from({ length: 16 }, () => connected(path)));
  for (const socket of idle) socket.on('error', () => undefined).resume();
  await t.rejects(get(path), { code: /ECONNRESET|EPIPE/ }, 'the seventeenth is turned away');
  idle[0]?.destroy();
  await waitUntil('a place is free', async () => (await get(path).catch(() => undefined))?.status === 200);
  idle[1]?.write('\u0000garbage\r\n\r\n');
  await waitUntil('garbage is hung up on', () => idle[1]?.closed);
  await listener.close();
  await waitUntil('all are hung up on', () => idle.every(({ closed }) => closed));
  t.pass('and the broker can end');
});
