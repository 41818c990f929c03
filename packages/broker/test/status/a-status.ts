import type { BrokerStatus } from '@viassh/broker';

export const now: number = Date.UTC(2026, 0, 2, 12);

/** One of each: up, waiting, never asked for, failed, with a probe that is not well. */
export const aStatus: BrokerStatus = {
  pid: 4711,
  version: '0.1.0',
  since: now - 3 * 86_400_000,
  configFile: '/home/me/.config/viassh/config.yaml',
  connections: [
    {
      key: 'k1',
      destination: 'gate',
      state: 'up',
      since: now - 190_000,
      ups: 3,
      roundTripMs: 12.4,
      transport: 'openssh',
      peer: 'me@gate.example:22',
      channels: 2,
      leases: 1,
      sent: 1_234_567,
      received: 999,
    },
    {
      key: 'k2',
      destination: 'far"away\\\n',
      state: 'waiting',
      since: now - 5000,
      attempt: 4,
      nextRetry: now + 21_500,
      lastError: { code: 'CONNECTION_REFUSED', message: 'nothing listens at far:22', hint: 'is it on?' },
      ups: 0,
      channels: 0,
      leases: 0,
      sent: 0,
      received: 0,
    },
  ],
  tunnels: [
    {
      name: 'web',
      plugin: 'forward',
      connection: 'k1',
      via: 'gate',
      state: 'up',
      since: now - 190_000,
      listeners: ['tcp:127.0.0.1:4321'],
      probe: { ok: false, at: now, said: 'HTTP/1.1 503 \u001b[2Jgone' },
    },
    { name: 'mail', plugin: 'imap', connection: 'k2', via: 'far', state: 'up', since: now, listeners: ['unix:/m'] },
    { name: 'raw', plugin: 'pipe', connection: 'k1', via: 'gate', state: 'down', since: now, listeners: [] },
    {
      name: 'taken',
      plugin: 'forward',
      connection: 'k1',
      via: 'gate',
      state: 'failed',
      since: now,
      listeners: [],
      lastError: { code: 'LISTEN_FAILED', message: 'cannot listen on tcp:127.0.0.1:80' },
    },
  ],
};
